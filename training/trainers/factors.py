"""Collaborative filtering: people against what makes tasks alike, factorised.

A new task has no history of its own. So what is factorised is people against attributes of tasks (its project, its
raiser, ...), and a task's vector is the mean of its attributes' vectors.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.kernels import kernels
from feature_repo.table import Frame, Table, coded
from training.trainers.layouts import Wired

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.str_]
CONFIDENCE = 10.0  # of an observed count, before the logarithm
FADE_DAYS = 90.0
REGULARIZATION = 0.1
PERSON = "person_id"


@dataclass(frozen=True)
class Codes:
    """Where the codes of people and attributes are in a matrix, and what they stand for: see standing.affinity."""

    slots: Ints
    first: Ints
    places: Ints

    @staticmethod
    def of(slots: Sequence[int], places: Sequence[Sequence[float]]) -> "Codes":
        """places: of each slot what its codes stand for, in order, and what a missing one does."""
        first = np.append(0, np.cumsum([len(each) for each in places]))
        return Codes(np.array(slots, np.int64), first, np.concatenate(places).astype(np.int64))


@dataclass(frozen=True)
class Factors:
    """columns: those that hold a task's attributes. people, attributes: names in order, each with a vector."""

    columns: tuple[str, ...]
    people: Texts
    attributes: Texts
    people_vectors: Floats
    attribute_vectors: Floats

    @staticmethod
    def fit(done: pl.DataFrame, columns: Sequence[str], factors: int, seed: int) -> "Factors":
        """Alternating least squares on who did what; recent tasks count more.

        done: person_id, event_timestamp and the attribute columns, one row per person and task.
        Raises DataError where no row has an attribute.
        Source: Hu, Koren & Volinsky 2008, by `implicit`.
        """
        from implicit.als import AlternatingLeastSquares
        from scipy.sparse import csr_matrix
        from threadpoolctl import threadpool_limits

        age = (pl.col("event_timestamp").max() - pl.col("event_timestamp")).dt.total_days()
        weighed = _attributes(done.with_columns(weight=(-age / FADE_DAYS).exp()), columns)
        counts = weighed.group_by("person_id", "attribute").agg(pl.col("weight").sum()).sort("person_id", "attribute")
        if not counts.height:
            raise DataError(f"factors: no task has a value in any of {', '.join(columns)}, allowed: at least one")
        people, rows = np.unique(counts["person_id"].to_numpy().astype(str), return_inverse=True)
        attributes, places = np.unique(counts["attribute"].to_numpy().astype(str), return_inverse=True)
        confidence = np.log1p(CONFIDENCE * counts["weight"].to_numpy())
        # implicit parallelises by itself; threads of BLAS below it slow it down tenfold
        with threadpool_limits(1, "blas"), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            model = AlternatingLeastSquares(
                factors, regularization=REGULARIZATION, random_state=seed, num_threads=1, dtype=np.float64
            )
            model.fit(csr_matrix((confidence, (rows, places))), show_progress=False)
        vectors = (np.asarray(each, np.float64) for each in (model.user_factors, model.item_factors))
        return Factors(tuple(columns), people, attributes, *vectors)

    def affinity(self, frame: Frame) -> Floats:
        """How much a person is drawn to a task, shape (rows,); NaN where either has no evidence."""
        found: Floats = kernels("training.trainers.standing").affinity(*self.evidence(frame))
        return found

    def evidence(self, frame: Frame) -> tuple[Floats, Ints, Ints, Ints, Floats, Floats]:
        """What standing.affinity takes: where codes of people and attributes are, what they stand for, and the vectors.

        A table's own codes where all texts have one.
        """
        codes = self._codes.of(frame) if isinstance(frame, Table) else None
        if isinstance(frame, Table) and codes is not None and self._are_coded(frame):
            numbers = np.ascontiguousarray(frame.numbers)
        else:
            codes = self._places
            numbers = np.array([coded(frame, name, self._values[name]) for name in self._names])
        return numbers, codes.slots, codes.first, codes.places, self.people_vectors, self._padded

    def _are_coded(self, table: Table) -> bool:
        """Whether no text that is there itself, as a request gives it, is without a code."""
        doubtful = [name for name in table.others if name in self._values and name not in table.named]
        return not any(np.count_nonzero(np.isnan(table.numbers[table.slots[name]])) for name in doubtful)

    @cached_property
    def _codes(self) -> "Wired[Codes | None]":
        """Of a table; None where a column has none."""
        return Wired(self._found)

    def _found(self, table: Table) -> "Codes | None":
        if not all(name in table.names for name in self._names):
            return None
        places = []
        for name, nothing in zip(self._names, self._sizes, strict=True):
            known = self._values[name]
            places.append([*(known.get(text, nothing) for text in table.names[name].texts.to_list()), nothing])
        return Codes.of([table.slots[name] for name in self._names], places)

    @cached_property
    def _places(self) -> "Codes":
        """Of codes that are places already."""
        return Codes.of(range(len(self._sizes)), [range(size + 1) for size in self._sizes])

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """How many people there are, and for each column how many attributes: the place of one that is unknown."""
        return len(self.people), *[len(self.attributes)] * len(self.columns)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return PERSON, *self.columns

    @cached_property
    def _values(self) -> Mapping[str, Mapping[str, float]]:
        """By column its values, with the place of the person or attribute."""
        values: dict[str, dict[str, float]] = {column: {} for column in self.columns}
        for place, attribute in enumerate(self.attributes.tolist()):
            column, _, value = attribute.partition("=")
            values[column][value] = float(place)
        return {PERSON: {name: float(place) for place, name in enumerate(self.people.tolist())}, **values}

    @cached_property
    def _padded(self) -> Floats:
        """The attributes' vectors, and a last one of nothing."""
        return np.concatenate([self.attribute_vectors, np.zeros((1, self.attribute_vectors.shape[1]))])

    def save(self, folder: Path) -> None:
        """Write factors.npz and factors.json."""
        (folder / "factors.json").write_text(json.dumps({"columns": self.columns}))
        arrays = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "columns"}
        np.savez(folder / "factors.npz", **arrays)

    @staticmethod
    def load(folder: Path) -> "Factors":
        """Read what save wrote."""
        columns = tuple(json.loads((folder / "factors.json").read_text())["columns"])
        with np.load(folder / "factors.npz", allow_pickle=False) as arrays:
            return Factors(columns, **{name: arrays[name] for name in arrays.files})


def _attribute(column: str) -> pl.Expr:
    """The attribute's name, such as task__project_id=PC2; null stays null."""
    return pl.concat_str(pl.lit(column), pl.col(column).cast(pl.String), separator="=").alias("attribute")


def _attributes(done: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    parts = [done.select("person_id", "weight", _attribute(column)) for column in columns]
    return pl.concat(parts).drop_nulls("attribute")
