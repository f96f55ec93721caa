"""home/models/champions.json: which versions are to be served, champions and the challengers of experiments.

The follower writes it, every worker reads it.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from feature_repo.errors import RegistryError
from monitoring.experiment import Mode

LOG = logging.getLogger("talentml.serving")
FILE = "champions.json"
SERVED = "served.json"


class Promoted(BaseModel):
    """A promoted version. error: why its files could not be fetched; its folder is to be trusted only without one."""

    model_config = ConfigDict(frozen=True)

    number: int
    sha256: str
    as_of: datetime
    trained_until: datetime
    data_hash: str = ""
    code_revision: str = ""
    metrics: dict[str, float | None] = {}
    error: str | None = None
    tried_at: datetime

    def is_same(self, other: "Promoted") -> bool:
        """Whether both name the same files."""
        return (self.number, self.sha256) == (other.number, other.sha256)


class Challenger(BaseModel):
    """The challenger of a running experiment, as it was started. champion: the version that it stands beside."""

    model_config = ConfigDict(frozen=True)

    version: Promoted
    champion: int
    experiment: str
    share: float
    mode: Mode
    salt: str


class Champions(BaseModel):
    """What the registry said last.

    wanted: product name to the promoted version. challengers: product name to that of its experiment, where one runs.
    error: why the registry could not be asked, when it could not.
    """

    model_config = ConfigDict(frozen=True)

    wanted: Mapping[str, Promoted] = {}
    challengers: Mapping[str, Challenger] = {}
    checked_at: datetime | None = None
    error: str | None = None


def read(home: Path) -> Champions:
    """The file's content; nothing is wanted where there is none.

    Raises RegistryError when it is damaged.
    """
    path = home / "models" / FILE
    try:
        return Champions.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Champions()
    except ValidationError as error:
        raise RegistryError(f"{path}: {error.error_count()} errors, delete it and it is written anew") from None


def write(home: Path, champions: Champions) -> None:
    """Replace the file at once: a reader sees the old content or the new. Raises OSError as on a full disk."""
    _replace(home / "models" / FILE, champions)


def served(home: Path, product: str) -> Promoted | None:
    """The version of a product that was served last; None where there is none."""
    try:
        return Promoted.model_validate_json((home / "models" / product / SERVED).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def remember(home: Path, product: str, version: Promoted) -> None:
    """Note that a version loaded, warmed up and serves: a cold start takes it where the champion fails.

    It serves whether or not that can be noted, as it cannot on a full disk.
    """
    try:
        _replace(home / "models" / product / SERVED, version)
    except OSError as error:
        LOG.warning("%s: version %s is not noted as served: %s", product, version.number, error.strerror)


def _replace(path: Path, content: BaseModel) -> None:
    """The whole content or what was there. Raises OSError, as on a full disk, and leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        aside = Path(file.name)
        try:
            file.write(to_json(content.model_dump(mode="json"), indent=2))
            file.flush()
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
