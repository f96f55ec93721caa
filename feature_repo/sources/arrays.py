"""Values of a source as Arrow columns, converted by the column and never lost.

A column whose values fit its declared type has that type. One that holds a value that does not fit comes as the text
of its values, so that the check can say which rows are wrong instead of the extract dying of them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

UNFIT = (pa.ArrowException, TypeError, ValueError, OverflowError)  # UnicodeError is a ValueError.


def from_objects(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """Python values as an array of that type, or as text where one of them does not fit."""
    try:
        return _typed(values, kind)
    except UNFIT:
        return pa.array([_text(value) for value in values], pa.string())


def _typed(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """Asked for integers, pa.array cuts 3.5 to 3; for times, it takes numbers as microseconds. A cast refuses both."""
    if not (pa.types.is_integer(kind) or pa.types.is_timestamp(kind)):
        return pa.array(values, kind)
    found = pa.array(values)
    if pa.types.is_timestamp(kind) and not (pa.types.is_timestamp(found.type) or pa.types.is_null(found.type)):
        raise TypeError(f"{found.type} is no time")
    return pc.cast(found, kind)


def from_text(values: Sequence[bytes | str | None], kind: pa.DataType) -> pa.Array:
    """Text, such as a database's text protocol gives, as an array of that type, or as text where one does not parse."""
    words = _words(values)
    if pa.types.is_string(kind):
        return words
    try:
        return _times(words) if pa.types.is_timestamp(kind) else pc.cast(words, kind)
    except pa.ArrowException:
        return words


def _words(values: Sequence[Any]) -> pa.Array:
    try:
        return pc.cast(pa.array(values, pa.binary()), pa.string())
    except UNFIT:
        return pa.array([_text(value) for value in values], pa.string())


def _times(words: pa.Array) -> pa.Array:
    """ISO 8601 as UTC: nanoseconds are cut, zone names dropped behind their offset, and no offset means UTC."""
    cut = pc.replace_substring_regex(words, r"(\.\d{6})\d+", r"\1")
    bare = pc.replace_substring_regex(cut, r"\[.*\]$", "")
    try:
        return pc.cast(bare, pa.timestamp("us", tz="UTC"))
    except pa.ArrowException:
        return pc.assume_timezone(pc.cast(bare, pa.timestamp("us")), "UTC")


def _text(value: Any) -> str | None:
    """A value in words. Lone surrogates and bytes that are not UTF-8 become U+FFFD, which the check refuses."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    word = value.isoformat() if isinstance(value, datetime) else str(value)
    return word.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
