"""The BentoML service: our FastAPI application, before BentoML's own.

Its own metrics and access log are off: they label by raw path, which anybody may make up, and cost a fifth of the
throughput (TOOLS.md). Ours are at /metrics. So is its tracing, which nobody reads: an empty route went from 2,400 to
5,400 requests a second without it.
"""

import gc
from typing import Any

import bentoml
from bentoml._internal.server.http import traffic

from feature_repo.hidden import hidden
from feature_repo.settings import load
from serving.access.border import Border
from serving.access.front import Front
from serving.access.keys import keys
from serving.routes.api import application
from serving.running import Running
from serving.telemetry import logs
from serving.telemetry.redaction import secrets
from training.products import PRODUCTS

keys(load())  # no service without a key, and none that is begun again and again because it has none
APP = application(PRODUCTS)


def untimed(app: Any, timeout: float) -> Any:
    """In the place of BentoML's timeout, which leaves a timer and all it holds alive for each request: the collector
    walked them for 100 to 300 ms. The border has timeouts of its own.
    """
    del timeout
    return app


traffic.TimeoutMiddleware = untimed


@bentoml.service(
    workers=1,
    tracing={"excluded_urls": ".*"},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class TalentService:
    """Answers for every product in PRODUCTS."""

    def __init__(self) -> None:
        settings = load()
        logs.configure(secrets(settings))
        # LightGBM takes both if it can, and Arrow looks for pandas once, when it first converts: .8 s and 100 MB.
        with hidden("pandas", "sklearn"):
            import lightgbm  # noqa: F401
            import pyarrow

            pyarrow.array([0]).to_numpy()
        self.running = Running(settings, PRODUCTS)
        self.running.start()
        APP.state.running = self.running
        gc.collect()
        gc.freeze()  # what is loaded stays: to walk it took a full collection 100 ms and more

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Flush the prediction log."""
        self.running.close()


TalentService.add_asgi_middleware(Front, ours=Border(APP))  # type: ignore[attr-defined]  # the decorator makes a Service
