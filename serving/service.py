"""The BentoML service: our FastAPI application, mounted at the root.

Its own metrics and access log are off: they label by raw path, which anybody may make up, and cost a fifth of the
throughput (TOOLS.md). Ours are at /metrics.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import bentoml

from feature_repo.settings import load
from serving.api import application
from serving.border import Border
from serving.running import Running
from training.products import PRODUCTS

APP = application(PRODUCTS)


@bentoml.asgi_app(Border(APP), path="/")
@bentoml.service(
    workers=1,
    traffic={"timeout": 30},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class TalentService:
    """Answers for every product in PRODUCTS."""

    def __init__(self) -> None:
        with hidden("pandas", "sklearn"):
            import lightgbm  # noqa: F401
        self.running = Running(load(), PRODUCTS)
        self.running.start()
        APP.state.running = self.running

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Flush the prediction log."""
        self.running.close()


@contextmanager
def hidden(*modules: str) -> Iterator[None]:
    """Let imports of these modules fail inside. LightGBM takes both if it can: 0.8 s and 100 MB that serve nobody."""
    absent = [module for module in modules if module not in sys.modules]
    for module in absent:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]
