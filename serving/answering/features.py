"""What is read for a request: the features of the rows that it asks about, from the published snapshot."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column, View
from feature_repo.entities import Entity
from feature_repo.online import OnlineSnapshot
from feature_repo.reader import Spine
from feature_repo.table import Table, tabled
from feature_repo.views import polars_type
from monitoring.prediction_log import GIVEN
from serving.answering.published import Published, opened
from serving.limits import LIMITS
from serving.schemas.requests import noun
from serving.telemetry.redaction import described
from training.product import Product
from training.route import Ids, Route

LOG = logging.getLogger("talentml.serving")
Mask = NDArray[np.bool_]
MOST_HEIGHTS = 256


@dataclass(frozen=True)
class Asked:
    """What a question is about, a row per answer to give, in the order of the question.

    ids: by key of the route, one a row. given: for rows about something that is not stored, its columns by plain name;
    None for the others. subject: the keys that all rows share, of a ranking. inputs: options that the model reads.
    """

    route: Route
    ids: Mapping[str, list[str | None]]
    given: Sequence[Mapping[str, Any] | None]
    subject: Ids
    inputs: Mapping[str, float] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return len(self.given)

    @cached_property
    def is_stored(self) -> bool:
        """Whether no row is about something that is given by its columns."""
        return self.given.count(None) == len(self.given)

    @property
    def spine(self) -> Spine:
        """The ids and the inputs, as columns."""
        if not self.inputs:
            return self.ids
        inputs = {name: pl.Series(name, np.full(self.height, value)) for name, value in self.inputs.items()}
        return {**self.ids, **inputs}

    @property
    def spine_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.spine, schema_overrides=dict.fromkeys(self.ids, pl.String))


@dataclass(frozen=True)
class Read:
    """What was read for a request. snapshot: None where the features could not be read; they are null then.

    known: the rows whose entities are all in the store, shape (rows,). unknown: which kind of thing none of them is.
    """

    asked: Asked
    features: Table
    known: Mask
    snapshot: OnlineSnapshot | None
    unknown: str = ""
    is_stale: bool = False


class Features:
    """Reads the published snapshot, and reopens when a new one is published.

    rehearse: does with a snapshot what requests will do, and never fails.
    """

    def __init__(
        self, home: Path, products: Iterable[Product], rehearse: Callable[[Published], None] = lambda _: None
    ) -> None:
        self.home, self.products, self._rehearse = home, tuple(products), rehearse
        self.current: Published | None = None
        self.error: str | None = "not opened yet"
        self._slow: Callable[[], Read] | None = None

    def read(self, published: Published | None, asked: Asked, columns: Sequence[Column]) -> Read:
        """As read_for; but while the store is slow it is left alone, as if it could not be read."""
        if self._slow:
            return unread(published, asked, columns)
        begun = time.perf_counter()
        found = read_for(published, asked, columns)
        if time.perf_counter() - begun > LIMITS.read_seconds:
            LOG.warning("reading the online features takes more than %s s", LIMITS.read_seconds)
            self._slow = partial(read_for, published, asked, columns)
        return found

    def _try_again(self) -> None:
        """Read again what was slow."""
        slow, begun = self._slow, time.perf_counter()
        if slow and slow().snapshot and time.perf_counter() - begun <= LIMITS.read_seconds:
            self._slow = None

    def refresh(self) -> bool:
        """Open what is published now; whether that was anything new. On a failure the open one stays."""
        self._try_again()
        try:
            if self.current and self.current.snapshot.is_current():
                self.error = None  # what could not be opened is no longer what is published
                return False
            found = opened(self.home, self.products)
            self.current = self.current or found  # the first is taken up at once: until then only rules answer
            self._rehearse(found)
            self.current, self.error, self._slow = found, None, None  # slow was another one, or that there was none
        except Exception as error:
            if self.error != (said := described(error)):  # once, not twice a second
                LOG.error("the online store cannot be opened: %s", said, exc_info=error)
            self.error = said
            return False
        return True


def read_for(published: Published | None, asked: Asked, columns: Sequence[Column]) -> Read:
    """The features of the asked rows. Where they cannot be read, the columns that were not given are null."""
    if published is None:
        return unread(published, asked, columns)
    if not asked.height:
        known, unknown = _known(published, asked)
        return Read(asked, _nulls(asked, columns), known, published.snapshot, unknown)
    try:
        rows = features(published, asked, columns)
        known, unknown = _known(published, asked, rows)
        return Read(asked, rows, known, published.snapshot, unknown, published.is_stale)
    except Exception:
        LOG.exception("the online features cannot be read")
        return unread(published, asked, columns)


def unread(published: Published | None, asked: Asked, columns: Sequence[Column]) -> Read:
    """Nulls for what was not given; who is known is known all the same."""
    known, unknown = (all_known(asked.height), "") if published is None else _known(published, asked)
    return Read(asked, _nulls(asked, columns), known, None, unknown)


@lru_cache(MOST_HEIGHTS)
def all_known(rows: int) -> Mask:
    """A row each, for all questions: to make it takes 1 us, and where nothing is warm 8."""
    known = np.ones(rows, np.bool_)
    known.setflags(write=False)
    return known


def _known(published: Published, asked: Asked, rows: Table | None = None) -> tuple[Mask, str]:
    """Which rows are about things that are all known, or given; and which kind of thing none of them is."""
    route, unknown, known = asked.route, "", all_known(asked.height)
    for entity in (*route.subject, *((route.items,) if route.items else ())):
        if rows is not None and _are_named(published, entity, rows):
            continue
        names, listed = _names(asked, entity), published.known.get(entity)
        if listed is None or listed.issuperset(names):
            continue
        found = np.array([name is None or name in listed or is_given(asked, entity, n) for n, name in enumerate(names)])
        unknown = unknown or ("" if found.any() else noun(entity))
        known = known & found
    return known, unknown


def _are_named(published: Published, entity: Entity, rows: Table) -> bool:
    """Whether all are known as they were found when their features were read: to look 100 up again takes 15 us."""
    return entity in published.named and entity.key in rows.named


def _names(asked: Asked, entity: Entity) -> Sequence[str | None]:
    """The entity's id in each row; one where all rows share it, or there is none."""
    is_shared = entity.key in asked.subject or not asked.height
    return [asked.subject.get(entity.key)] if is_shared else asked.ids[entity.key]


