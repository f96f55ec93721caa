"""What a declaration refuses of a single row, as polars expressions: the same rules for streams and views."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from expectations.types import TYPES, title
from feature_repo.column import Field
from feature_repo.sources.stream import RECORDED_AT

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(minutes=10)
FOUND = "found: "
"""Before a field's name: its value as it was found; the name alone is the value read as its declared type."""

_LONGEST_SHOWN = 60
_BROKEN_TEXT = "[\x00\ufffd]"  # Arrow holds no unpaired surrogate: extraction writes U+FFFD for it.

Is = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class Rule:
    """One way in which a row breaks its declaration.

    broken: never null. name: such as `hours: above maximum`; allowed: such as `0 to 10000 h`.
    """

    field: Field
    name: str
    broken: pl.Expr
    allowed: str

    def reason(self, found: pl.DataType) -> pl.Expr:
        """What was found, of type found, and what is allowed: `hours: 20000.0 h, allowed 0 to 10000 h`."""
        unit = f" {self.field.unit}" if self.field.unit else ""
        shown = _shown(pl.col(FOUND + self.field.name), found)
        return pl.format(f"{self.field.name}: {{}}{unit}, allowed {self.allowed}", shown)


def rules(field: Field, known_by: datetime | None = None) -> Iterator[Rule]:
    """Every rule that a field's declaration implies, over a frame with the field as found and as read.

    known_by: when the rows were read; recorded_at cannot be later, but for clocks that differ.
    """
    value, found = pl.col(field.name), pl.col(FOUND + field.name)
    yield _rule(field, "wrong type", found.is_not_null() & value.is_null(), title(field.dtype))
    if field.nulls == 0:
        yield _rule(field, "null", found.is_null(), "no nulls")
    if field.dtype in (float, list[float]):
        yield _rule(field, "not finite", _any(field, lambda each: ~each.is_finite()), "finite numbers")
    yield from _ranges(field)
    if field.allowed:
        yield _rule(field, "not allowed", _any(field, _is_outside(field)), ", ".join(field.allowed))
    if field.dtype in (str, list[str]):
        is_broken = _any(field, lambda each: each.str.contains(_BROKEN_TEXT))
        yield _rule(field, "broken text", is_broken, "text without NUL and unpaired surrogates")
    if TYPES[field.dtype].is_nested() and not field.item_nulls:
        yield _rule(field, "null item", value.list.eval(pl.element().is_null()).list.any(), "no null items")
    if field.dtype is datetime:
        yield from _times(field, known_by)


def _rule(field: Field, name: str, broken: pl.Expr, allowed: str) -> Rule:
    return Rule(field, f"{field.name}: {name}", broken.fill_null(False), allowed)


def _any(field: Field, holds: Is) -> pl.Expr:
    """Whether something holds of the value, or of any item of a list."""
    if TYPES[field.dtype].is_nested():
        return pl.col(field.name).list.eval(holds(pl.element()).fill_null(False)).list.any()
    return holds(pl.col(field.name))


def _is_outside(field: Field) -> Is:
    return lambda each: ~each.is_in(field.allowed)


def _ranges(field: Field) -> Iterator[Rule]:
    low, high = field.minimum, field.maximum
    if field.dtype not in (int, float, list[float]):
        return
    if low is not None:
        yield _rule(field, "below minimum", _any(field, lambda each: (each < low) & each.is_finite()), interval(field))
    if high is not None:
        # For polars NaN is above everything, infinity too; both have a rule of their own.
        yield _rule(field, "above maximum", _any(field, lambda each: (each > high) & each.is_finite()), interval(field))


def interval(field: Field) -> str:
    """The range of a field's values in words, such as `0 to 80 h`."""
    low, high = field.minimum, field.maximum
    words = f"{low:g} to {high:g}" if low is not None and high is not None else ""
    words = words or (f"{low:g} or more" if low is not None else f"{high:g} or less")
    return f"{words} {field.unit}".strip()


def _times(field: Field, known_by: datetime | None) -> Iterator[Rule]:
    value = pl.col(field.name)
    is_off = (value < EARLIEST) | (value >= LATEST)
    yield _rule(field, "out of range", is_off, f"{EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}")
    if field.name == RECORDED_AT.name and known_by is not None:
        latest = known_by + CLOCKS_DIFFER
        yield _rule(field, "in the future", value > latest, f"until {latest:%Y-%m-%d %H:%M} UTC, when it was read")


def _shown(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    """A value for a message: printable, and of bounded length."""
    text = value.map_elements(_listed, pl.String) if found.is_nested() else value.cast(pl.String)
    return text.str.replace_all("\x00", "\\0", literal=True).str.head(_LONGEST_SHOWN).fill_null("null")


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, pl.Series) else str(value)
