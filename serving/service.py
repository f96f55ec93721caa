"""The service as BentoML knows it.

BentoML's parent reads this file too, and needs nothing of what a worker imports: it would take 2 s more until the first
one begins. BentoML's metrics and access log are off: they label by raw path, which anybody may make up. Ours are at
/metrics.
"""

from typing import Any

import bentoml
from starlette.types import ASGIApp

from feature_repo.settings import load
from serving.launch import check

check(load())  # no service without a key, and none that is begun again and again because it has none


class Fronted(bentoml.Service[Any]):  # type: ignore[misc]  # BentoML exports it untyped
    """A service with our application before BentoML's."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """What a worker's uvicorn runs."""
        from serving.worker import fronted

        return fronted(super().to_asgi(is_main))


@bentoml.service(
    service_class=Fronted,
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class TalentService:
    """Answers for every product in PRODUCTS."""

    def __init__(self) -> None:
        from serving import worker

        self.running = worker.begin()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        from serving import worker

        worker.end(self.running)
