"""A model product is declared once; its DAG, registry entry, gate, route, drift report and model card derive from it.

Nothing here imports an ML library: trainers import theirs inside fit and load, so that DAGs parse fast.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import polars as pl

from feature_repo.column import Column
from feature_repo.entities import Entity
from feature_repo.table import Frame
from feature_repo.window import Window
from training.contributions import Contributions
from training.route import Outputs, Route
from training.tuning.space import Search


class Facts(Protocol):
    """The rows of a published stream that were known before the as-of date, such as facts("worked_on")."""

    def __call__(self, stream: str, *, first: bool = False) -> pl.LazyFrame:
        """One row per key: the version that was recorded last, or the first one."""


class Model(Protocol):
    """What a trainer returns. Frames, and tables of a request, hold qualified columns, a row per candidate answer.

    explains: the output that contributions add up to, on the scale named by `scale`.
    """

    explains: ClassVar[str]

    @property
    def scale(self) -> str: ...

    def predict(self, frame: Frame) -> Outputs:
        """The outputs of the product in its order, each of shape (rows,): arrays, as a frame of them takes 70 us."""

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to the explained output."""

    def save(self, folder: Path) -> None:
        """Write text and skops files, never a pickle, that load_model reads."""


class Trainer(Protocol):
    """Settings of a learner. fit imports its library, uses validation rows only for stopping and calibration."""

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> Model:
        """Raises DataError where there are too few rows to learn from."""


@dataclass(frozen=True)
class Label:
    """Who, what, when, and how it ended.

    rows: (facts, window) -> the spine: entity keys, event_timestamp in window, `group` (rows that compete, such as the
    candidates for one task), and the label columns. Only outcomes that the facts hold have a row. A column `cluster`
    says which rows depend on each other, where that is not the group.
    """

    name: str
    rows: Callable[[Facts, Window], pl.DataFrame]


@dataclass(frozen=True)
class TimeSplit:
    """The last `test` before the as-of date is unseen, `validation` lies before it, training takes the rest."""

    validation: timedelta
    test: timedelta
    history: timedelta


@dataclass(frozen=True)
class Metric:
    """A quality measure.

    values: (labels and predictions) -> one value per unit (a group or a row), so that differences can be paired.
    total: units' values to one number, where that is not the mean.
    """

    name: str
    values: Callable[[pl.DataFrame], np.ndarray]
    higher_is_better: bool = True
    total: Callable[[pl.DataFrame], float] | None = None


@dataclass(frozen=True)
class Baseline:
    """A rule that answers in the product's schema from columns alone; also serves when no model can."""

    name: str
    columns: tuple[Column, ...]
    predict: Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Slice:
    """A part of the rows that must not get worse: where takes the labelled frame and gives a boolean mask."""

    name: str
    where: Callable[[pl.DataFrame], pl.Series]
    floor: float = -0.10
    """The largest relative loss of the gate's metric against the champion that is allowed, such as -0.10."""


@dataclass(frozen=True)
class Gate:
    """Promote only on a measurable improvement of the metric (REQUIREMENTS 4)."""

    metric: str
    beats: str
    improvement: float = 0.02
    confidence: float = 0.95
    minimum_units: int = 50


@dataclass(frozen=True)
class Drift:
    """Drift is reported when more than `share` of the columns drift."""

    share: float = 0.3


@dataclass(frozen=True)
class Product:
    """One model product. See training/products for the declarations."""

    name: str
    title: str
    entities: tuple[Entity, ...]
    columns: tuple[Column, ...]
    label: Label
    outputs: tuple[str, ...]
    split: TimeSplit
    trainer: Trainer
    metrics: tuple[Metric, ...]
    baselines: tuple[Baseline, ...]
    fallback: str
    gate: Gate
    routes: tuple[Route, ...]
    """The first one is the product's own; the others ask the same model in other ways."""
    due: Callable[[Facts, datetime], pl.DataFrame] | None = None
    """What a batch score answers as of a date: a spine with keys, event_timestamp and `group`; None for no batch."""
    greatest_score: float = 1.0
    """Scores lie between 0 and this."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Of the outputs that have one, such as h."""
    slices: tuple[Slice, ...] = ()
    drift: Drift = field(default_factory=Drift)
    schedule: str = "0 2 * * 1"
    minimum_rows: int = 500
    search: Search | None = None
    """What `talentml search` may try of the trainer; None: nothing."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Facts for people; `question` is what it answers, and `audience` who asks."""
    limits: str = ""
    """Where it fails, in words: what the numbers on its page cannot say."""

    @property
    def route(self) -> Route:
        """The product's own route."""
        return self.routes[0]

    @property
    def about(self) -> str:
        """What it answers, and to whom, as sentences; nothing where its tags do not say."""
        if not {"question", "audience"} <= self.tags.keys():
            return ""
        return f"{self.tags['question'].capitalize()}. Asked by {self.tags['audience']}."

    @cached_property
    def rule(self) -> Baseline:
        """The baseline that answers where no model can."""
        return next(baseline for baseline in self.baselines if baseline.name == self.fallback)

    @cached_property
    def asked_columns(self) -> tuple[Column, ...]:
        """What a request reads: the model's columns, those of the rule, and what the routes look at beside them."""
        beside = (column for route in self.routes for column in route.reads)
        return tuple({each.qualified: each for each in (*self.columns, *self.rule.columns, *beside)}.values())

    @cached_property
    def declared(self) -> Mapping[str, Column]:
        """The columns by qualified name."""
        return {column.qualified: column for column in self.columns}

    @property
    def is_ranking(self) -> bool:
        """Whether items are ranked by the first output; else measures are estimated."""
        return self.route.items is not None
