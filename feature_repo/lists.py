"""Lists as kernels read them: a column of Arrow's opened as numpy arrays, and which of its rows are meant.

To cut 100 rows out of a column takes Arrow 25 us, and to open what was cut out as long again. A column of a snapshot is
opened once, for all questions, and a question brings places only.
"""

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from feature_repo.kernels import kernels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


matching = partial(kernels, "feature_repo.features.matching")
"""The kernels over lists."""


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    """Not to be written into, whether it is Arrow's or ours: kernels are compiled for one kind only."""
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Opened:
    """A column of lists, and what is found of it when it is first asked for."""

    column: pa.Array
    _among: dict[frozenset[str], Mask] = field(default_factory=dict, repr=False)
    _joined: dict[tuple[int, ...], tuple["Joined", Any]] = field(default_factory=dict, repr=False)
    """By the ids of columns that begin with this one: these as one, and the others, so that no other gets their ids."""

    @property
    def has_names(self) -> bool:
        """Whether the lists are of texts."""
        kind = self.column.type.value_type
        return any(is_one(kind) for is_one in (pa.types.is_large_string, pa.types.is_string, pa.types.is_string_view))

    @cached_property
    def spans(self) -> Ints:
        """Where each list's entries begin and end among all, shape (lists, 2); a missing list has none."""
        offsets = self.column.offsets.to_numpy()
        spans = np.stack([offsets[:-1], offsets[1:]], axis=1).astype(np.int64, copy=False)
        if self.column.null_count:
            spans[~self.is_there, 1] = spans[~self.is_there, 0]
        return _fixed(spans)

    @cached_property
    def is_there(self) -> Mask:
        """Whether each list is not missing."""
        return _fixed(self.column.is_valid().to_numpy(zero_copy_only=False))

    @cached_property
    def amounts(self) -> Floats:
        """All entries of lists of numbers, NaN where one is missing."""
        return _fixed(self.column.values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False))

    @cached_property
    def names(self) -> pa.Array:
        """All entries of lists of texts."""
        names = self.column.values
        return names if pa.types.is_large_string(names.type) else names.cast(pa.large_string())

    @cached_property
    def text(self) -> Bytes:
        """The bytes of all names."""
        content = self.names.buffers()[2]
        return _fixed(np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, "u1"))

    @cached_property
    def text_starts(self) -> Ints:
        """Where each name's bytes begin, and the end of the last."""
        names, count = self.names, len(self.names)
        if not count:
            return _fixed(np.zeros(1, np.int64))
        return _fixed(np.frombuffer(names.buffers()[1], np.int64)[names.offset : names.offset + count + 1])

    @cached_property
    def marks(self) -> Ints:
        """Of each name a number that tells it from most others: matching.mark."""
        is_name = _fixed(self.names.is_valid().to_numpy(zero_copy_only=False))
        found = np.empty(len(is_name), np.int64)
        matching().mark(self.text_starts, self.text, is_name, found)
        return _fixed(found)

    def among(self, some: frozenset[str]) -> Mask:
        """Of each name whether it is one of some."""
        if some not in self._among:
            values = pa.array(sorted(some), self.names.type)
            self._among[some] = pc.is_in(self.names, value_set=values).to_numpy(zero_copy_only=False)
        return self._among[some]


@dataclass(frozen=True, eq=False)
class Joined:
    """Several columns of lists as one, so that one kernel reads any of them.

    first: where each column's spans begin. spans: as of Opened. entries: numbers; and for names codes, the same for the
    same name in all columns, NaN where one is missing.
    """

    first: tuple[int, ...]
    spans: Ints
    entries: Floats


def joined(*columns: Opened) -> Joined:
    """Columns as one; found once for the same columns, and kept with the first."""
    kept, ids = columns[0]._joined, tuple(map(id, columns))
    if ids not in kept:
        kept[ids] = _joined(columns), columns[1:]
    return kept[ids][0]


def _joined(columns: tuple[Opened, ...]) -> Joined:
    named = dict.fromkeys(each for each in columns if each.has_names)
    codes = pa.concat_arrays([each.names for each in named] or [pa.array([], pa.large_string())]).dictionary_encode()
    of_names = np.asarray(codes.indices.to_numpy(zero_copy_only=False), np.float64)
    by_column = dict(zip(named, np.split(of_names, np.cumsum([len(each.names) for each in named])), strict=False))
    entries = [by_column[each] if each in named else each.amounts for each in columns]
    before = np.cumsum([0, *map(len, entries)])
    spans = [each.spans + shift for each, shift in zip(columns, before, strict=False)]
    first = np.cumsum([0, *map(len, spans[:-1])]).tolist()
    return Joined(tuple(first), np.concatenate(spans), np.concatenate(entries))


@dataclass(frozen=True, eq=False)
class OpenLists:
    """Lists, one for each row: by their places in a column."""

    opened: Opened
    places: Ints

    @staticmethod
    def of(lists: pl.Series | pa.Array) -> "OpenLists":
        """All lists of a column, in order."""
        array = lists.to_arrow() if isinstance(lists, pl.Series) else lists
        return OpenLists(Opened(array), np.arange(len(array)))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def array(self) -> pa.Array:
        """Cut out."""
        return self.opened.column.take(pa.array(self.places))

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """What polars and Arrow make an array of: pl.Series(values=lists)."""
        found: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return found

    @cached_property
    def first(self) -> "OpenLists":
        """The first row's."""
        return OpenLists(self.opened, self.places[:1])

    @cached_property
    def _laid(self) -> tuple[Ints, Floats, bool]:
        starts, sizes = np.empty(len(self) + 1, np.int64), np.empty(len(self))
        return starts, sizes, matching().lay(self.opened.spans, self.places, starts, sizes)

    @property
    def starts(self) -> Ints:
        """Where each row's entries begin when one row's stand after the other's, and the end of the last."""
        return self._laid[0]

    @property
    def sizes(self) -> Floats:
        """How many entries each has, 0 where there is no list."""
        return self._laid[1]

    @property
    def is_full(self) -> bool:
        """Whether none is empty."""
        return self._laid[2]

    @cached_property
    def rows(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @cached_property
    def entries(self) -> Ints:
        """The place of each entry among all of the column."""
        found = np.empty(self.starts[-1], np.int64)
        matching().entries(self.opened.spans, self.places, found)
        return found

    @cached_property
    def amounts(self) -> Floats:
        """The entries of lists of numbers, one row's after the other's; NaN where one is missing."""
        found = np.empty(self.starts[-1])
        matching().gather(self.opened.spans, self.places, self.opened.amounts, found)
        return found

    def vectors(self, wanted: Mask) -> Floats:
        """The lists of wanted rows, all of one length and none missing, shape (rows, length); read only."""
        begins, ends = self.opened.spans[self.places[wanted]].T
        width = ends[0] - begins[0]
        if (begins == begins[0]).all():
            return np.broadcast_to(self.opened.amounts[begins[0] : ends[0]], (len(begins), width))
        if (np.diff(begins) == width).all():
            return self.opened.amounts[begins[0] : ends[-1]].reshape(-1, width)
        found: Floats = np.lib.stride_tricks.sliding_window_view(self.opened.amounts, width)[begins]
        return found
