"""Which arm of an experiment a question falls into: drawn by a hash, so that no worker has to remember it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from feature_repo.entities import person
from monitoring.arm import Arm
from monitoring.prediction_log import NEW

if TYPE_CHECKING:
    from serving.answering.features import Asked
    from serving.versions.loading import Champion

UNIT_LENGTH = 128
"""Of the column prediction_log.unit."""


@dataclass(frozen=True)
class Served:
    """Whose answer a question gets, settled once, before it is scored.

    champion: the version that answers, be it the champion or the challenger; None where the rule does. experiment, arm,
    unit: what the log is to say, None outside of an experiment. shadow: the version that scores the rows afterwards.
    """

    champion: "Champion | None"
    experiment: str | None = None
    arm: Arm | None = None
    unit: str | None = None
    shadow: "Champion | None" = None

    @property
    def name(self) -> str | None:
        """Of the arm among all experiments; None outside of one."""
        return f"{self.experiment}/{self.arm}" if self.experiment else None


def is_drawn(salt: str, unit: str, share: float) -> bool:
    """Whether the unit is among the share of an experiment; ever the same answer, independent between salts."""
    drawn = sha256(f"{salt}\0{unit}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") < share * 2**64


def unit_of(asked: "Asked", caller: str | None) -> str | None:
    """What a question is about: its person, else the first id of its subject, else who asks.

    Estimates about several pairs have a person where all are about the same one. None where nothing is known.
    """
    shared: Mapping[str, str | None] = asked.subject or {
        entity.key: _only(asked.ids[entity.key]) for entity in asked.route.subject
    }
    named = {key: name for key, name in shared.items() if name and name != NEW}
    found = named.get(person.key) or next(iter(named.values()), caller)
    return found[:UNIT_LENGTH] if found else None


def _only(ids: Sequence[str | None]) -> str | None:
    """The one id that all rows share; None where they differ."""
    found = set(ids)
    return found.pop() if len(found) == 1 else None