def is_given(asked: Asked, entity: Entity, row: int) -> bool:
    """Whether the request gives the entity of this row by its columns."""
    is_last = bool(asked.route.subject) and entity == asked.route.subject[-1]
    return is_last and row < len(asked.given) and asked.given[row] is not None


def features(published: Published, asked: Asked, columns: Sequence[Column]) -> Table:
    """The keys and a column per qualified name, as the model was trained on, in the order of the question."""
    if asked.is_stored:
        return published.table(asked.spine, asked.height, columns)
    new = [place for place, given in enumerate(asked.given) if given is not None]
    things = [asked.given[place] for place in new]
    same = things[:1] if all(thing is things[0] for thing in things) else things  # one task for all candidates
    given = _given(_view(asked), same)
    if len(new) == asked.height:
        return published.table(asked.spine, asked.height, columns, given)
    stored = [place for place, given in enumerate(asked.given) if given is None]
    spine = asked.spine_frame
    together = pl.concat([published.read(spine[new], columns, given), published.read(spine[stored], columns)])
    order = sorted(range(asked.height), key=(new + stored).__getitem__)
    return tabled(together[order], columns)


def _view(asked: Asked) -> View:
    assert asked.route.given is not None, f"{asked.route.path} takes nothing that is not stored"
    return asked.route.given


def _given(view: View, rows: Sequence[Mapping[str, Any] | None]) -> pl.DataFrame:
    """The columns of given things, by qualified name; what one leaves out is null."""
    values = {column.qualified: [(row or {}).get(column.name) for row in rows] for column in view.columns}
    return pl.DataFrame(values, schema={column.qualified: polars_type(column) for column in view.columns})


def loggable(asked: Asked, rows: Table) -> Table:
    """The features with what was given of things that are not stored, so that a replay can be given it too."""
    if asked.is_stored:
        return rows
    given = _given(_view(asked), asked.given).select(pl.all().name.prefix(GIVEN)).to_dict()
    return replace(rows, columns=[*rows.columns, *given], others={**rows.others, **given})


def _nulls(asked: Asked, columns: Sequence[Column]) -> Table:
    """Every column null but those given: what a rule sees where there is no snapshot."""
    declared = {column.qualified: column for column in columns}
    given = _given(_view(asked), asked.given) if asked.route.given else pl.DataFrame()
    nulls = {name: pl.Series([None] * asked.height, dtype=polars_type(column)) for name, column in declared.items()}
    values = nulls | {name: given[name] for name in given.columns if name in declared}
    return tabled(pl.DataFrame({**asked.spine_frame.to_dict(), **values}), columns)
