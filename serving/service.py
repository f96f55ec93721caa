"""The BentoML service: our FastAPI application, before BentoML's own.

BentoML's metrics and access log are off: they label by raw path, which anybody may make up. Ours are at /metrics.
"""

import gc
from typing import Any

import bentoml
from starlette.types import ASGIApp

from feature_repo.hidden import hidden
from feature_repo.settings import load
from serving import room
from serving.access import wire
from serving.access.border import Border
from serving.access.front import Front
from serving.launch import check
from serving.limits import LIMITS
from serving.routes.api import application
from serving.running import Running
from serving.telemetry import logs
from serving.telemetry.redaction import secrets
from training.products import PRODUCTS

check(load())  # no service without a key, and none that is begun again and again because it has none
APP = application(PRODUCTS)


class Fronted(bentoml.Service[Any]):  # type: ignore[misc]  # BentoML exports it untyped
    """A service with our application before BentoML's."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """What a worker's uvicorn runs."""
        wire.install()
        return Front(super().to_asgi(is_main), Border(APP))


@bentoml.service(
    service_class=Fronted,
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class TalentService:
    """Answers for every product in PRODUCTS."""

    def __init__(self) -> None:
        settings = load()
        room.install()
        logs.configure(secrets(settings), hold_seconds=LIMITS.log_line_seconds)
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
        """Write what waits: the prediction log, and the lines of the last requests."""
        logs.write_held()  # first too: who waits for this worker may lose patience
        try:
            self.running.close()
        finally:
            logs.write_held()
