"""What of a product's trainer may be searched, and how much may be spent on it. Declared, and no more than that."""

from collections.abc import Mapping
from dataclasses import dataclass

from feature_repo.errors import DataError

MOST_TRIALS = 50  # REQUIREMENTS 4

Value = str | float | int | bool


@dataclass(frozen=True)
class Range:
    """Every number from low to high, both included; whole ones where both bounds are. log: drawn by its logarithm."""

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


Space = Mapping[str, Range | tuple[Value, ...]]
"""Field of the trainer to what it may be: a range, or one of some values."""


@dataclass(frozen=True)
class Search:
    """A search's space and budget. seconds: of the whole search. folds: periods, one after the other, that judge.

    Raises DataError for an empty space, more trials than MOST_TRIALS, or a budget of nothing.
    """

    space: Space
    trials: int = 20
    seconds: float = 300.0
    folds: int = 3

    def __post_init__(self) -> None:
        if not self.space:
            raise DataError("search: an empty space, allowed: at least one field of the trainer")
        if not 1 <= self.trials <= MOST_TRIALS:
            raise DataError(f"search: {self.trials} trials, allowed 1 to {MOST_TRIALS}")
        if self.seconds <= 0 or self.folds < 1:
            raise DataError(f"search: {self.seconds} s and {self.folds} folds, allowed: more than 0 s, at least 1 fold")


def declared(space: Space, trainer: object) -> dict[str, Value]:
    """The trainer's own values of the searched fields: what every search begins with.

    Raises DataError where the trainer lacks a field, or has a value that the space does not.
    """
    found = {name: getattr(trainer, name, None) for name in space}
    for name, value in found.items():
        if value is None or value not in space[name]:
            allowed = space[name] if isinstance(space[name], Range) else ", ".join(map(str, space[name]))  # type: ignore[arg-type]
            raise DataError(f"search: {type(trainer).__name__}.{name} is {value}, allowed {allowed}")
    return found  # type: ignore[return-value]
