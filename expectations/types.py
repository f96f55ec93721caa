"""Values of any type, read as what their field declares."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from feature_repo.column import Field, Type

TIME = pl.Datetime("us", "UTC")
TYPES: dict[Type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    datetime: TIME,
    list[str]: pl.List(pl.String()),
    list[float]: pl.List(pl.Float64()),
}
TRUTHS = {"true": True, "1": True, "false": False, "0": False}
TIME_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%:z")


def title(dtype: Type) -> str:
    """A declared type in words, such as `float` or `list[str]`."""
    return dtype.__name__ if type(dtype) is type else str(dtype)


def schema(fields: Sequence[Field]) -> dict[str, pl.DataType]:
    """The polars type of each field's accepted values."""
    return {field.name: TYPES[field.dtype] for field in fields}


def read_as(dtype: Type, value: pl.Expr, found: pl.DataType) -> pl.Expr:
    """A value of type found as the declared type; null where it does not fit.

    Text is parsed, times without a zone are UTC. A number is no text, and a fraction is no integer.
    """
    wanted = TYPES[dtype]
    if found == wanted or found == pl.Null:
        return value.cast(wanted)
    if dtype is datetime:
        return _time(value, found)
    if dtype is bool:
        return _truth(value, found)
    if dtype is int:
        return _integer(value, found)
    if dtype is float and (found.is_numeric() or found == pl.String):
        return _text_stripped(value, found).cast(wanted, strict=False)
    if _holds(dtype, found):
        return value.cast(wanted, strict=False)
    return pl.lit(None, wanted)


def _holds(dtype: Type, found: pl.DataType) -> bool:
    """Whether a polars type is another form of a declared text or list."""
    if not isinstance(found, pl.List | pl.Array):
        return dtype is str and isinstance(found, pl.Categorical | pl.Enum)
    is_empty = type(dtype) is not type and found.inner == pl.Null
    return is_empty or (dtype == list[float] and found.inner.is_numeric())


def _text_stripped(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    return value.str.strip_chars() if found == pl.String else value


def _integer(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if not (found.is_numeric() or found == pl.String):
        return pl.lit(None, pl.Int64)
    if found.is_integer():
        return value.cast(pl.Int64, strict=False)
    number = _text_stripped(value, found).cast(pl.Float64, strict=False)
    whole = pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)
    # Text is read directly first: above 2**53 a float would lose digits.
    return pl.coalesce(value.str.strip_chars().cast(pl.Int64, strict=False), whole) if found == pl.String else whole


def _truth(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if found.is_numeric():
        return pl.when(value == 1).then(True).when(value == 0).then(False)
    if found == pl.String:
        return value.str.strip_chars().str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
    return pl.lit(None, pl.Boolean)


def _time(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if isinstance(found, pl.Datetime):
        aware = value.dt.replace_time_zone("UTC") if found.time_zone is None else value.dt.convert_time_zone("UTC")
        return aware.cast(TIME)
    if found == pl.Date:
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _parsed_time(value) if found == pl.String else pl.lit(None, TIME)


def _parsed_time(text: pl.Expr) -> pl.Expr:
    """ISO 8601, a date or a date-time, with Z or an offset or neither (then UTC); a zone's name after it is ignored."""
    iso = text.str.strip_chars().str.replace(r"\[.*\]$", "").str.replace("[Zz]$", "+00:00")
    iso = iso.str.replace(r"^(\d{4}-\d\d-\d\d)( |$)", "${1}T").str.replace("T$", "T00:00")
    has_offset = iso.str.contains(r"T.*[+-]\d\d:?\d\d$")
    zoned = pl.when(has_offset).then(iso).otherwise(iso + "+00:00")
    return pl.coalesce(zoned.str.to_datetime(form, time_unit="us", strict=False) for form in TIME_FORMATS)
