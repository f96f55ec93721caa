"""What a worker runs: our FastAPI application, before BentoML's own."""

import gc

from starlette.types import ASGIApp

from feature_repo.hidden import hidden
from feature_repo.settings import load
from serving import room
from serving.access import wire
from serving.access.border import Border
from serving.access.front import Front
from serving.limits import LIMITS
from serving.routes.api import application
from serving.running import Running
from serving.telemetry import logs
from serving.telemetry.redaction import secrets
from training.products import PRODUCTS

APP = application(PRODUCTS)


def fronted(other: ASGIApp) -> ASGIApp:
    """Our application before another one."""
    wire.install()
    return Front(other, Border(APP))


def begin() -> Running:
    """Start all that answers need; nothing it holds is looked through for garbage any more."""
    settings = load()
    room.install()
    logs.configure(secrets(settings), hold_seconds=LIMITS.log_line_seconds)
    # LightGBM takes both if it can, and Arrow looks for pandas once, when it first converts: .8 s and 100 MB.
    with hidden("pandas", "sklearn"):
        import lightgbm  # noqa: F401
        import pyarrow

        pyarrow.array([0]).to_numpy()
    running = Running(settings, PRODUCTS)
    running.start()
    APP.state.running = running
    gc.collect()
    gc.freeze()  # what is loaded stays: to walk it took a full collection 100 ms and more
    return running


def end(running: Running) -> None:
    """Write what waits: the prediction log, and the lines of the last requests."""
    logs.write_held()  # first too: who waits for this worker may lose patience
    try:
        running.close()
    finally:
        logs.write_held()
