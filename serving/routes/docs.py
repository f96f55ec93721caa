"""The interactive page of the routes. Its assets are BentoML's own, so that the page works without the internet."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

PAGE, DOCUMENT, ASSETS = "/docs", "/openapi.json", "/docs-assets"


def install(app: FastAPI) -> None:
    """Serve /docs."""
    folder = str(files("bentoml") / "_internal" / "server" / "static_content")
    app.mount(ASSETS, StaticFiles(directory=folder), name="docs-assets")

    @app.get(PAGE, include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=DOCUMENT,
            title="Talentml: routes",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url="data:,",
        )
