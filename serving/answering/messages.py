"""How a record goes from a worker to its scribe: as little as can be said of it, for the worker pays for every byte.

Of a table its wanted numbers, as they stand in the matrix: texts go as codes and lists as places in the snapshot, which
the scribe maps too. A message needs no other one to be read.
"""

import marshal
import math
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import is_
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from feature_repo.column import Column
from feature_repo.index import mapped_batch
from feature_repo.names import TEXT, Names
from feature_repo.platform.tables.types import written
from feature_repo.table import Floats, Frame, Stored, Table
from monitoring.packed import Form, Other, Packed, array_of, form_of, is_typed, packed, packed_as
from monitoring.prediction_log import Record
from serving.answering.spool import Parts

WITHOUT_REFERENCES = 2
"""The version of marshal's format that does not look for what it has written already."""
TIMES = ("as_of", "predicted_at")
MOST_FORMS = 64
MOST_READ = 50_000  # texts of one file
MAPPED = 256
"""Files of snapshots that a scribe keeps mapped: those of the last few, also once they are deleted."""
BETWEEN = "\0"
Like = tuple[Mapping[str, int], Mapping[str, Names], Mapping[str, Column], Sequence[str]]
"""What tables of one form share: the same objects, but for the columns' names, which are equal."""


@dataclass(frozen=True)
class Sheet:
    """A form as the scribe knows it. names: by each column of texts that comes as codes, in order, the texts' file."""

    form: Form
    names: Mapping[str, Path]


@dataclass(frozen=True)
class Layout:
    """A sheet as the worker keeps it. content: as messages hold it; empty for a table without numbers.

    slots: of the numbers, then of the codes. others: the columns that are neither.
    """

    slots: np.ndarray[Any, np.dtype[np.intp]]
    others: tuple[str, ...]
    content: bytes


class Rows(NamedTuple):
    """Features as a message holds them: the most of it, the same whenever an answer is given again.

    said: by marshal, their form's size, how many there are and its columns that are no numbers; or all, packed.
    """

    said: bytes
    numbers: bytes | memoryview = b""
    form: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that they hold; the form is the same for many."""
        return len(self.said) + len(self.numbers)


class Encoder:
    """The worker's end. Several threads may use it: at worst a form is made twice."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Like, Layout]] = {}
        """By what a table has in common with others of its form."""

    def message(self, record: Record, rows: Rows | None = None) -> Parts:
        """The record as a message, in parts that follow each other: 5 us for one of 100 rows, 15 out of caches.

        rows: its features, where they are made already.
        """
        rows = rows or self.rows(record.features)
        answer = _said(record.answer)
        facts = {
            **vars(record),
            "request": _said(record.request),
            "answer": len(answer),
            "as_of": _instant(record.as_of),
            "predicted_at": _instant(record.predicted_at),
            "arm": record.arm and str(record.arm),  # marshal takes no text of an enum
            "features": rows.said,
        }
        return marshal.dumps(facts, WITHOUT_REFERENCES), rows.numbers, rows.form, answer

    def rows(self, features: Frame | Packed | None) -> Rows:
        """A record's features as its message holds them."""
        layout = self._layout(features) if isinstance(features, Table) else None
        if layout is None or not isinstance(features, Table):
            return Rows(marshal.dumps(_packed(features), WITHOUT_REFERENCES))
        said = len(layout.content), features.height, [_other(features, name) for name in layout.others]
        numbers = features.numbers.take(layout.slots, 0).data
        content = numbers.cast("B") if numbers.nbytes else b""
        return Rows(marshal.dumps(said, WITHOUT_REFERENCES), content, layout.content)

    def _layout(self, table: Table) -> Layout | None:
        """None for a table without numbers."""
        key = id(table.slots), tuple(table.others)
        like: Like = table.slots, table.names, table.declared, table.columns
        known, layout = self._known.get(key, (None, None))
        if not (layout and known and all(map(is_, known[:3], like)) and known[3] == like[3]):
            if len(self._known) >= MOST_FORMS:
                self._known = {}
            layout = _layout(table)
            self._known[key] = like, layout
        return layout if layout.content else None


def _layout(table: Table) -> Layout:
    form = form_of(table)
    files = {name: known.file for name, known in table.names.items() if known.file and name not in table.others}
    names = {name: files[name] for name in form.others if name in files}
    slots = [*form.slots, *(table.slots[name] for name in names)]
    others = tuple(name for name in form.others if name not in names)
    content = pickle.dumps(Sheet(form, names)) if form.slots else b""
    return Layout(np.array(slots, np.intp), others, content)


def _packed(rows: Frame | Packed | None) -> tuple[bytes, int] | None:
    if rows is None:
        return None
    return rows.content if isinstance(rows, Packed) else packed(rows), rows.height


def _instant(at: datetime | None) -> float | str | None:
    """In seconds since 1970, exact to the microsecond; as text, which took 3 us of an answer, in another zone."""
    if at is None:
        return None
    return at.timestamp() if at.tzinfo is UTC else at.isoformat()


