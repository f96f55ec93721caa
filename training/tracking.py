"""Where the MLflow server is, and whether it answers; neither imports mlflow."""

from urllib.error import URLError
from urllib.request import urlopen

from pydantic import SecretStr

from feature_repo.errors import RegistryError
from feature_repo.settings import Settings
from feature_repo.sources.probes import place
from feature_repo.sources.servers import Ledger

SECONDS_TO_ANSWER = 15
"""One that is down refuses at once; one on a busy machine may answer late, and is no other for it."""


def address(settings: Settings) -> str:
    """Where MLflow is: the settings' address, else the server that this home started.

    Raises RegistryError when there is neither.
    """
    if settings.mlflow_url is not None:
        return settings.mlflow_url
    server = Ledger(settings).read().get("mlflow")
    if server is None:
        raise RegistryError("mlflow: no server is known; `talentml servers start`, or TALENTML_MLFLOW_URL=http://...")
    return server.url.get_secret_value()


def check_reachable(url: str) -> None:
    """Raises RegistryError when there is a server at url and it does not answer within seconds."""
    if not url.startswith("http"):
        return
    try:
        urlopen(f"{url.rstrip('/')}/health", timeout=SECONDS_TO_ANSWER).close()
    except (URLError, OSError) as error:
        shown = place(SecretStr(url))
        raise RegistryError(f"mlflow: {shown} does not answer ({error}); `talentml servers start`") from None
