"""How the service is started: the command and its environment. Imports nothing heavy."""

import os
import sys

from feature_repo.settings import Settings

SERVICE = "serving.service:TalentService"

USED = frozenset(
    f"TALENTML_{name.upper()}"
    for name in (
        "database_url", "mlflow_url", "airflow_url", "jwt_secret", "jwt_jwks", "jwt_issuer", "jwt_audience",
        "rate_limit", "redis_url",
    )
)  # fmt: skip
UNUSED = frozenset(f"TALENTML_{name.upper()}" for name in Settings.model_fields) - USED
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
"""A request's hundred rows are too few to share: on 4 busy cores an answer took 9 ms with one thread, 20 with four."""


def check(settings: Settings) -> None:
    """Raises SettingsError where no worker could start: for its key, the rate, or Redis' address.

    Asked before any of them is: BentoML begins one that ends at its start again and again, for ever.
    """
    from serving.access.keys import keys
    from serving.access.rates import RedisWindows, rate_of

    keys(settings)
    rate_of(settings.rate_limit)
    if settings.redis_url is not None:
        RedisWindows.at(settings.redis_url.get_secret_value())


def command(port: int) -> list[str]:
    """The service's command line, which binds loopback: what faces others terminates TLS."""
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", "127.0.0.1", "--port", str(port)]


def environment(settings: Settings, workers: int = 1) -> dict[str, str]:
    """The environment of the service: ours, where it finds things, and BentoML's own state under the home.

    Of the settings it is given those that it uses; the sources' addresses, with their passwords, are not among them.
    """
    given = {name: text for name, text in settings.variables().items() if name in USED}
    inherited = {name: text for name, text in os.environ.items() if name.upper() not in UNUSED}
    bento = {
        "BENTOML_HOME": str(settings.root / "run" / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_CONFIG_OPTIONS": f"services.TalentService.workers={workers}",
    }
    return {**ONE_THREAD, **inherited, **given, **bento, "TALENTML_HOME": str(settings.root)}
