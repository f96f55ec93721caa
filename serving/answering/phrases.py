"""How a model's factors are said, as JSON: written once per column, but for a value, its words and a contribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic_core import to_json

from feature_repo.column import Column
from training.asking.wording import LONG, around, is_claim, plain, words

VARIES = "\x7f"
"""Stands for what varies: in no description, and in JSON as it is."""


@dataclass(frozen=True)
class Phrase:
    """A factor, as serving.schemas.replies.Factor, of one column."""

    column: Column
    output: str

    @cached_property
    def name(self) -> str:
        """The column's qualified name."""
        return self.column.qualified

    @cached_property
    def known(self) -> tuple[bytes, bytes]:
        """One that lowers and one that raises the output, but for `%`: the value, the contribution and the words."""
        return self._form(is_known=True, raises=False), self._form(is_known=True, raises=True)

    @cached_property
    def unknown(self) -> tuple[bytes, bytes]:
        """As known, but for the contribution alone: the value is null."""
        return self._form(is_known=False, raises=False), self._form(is_known=False, raises=True)

    @cached_property
    def is_plain(self) -> bool:
        """Whether its words are a number and a unit."""
        return self.column.dtype is float and bool(self.column.view) and not is_claim(self.column)

    @cached_property
    def short(self) -> tuple[bytes, bytes]:
        """As known, for a plain one below LONG: instead of the words the number, which is formatted as spoken does."""
        return self._of_numbers(b"%.3g")

    @cached_property
    def long(self) -> tuple[bytes, bytes]:
        """As short, from LONG on."""
        return self._of_numbers(b"%.0f")

    def of_number(self, number: float, written: bytes, amount: float, contribution: bytes) -> bytes:
        """As `of`, for a plain one. number: NaN where it is not known; written, contribution: numbers as JSON."""
        if -LONG < number < LONG:
            return self.short[amount > 0] % (written, contribution, number)
        if number != number:
            return self.unknown[amount > 0] % contribution
        return self.long[amount > 0] % (written, contribution, number)

    def of(self, value: Any, amount: float, contribution: bytes) -> bytes:
        """The factor's JSON. amount: what the value contributed; contribution: the same as JSON."""
        if value is None:
            return self.unknown[amount > 0] % contribution
        said = to_json(words(self.column, value))[1:-1]
        return self.known[amount > 0] % (to_json(value, inf_nan_mode="null"), contribution, said)

    def _of_numbers(self, form: bytes) -> tuple[bytes, bytes]:
        said = form + _escaped(to_json(f" {self.column.unit}".rstrip())[1:-1])
        lowers, raises = (said.join(known.rsplit(b"%b", 1)) for known in self.known)
        return lowers, raises

    def _form(self, *, is_known: bool, raises: bool) -> bytes:
        before, after = around(self.column, self.output, is_known=is_known, raises=raises)
        said = {
            "column": self.column.qualified.removeprefix("__"),
            "description": plain(self.column.description),
            "value": VARIES if is_known else None,
            "unit": self.column.unit,
            "contribution": VARIES,
            "direction": "raises" if raises else "lowers",
            "sentence": before + (VARIES if is_known else words(self.column, None)) + after,
        }
        varies = VARIES.encode()
        return _escaped(to_json(said)).replace(b'"' + varies + b'"', b"%b").replace(varies, b"%b")


class Phrases(dict[str, Phrase]):
    """By the name of a contribution; made when they are first needed, each once."""

    def __init__(self, columns: Mapping[str, Column], output: str) -> None:
        """columns: those that are declared, by qualified name; output: what is explained."""
        super().__init__()
        self._columns, self._output = columns, output

    def __missing__(self, name: str) -> Phrase:
        found = self[name] = Phrase(self._columns.get(name) or _part(name), self._output)
        return found


def _part(name: str) -> Column:
    """A part of a model that is no column, as one: it has no value of its own."""
    return Column(name=name, dtype=float, view="", function=_part, description=f"The {name.replace('_', ' ')}")


def _escaped(text: bytes) -> bytes:
    """For `%`."""
    return text.replace(b"%", b"%%")
