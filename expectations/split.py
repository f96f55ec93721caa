"""Rows that keep their declaration, and rows that break it with the reason why: none is lost, none is in both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from expectations.rules import FOUND, Rule, rules
from expectations.types import read_as, title
from feature_repo.column import Field
from feature_repo.errors import DataError

FEWEST_TO_JUDGE = 10
"""From so many values on, a column of which none fits was retyped; fewer may just be bad rows."""

REASONS = ("rule", "reason", "reasons")
_ROW = "row: number"


@dataclass(frozen=True)
class Split:
    """accepted: the declared fields, in order and of their types. Both keep the order of the frame's rows.

    rejected: the frame's own columns, then `rule` (the first that is broken, such as `hours: above maximum`),
    `reason` (what was found and what is allowed), and `reasons` (those of all broken rules).
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def extracted(self) -> int:
        """How many rows were split."""
        return self.accepted.height + self.rejected.height

    @property
    def counts(self) -> dict[str, int]:
        """Rejected rows by rule, the most frequent first."""
        counted = self.rejected.group_by("rule").len().sort(["len", "rule"], descending=[True, False])
        return dict(counted.iter_rows())


def split_rows(
    frame: pl.DataFrame, fields: Sequence[Field], key: Sequence[str], *, known_by: datetime | None = None
) -> Split:
    """Split a frame's rows by what its fields declare, and by their key, which only one row may have.

    Of otherwise valid rows with one key the first stays, in the order of all fields, nulls last: it does not depend
    on the order of the rows. known_by: when the rows were read. Raises DataError for a column that is missing.
    """
    _check_complete(frame, fields)
    found = [pl.col(field.name).alias(FOUND + field.name) for field in fields]
    read = [read_as(field.dtype, pl.col(field.name), frame.schema[field.name]).alias(field.name) for field in fields]
    work = frame.select(*found, *read).with_row_index(_ROW)
    declared = [rule for field in fields for rule in rules(field, known_by)]
    # A pass over the rows finds the few that break a rule; only these get their reasons worked out.
    is_broken = work.select(pl.any_horizontal(rule.broken for rule in declared)).to_series()
    valid, refused = work.filter(~is_broken), work.filter(is_broken)
    doubles = _doubles(valid, [field.name for field in fields], key)
    reasons = pl.concat([_reasons(refused, declared, frame.schema), _duplicate_reasons(doubles, key)]).sort(_ROW)
    accepted = valid.join(doubles, on=_ROW, how="anti", maintain_order="left").select(field.name for field in fields)
    return Split(accepted, frame[reasons[_ROW]].hstack(reasons.select(REASONS)))


def _check_complete(frame: pl.DataFrame, fields: Sequence[Field]) -> None:
    missing = [field.name for field in fields if field.name not in frame.columns]
    if missing:
        raise DataError(f"column {', '.join(missing)}: missing, found {', '.join(frame.columns) or 'none'}")


def _reasons(refused: pl.DataFrame, declared: Sequence[Rule], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The number of each row with its reasons; found values are shown by the type that they have in schema."""
    names = [pl.when(rule.broken).then(pl.lit(rule.name)) for rule in declared]
    reasons = [pl.when(rule.broken).then(rule.reason(schema[rule.field.name])) for rule in declared]
    return refused.select(
        _ROW,
        rule=pl.coalesce(names),
        reason=pl.coalesce(reasons),
        reasons=pl.concat_list(reasons).list.drop_nulls(),
    )


def _doubles(valid: pl.DataFrame, names: Sequence[str], key: Sequence[str]) -> pl.DataFrame:
    """The rows that have another one's key, but for the one of each key that stays."""
    repeated = valid.filter(valid.select(key).is_duplicated())
    rest = [name for name in names if name not in key]
    ordered = repeated.sort(*key, *rest, _ROW, nulls_last=True)
    return ordered.filter(~ordered.select(key).select(pl.struct(pl.all()).is_first_distinct()).to_series())


def _duplicate_reasons(doubles: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    named = ", ".join(key)
    values = pl.concat_str([pl.col(name).cast(pl.String).fill_null("null") for name in key], separator=", ")
    reason = pl.format(f"{named}: {{}} is there already, allowed one row of each", values)
    return doubles.select(_ROW, rule=pl.lit(f"{named}: duplicate"), reason=reason, reasons=pl.concat_list(reason))


def unfit(frame: pl.DataFrame, fields: Sequence[Field]) -> list[str]:
    """The columns that were dropped or retyped, each in a sentence with what was found and what is allowed."""
    found = []
    for field in fields:
        if field.name not in frame.columns:
            found.append(f"column {field.name} is missing, allowed: a {title(field.dtype)}")
        elif _is_retyped(frame[field.name], field):
            example = frame[field.name].drop_nulls()[0]
            found.append(
                f"column {field.name} is {frame.schema[field.name]}, such as {example!r:.60}, "
                f"allowed: a {title(field.dtype)}"
            )
    return found


def _is_retyped(found: pl.Series, field: Field) -> bool:
    """Whether there are values and none of them can be read as the declared type."""
    values = found.drop_nulls()
    if len(values) < FEWEST_TO_JUDGE:
        return False
    fitting = values.to_frame("value").select(read_as(field.dtype, pl.col("value"), values.dtype).count())
    return int(fitting.item()) == 0
