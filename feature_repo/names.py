"""Texts known by a number, such as the ids of people, sorted by their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.index import mapped_batch, write_batch
from feature_repo.kernels import kernels
from feature_repo.lists import matching
from feature_repo.recording import SAME_TEXT, noted

Floats = NDArray[np.float64]
TEXT, KEY, CODE = "text", "key", "code"
BETWEEN = "\0"  # texts: no key holds it


@dataclass(frozen=True)
class Names:
    """Distinct texts; a text's code is its place.

    batch: TEXT; and KEY, where they are looked for: their bytes, all of one width, zeros after them. file: where it is
    mapped from, so that another process can map it too.
    """

    batch: pa.RecordBatch
    file: Path | None = field(default=None, compare=False)
    _known: dict[int, tuple[Any, Floats]] = field(default_factory=dict, compare=False, repr=False)
    """By the id of what they are translated into: that, and what each code stands for there."""

    @staticmethod
    def of(texts: pl.Series) -> "Names":
        """The distinct ones of some texts."""
        known = texts.drop_nulls().unique().sort()
        return Names(pa.RecordBatch.from_arrays([known.to_arrow().cast(pa.large_string())], [TEXT]))

    @staticmethod
    def keys(texts: pl.Series) -> "Names":
        """As of, to be looked for. Raises DataError where one holds a zero itself."""
        plain = Names.of(texts)
        if plain.texts.str.contains("\0", literal=True).any():
            raise DataError(f"{texts.name}: a key holds a NUL character")
        encoded = [text.encode() for text in plain.texts.to_list()]
        width = max(map(len, encoded), default=0) or 1
        bytes_ = pa.array([key.ljust(width, b"\0") for key in encoded], pa.binary(width))
        return Names(plain.batch.append_column(KEY, bytes_))

    @staticmethod
    def mapped(path: Path) -> "Names":
        """The names that `write` wrote, mapped into memory."""
        return Names(mapped_batch(path), path)

    def write(self, path: Path) -> None:
        """Write them into a file."""
        write_batch(path, self.batch)

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    @cached_property
    def texts(self) -> pl.Series:
        return pl.Series(values=self.batch[TEXT])

    @cached_property
    def _searched(self) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """What find looks in: a table of hashes, and the keys' bytes."""
        column = self.batch[KEY]
        width = column.type.byte_width
        whole = np.frombuffer(column.buffers()[1] or b"", np.uint8)
        keys = whole[width * column.offset :][: width * len(self)].reshape(len(self), width)
        keys.setflags(write=False)  # as those that are mapped: kernels are compiled for one kind only
        return kernels("feature_repo.finding").tabled(keys), keys

    def codes(self, texts: pl.Series) -> Floats:
        """The code of each text, NaN for null; for many, all of them known."""
        known = self.texts.to_frame(TEXT).with_row_index(CODE)
        found: Floats = (
            texts.to_frame(TEXT).join(known, TEXT, "left", maintain_order="left")[CODE].cast(float).to_numpy()
        )
        return found

    def find(self, wanted: Sequence[str | None]) -> Floats:
        """The code of each text, NaN where it is none of these."""
        return self.found(wanted)[0]

    def found(self, wanted: Sequence[str | None]) -> tuple[Floats, bool]:
        """As find, and whether each is one of these; all may be the same, such as the task of a ranking."""
        if len(wanted) > 1 and wanted[0] == wanted[-1] and wanted.count(wanted[0]) == len(wanted):
            one, is_there = self.found(wanted[:1])
            return one.repeat(len(wanted)), is_there
        codes, (table, keys) = np.empty(len(wanted)), self._searched
        return codes, kernels("feature_repo.finding").find(_joined(wanted, keys.shape[1]), table, keys, codes)

    def translated(self, codes: Floats, others: Mapping[str, float]) -> Floats:
        """What the texts of codes stand for elsewhere, NaN where they stand for nothing.

        Found for all texts once, and kept as long as these names are: others may not be changed.
        """
        if id(others) not in self._known:
            values = [others.get(text, np.nan) for text in self.texts.to_list()]
            self._known[id(others)] = others, np.array([*values, np.nan], np.float64)
        return self._of(codes, others)

    def recoded(self, others: "Names") -> Floats:
        """The code of each text among other names, NaN where it is not there; found once, as for translated."""
        if id(others) not in self._known:
            self._known[id(others)] = others, np.append(others.codes(self.texts), np.nan)
        return self._known[id(others)][1]

    def _of(self, codes: Floats, others: object) -> Floats:
        return self._known[id(others)][1][np.fmin(codes, len(self)).astype(np.intp)]

    def series(self, codes: Floats) -> pl.Series:
        """The texts of codes, null for NaN."""
        if len(codes) > 1 and codes[0] == codes[-1] and (codes == codes[0]).all():
            return self._gathered(codes[:1]).new_from_index(0, len(codes))
        return self._gathered(codes)

    def _gathered(self, codes: Floats) -> pl.Series:
        # not gather of a series, which takes 60 us, whatever its length
        return pl.Series(values=self.arrow(codes))

    def arrow(self, codes: Floats) -> pa.Array:
        """As series."""
        is_missing = np.isnan(codes)
        places = pa.array(np.where(is_missing, 0, codes).astype(np.int64), mask=is_missing)
        return self.batch[TEXT].take(places)


def _joined(wanted: Sequence[str | None], width: int) -> NDArray[np.uint8]:
    """Texts as bytes, one after the other; half a pair of surrogates is in no name, but in what may be asked."""
    try:
        joined = BETWEEN.join(wanted).encode(errors="surrogatepass")  # type: ignore[arg-type]
    except TypeError:
        joined = None
    if joined is None or joined.count(0) != len(wanted) - 1:
        nobody = "-" * (width + 1)  # longer than any key
        able = [nobody if text is None or BETWEEN in text else text for text in wanted]
        joined = BETWEEN.join(able).encode(errors="surrogatepass")
    return np.frombuffer(joined, np.uint8)


@dataclass(frozen=True, eq=False)
class Coded:
    """Texts by their codes, NaN where one is missing."""

    codes: Floats
    names: Names

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def series(self) -> pl.Series:
        return self.names.series(self.codes)


Texts: TypeAlias = pl.Series | Coded
"""What a pair function reads of a column of texts whose parameter it declares as this, and not as a series."""


@noted(SAME_TEXT)
def are_equal(left: Texts, right: Texts) -> Floats:
    """1 where both are the same text, 0 where they differ, NaN where one is missing."""
    if isinstance(left, Coded) and isinstance(right, Coded):
        equal = np.empty(len(left.codes))
        matching().equal(left.codes, left.names.recoded(right.names), right.codes, equal)
        return equal
    one, other = (side.series if isinstance(side, Coded) else side for side in (left, right))
    found: Floats = (one == other).cast(pl.Float64).to_numpy()
    return found
