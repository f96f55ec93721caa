"""The BentoML service: our FastAPI application, mounted at the root.

Its own metrics and access log are off: they label by raw path, which anybody may make up, and cost a fifth of the
throughput (TOOLS.md). Ours are at /metrics.
"""

import bentoml

from feature_repo.hidden import hidden
from feature_repo.settings import load
from serving import logs
from serving.api import application
from serving.border import Border
from serving.keys import keys
from serving.redaction import secrets
from serving.running import Running
from training.products import PRODUCTS

keys(load())  # no service without a key, and none that is begun again and again because it has none
APP = application(PRODUCTS)


@bentoml.asgi_app(Border(APP), path="/")
@bentoml.service(
    workers=1,
    traffic={"timeout": 25},  # more than LIMITS.body_seconds + answer_seconds: ours answers first
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

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Flush the prediction log."""
        self.running.close()
