"""A registered version of a model, and the key that makes registration idempotent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from feature_repo.window import instant

CHAMPION = "champion"
CHALLENGER = "challenger"


@dataclass(frozen=True)
class Version:
    """A version in the registry. trained_until: the model has seen no event at or after it.

    sha256: of the model folder's manifest. metrics: measured on its own test window when it was registered.
    """

    product: str
    number: int
    run_id: str
    data_hash: str
    code_revision: str
    as_of: datetime
    trained_until: datetime
    sha256: str
    feature_service: str
    metrics: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        return key(self.product, self.as_of, self.data_hash, self.code_revision)

    @property
    def tags(self) -> dict[str, str]:
        """The facts as the registry's tags; `version` reads them back."""
        return {
            "as_of": self.as_of.isoformat(),
            "trained_until": self.trained_until.isoformat(),
            "data_hash": self.data_hash,
            "code_revision": self.code_revision,
            "feature_service": self.feature_service,
            "sha256": self.sha256,
            "key": self.key,
        }


def key(product: str, as_of: datetime, data_hash: str, code_revision: str) -> str:
    """What a training run is: the same product, interval, data and code make the same version."""
    parts = json.dumps([product, as_of.isoformat(), data_hash, code_revision])
    return hashlib.sha256(parts.encode()).hexdigest()


def version(product: str, number: int, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]) -> Version:
    """A version from the registry's tags. Raises KeyError where one is missing."""
    return Version(
        product=product,
        number=number,
        run_id=run_id,
        data_hash=tags["data_hash"],
        code_revision=tags["code_revision"],
        as_of=instant(tags["as_of"]),
        trained_until=instant(tags["trained_until"]),
        sha256=tags["sha256"],
        feature_service=tags["feature_service"],
        metrics=metrics,
    )
