"""How a model's factors are said, as JSON: written once per column, but for a value, its words and a contribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from feature_repo.column import Column
from training.asking.wording import around, is_claim, plain, words

VARIES = "\x7f"
"""Stands for what varies: in no description, and in JSON as it is."""
MOST_TEMPLATES = 64
Pieces = list[bytes]


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
    def known(self) -> tuple[Pieces, Pieces]:
        """One that lowers and one that raises the output: what stands before, between and after the value, the
        contribution and the words.
        """
        return self._form(is_known=True, raises=False), self._form(is_known=True, raises=True)

    @cached_property
    def unknown(self) -> tuple[Pieces, Pieces]:
        """As known, but for the contribution alone: the value is null."""
        return self._form(is_known=False, raises=False), self._form(is_known=False, raises=True)

    @cached_property
    def is_plain(self) -> bool:
        """Whether its words are a number and a unit."""
        return self.column.dtype is float and bool(self.column.view) and not is_claim(self.column)

    def of(self, value: Any, amount: float, contribution: bytes) -> bytes:
        """The factor's JSON. amount: what the value contributed; contribution: the same as JSON."""
        if value is None:
            return contribution.join(self.unknown[amount > 0])
        before, between, behind, after = self.known[amount > 0]
        said = to_json(words(self.column, value))[1:-1]
        return b"".join((before, to_json(value, inf_nan_mode="null"), between, contribution, behind, said, after))

    def _form(self, *, is_known: bool, raises: bool) -> Pieces:
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
        return to_json(said).replace(b'"' + varies + b'"', varies).split(varies)


class Templates(NamedTuple):
    """The plain ones among phrases, as telling.tell takes them. names: of all; slots: of a table's columns.

    text: their pieces, one after the other; bounds: where they begin and the last one ends, shape (names, 2, 7): of one
    that lowers and one that raises, those of a known value, the last with the unit, then those of an unknown one.
    rows: of the table's matrix, -1 for those that are not plain. widest: bytes of the longest.
    """

    names: Sequence[str]
    slots: Mapping[str, int]
    text: NDArray[np.uint8]
    bounds: NDArray[np.uint64]
    rows: NDArray[np.int64]
    widest: int


class Phrases(dict[str, Phrase]):
    """By the name of a contribution; made when they are first needed, each once."""

    def __init__(self, columns: Mapping[str, Column], output: str) -> None:
        """columns: those that are declared, by qualified name; output: what is explained."""
        super().__init__()
        self._columns, self._output = columns, output
        self._templates: dict[tuple[int, int], Templates] = {}

    def __missing__(self, name: str) -> Phrase:
        found = self[name] = Phrase(self._columns.get(name) or _part(name), self._output)
        return found

    def templates(self, names: Sequence[str], slots: Mapping[str, int]) -> Templates:
        """Those of a model's names over a table's slots, which both are the same objects from answer to answer."""
        key = id(names), id(slots)
        found = self._templates.get(key)
        if found is None:
            if len(self._templates) >= MOST_TEMPLATES:
                self._templates.clear()
            found = self._templates[key] = self._joined(names, slots)  # and with it both, so that no other gets its id
        return found

    def _joined(self, names: Sequence[str], slots: Mapping[str, int]) -> Templates:
        is_plain = [self[name].is_plain and name in slots for name in names]
        pieces = [
            piece for name, one in zip(names, is_plain, strict=True) for piece in _pieces(self[name], is_plain=one)
        ]
        ends = np.cumsum([0, *map(len, pieces)]).astype(np.uint64)
        first = np.arange(len(names) * 2).reshape(len(names), 2, 1) * 6
        bounds = ends[first + np.arange(7)]
        return Templates(
            names, slots, np.frombuffer(b"".join(pieces), np.uint8), bounds,
            rows=np.array([slots[name] if one else -1 for name, one in zip(names, is_plain, strict=True)], np.int64),
            widest=int((bounds[..., -1] - bounds[..., 0]).max(initial=0)),
        )  # fmt: skip


def _pieces(phrase: Phrase, *, is_plain: bool) -> Pieces:
    """Twice six, empty for one that is not plain."""
    if not is_plain:
        return [b""] * 12
    unit = to_json(f" {phrase.column.unit}".rstrip())[1:-1]
    forms = zip(phrase.known, phrase.unknown, strict=True)
    return [piece for known, unknown in forms for piece in (*known[:-1], unit + known[-1], *unknown)]


def _part(name: str) -> Column:
    """A part of a model that is no column, as one: it has no value of its own."""
    return Column(name=name, dtype=float, view="", function=_part, description=f"The {name.replace('_', ' ')}")