def _at(said: float | str | None) -> datetime | None:
    """The instant that was said so."""
    if isinstance(said, float):
        return datetime.fromtimestamp(said, UTC)
    return None if said is None else datetime.fromisoformat(said)


def _said(said: Mapping[str, Any] | bytes) -> bytes:
    return said if isinstance(said, bytes) else written(said).encode()


def _other(table: Table, name: str) -> Any:
    """A text of plain texts, or a list of them; where it is in the snapshot; else Arrow's array, pickled."""
    found = table.others.get(name)
    if isinstance(found, list):
        return _joined(found)
    if isinstance(found, Stored) and is_typed(table, name, found):
        return found.view, found.name, found.places.tobytes()
    return pickle.dumps(array_of(table, name))


def _joined(found: list[str | None]) -> str | list[str | None]:
    """In one: a hundred ids take 3 us so, one by one 15; one that all rows have is there once, such as the task's.

    As they are where one is missing, or holds what is between.
    """
    if found and found[0] is found[-1] and found.count(found[0]) == len(found):
        found = found[:1]
    try:
        joined = BETWEEN.join(found)  # type: ignore[arg-type]
    except TypeError:
        return found
    return joined if joined.count(BETWEEN) == len(found) - 1 else found


class Texts(dict[float, str | None]):
    """Those of a file by their codes, None for NaN. Read once: to take a hundred by Arrow took 25 us, these take 5."""

    def __init__(self, file: Path) -> None:
        self._names = Names.mapped(file)

    def __missing__(self, code: float) -> str | None:
        if math.isnan(code):
            return None
        if len(self) >= MOST_READ:
            self.clear()
        self[code] = self._names.batch[TEXT][int(code)].as_py()
        return self[code]


class Decoder:
    """The scribe's end. online: the folder of the snapshots' versions."""

    def __init__(self, online: Path) -> None:
        self.online = online

    def record(self, content: memoryview) -> Record:
        """The record of a message; holds nothing of its memory. Raises what a snapshot does that cannot be read."""
        facts = marshal.loads(content)  # and what follows is ignored
        after = len(content) - facts["answer"]
        numbers, facts["answer"] = content[:after], bytes(content[after:])
        for name in TIMES:
            facts[name] = _at(facts[name])
        features = facts["features"] = marshal.loads(facts["features"])
        if features is not None:
            is_packed = len(features) == 2
            facts["features"] = Packed(*features) if is_packed else self._packed(numbers, facts["snapshot"], *features)
        return Record(**facts)

    def _packed(self, content: memoryview, version: str, size: int, height: int, others: list[Any]) -> Packed:
        """content: it ends with the numbers and the form, of that size."""
        form, known = _sheet(bytes(content[-size:]))
        count = len(form.slots)
        numbers = _last(content[:-size], (count + len(known), height))
        columns = dict(zip(known, _said_by(known.values(), numbers[count:]), strict=True))
        left = (name for name in form.others if name not in known)
        columns |= {name: self._column(version, each, height) for name, each in zip(left, others, strict=True)}
        return Packed(packed_as(form, numbers[:count], columns), height)

    def _column(self, version: str, sent: Any, height: int) -> Other:
        if isinstance(sent, tuple):
            view, name, places = sent
            stored = _view(self.online / version / f"{view}.arrow")[name]
            return stored.take(pa.array(np.frombuffer(places, np.int64)))
        if isinstance(sent, bytes):
            return pickle.loads(sent)
        found = sent.split(BETWEEN) if isinstance(sent, str) else sent
        return found if len(found) == height else found[0]


def _said_by(known: Iterable[Texts], codes: Floats) -> list[Other]:
    """Columns of texts by their codes, shape (columns, rows); mostly all rows have the same, such as the task's."""
    if not codes.size:
        return [[] for _ in known]
    bits = codes.view(np.int64)
    is_one = (bits == bits[:, :1]).all(1)
    return [
        texts[float(row[0])] if one else [texts[code] for code in row.tolist()]
        for texts, row, one in zip(known, codes, is_one, strict=True)
    ]


def _last(content: memoryview, shape: tuple[int, int]) -> Floats:
    """The numbers at the end of it."""
    size = 8 * shape[0] * shape[1]
    return np.frombuffer(content[len(content) - size :]).reshape(shape)


@lru_cache(MOST_FORMS)
def _sheet(content: bytes) -> tuple[Form, Mapping[str, Texts]]:
    """The form, and by column of codes what they say."""
    sheet: Sheet = pickle.loads(content)
    return sheet.form, {name: _texts(file) for name, file in sheet.names.items()}


@lru_cache(MAPPED)
def _texts(file: Path) -> Texts:
    return Texts(file)


@lru_cache(MAPPED)
def _view(file: Path) -> pa.RecordBatch:
    return mapped_batch(file)
