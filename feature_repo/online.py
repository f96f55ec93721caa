"""The online copy, mapped into memory: what packing.py wrote. How it is read: reader.py.

No Feast, no server: bench/online.py has them side by side.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from feature_repo.derived import functions
from feature_repo.errors import DataError
from feature_repo.index import mapped_batch
from feature_repo.lists import Opened
from feature_repo.names import Names
from feature_repo.packing import CODES, NUMBERS, SNAPSHOT, Floats, Ints, names_file
from feature_repo.versions import current
from feature_repo.window import last_before

LOG = logging.getLogger("talentml.features")
SLOW = "another release computed its derived columns, so each request does so anew"


@dataclass(frozen=True)
class PackedView:
    """Where a view's rows are. first_code, first_number: in the snapshot's codes and numbers.

    columns: those that are numbers, by qualified names and in order, and what is derived from them. others: lists and
    times, a row per entity and one of nulls.
    """

    rows: int
    first_code: int
    first_number: int
    columns: tuple[str, ...]
    others: pa.RecordBatch

    @cached_property
    def opened(self) -> Mapping[str, Opened]:
        """The others, each opened once for all who read it."""
        return {name: Opened(self.others[name]) for name in self.others.schema.names}


@dataclass(frozen=True)
class OnlineSnapshot:
    """One published version of the online copy. It stays readable, and the same, when a newer one is published.

    codes, numbers: of all views, see packing.py. names: of keys, and of columns of texts. functions: what computed the
    derived columns.
    """

    folder: Path
    version: str
    as_of: datetime
    offline_version: str
    functions: str
    codes: Ints
    numbers: Floats
    names: Mapping[str, Names]
    views: Mapping[str, PackedView]
    readers: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Plans made ready for this version, kept by reader.py."""

    @classmethod
    def open(cls, home: Path) -> "OnlineSnapshot":
        """The current version under a home. Raises DataError when nothing is published."""
        folder = current(home / "online")
        facts = json.loads((folder / SNAPSHOT).read_text())
        found = cls(
            folder=folder,
            version=folder.name,
            as_of=datetime.fromisoformat(facts["as_of"]),
            offline_version=facts["offline"],
            functions=facts.get("functions", ""),
            codes=np.asarray(np.load(folder / CODES, "r")),
            numbers=_numbers(folder),
            names={name: Names.mapped(names_file(folder, name)) for name in facts["names"]},
            views=_views(folder, facts["rows"], facts["columns"]),
        )
        if not found.is_of_this_release:
            LOG.warning("online version %s: %s, run `talentml materialize`", found.version, SLOW)
        return found

    @property
    def is_of_this_release(self) -> bool:
        """Whether the derived columns are what this release would compute; if not, it does so for each question."""
        return self.functions == functions()

    @property
    def at(self) -> datetime:
        """The instant at which the values stand: the last one before as_of."""
        return last_before(self.as_of)

    def is_current(self) -> bool:
        """Whether no other version has been published since."""
        return current(self.folder.parent) == self.folder

    def view(self, name: str) -> PackedView:
        """Where the rows of a view are. Raises DataError when the published version lacks it."""
        if name not in self.views:
            raise DataError(f"view {name}: not in online version {self.version}, run `talentml materialize`")
        return self.views[name]


def _numbers(folder: Path) -> Floats:
    """Raises DataError for a version that an earlier release packed, row after row."""
    if not (folder / NUMBERS).exists():
        raise DataError(f"{folder / NUMBERS}: not in online version {folder.name}, run `talentml materialize`")
    return np.asarray(np.load(folder / NUMBERS, "r"))


def _views(folder: Path, rows: Mapping[str, int], columns: Mapping[str, list[str]]) -> dict[str, PackedView]:
    first_codes = accumulate(rows.values(), initial=0)
    first_numbers = accumulate(((count + 1) * len(columns[name]) for name, count in rows.items()), initial=0)
    firsts = zip(rows.items(), first_codes, first_numbers, strict=False)
    return {
        name: PackedView(count, code, number, tuple(columns[name]), mapped_batch(folder / f"{name}.arrow"))
        for (name, count), code, number in firsts
    }
