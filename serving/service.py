"""The BentoML service: our FastAPI application, mounted at the root.

Its own metrics and access log are off: they label by raw path, which anybody may make up, and cost a fifth of the
throughput (TOOLS.md). Ours are at /metrics.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
            import pyarrow

            pyarrow.array([0]).to_numpy()
        self.running = Running(load(), PRODUCTS)
        self.running.start()
        APP.state.running = self.running

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Flush the prediction log."""
        self.running.close()


@contextmanager
def hidden(*modules: str) -> Iterator[None]:
    """Let imports of these modules fail inside. LightGBM takes both if it can, and Arrow looks for pandas once, when it
    first converts: 0.8 s and 100 MB that serve nobody.
    """
    finder = _Refusal(frozenset(modules))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@dataclass(frozen=True)
class _Refusal:
    """A finder that finds no module of these names, whoever else might."""

    modules: frozenset[str]

    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        del path, target
        if fullname in self.modules:
            raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)
