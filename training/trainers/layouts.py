"""What a model finds once for all tables that lie alike: those of one form of question to one snapshot."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from feature_repo.table import Table

Found = TypeVar("Found")
MOST = 64  # layouts: tables that are made from frames have each one of their own


class Wired(Generic[Found]):
    """Finds something for the layout of a table when it first meets it, and keeps it."""

    def __init__(self, find: Callable[[Table], Found]) -> None:
        self._find = find
        self._kept: dict[int, tuple[Mapping[str, Any], Found]] = {}

    def of(self, table: Table) -> Found:
        """What was found for tables with these slots. They are kept with it, so that no others get their id."""
        kept = self._kept.get(id(table.slots))
        if kept is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            kept = self._kept[id(table.slots)] = table.slots, self._find(table)
        return kept[1]
