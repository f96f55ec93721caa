"""What people say of themselves as marks: one column of zeros and ones per thing said, named so that it can be read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
MISSING = "(no answer)"
RARE = 20  # a mark that fewer people bear is left out
RARE_PAIR = 150  # ... and for two marks together: 429 pairs of technologies remain in the survey
BINS = 10


@dataclass(frozen=True)
class Inputs:
    """Names of columns. lists: of texts (skills, interests). texts: categories. numbers. pairs: lists to be paired."""

    lists: tuple[str, ...]
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, in order."""
        return (*self.lists, *self.texts, *self.numbers)

    def check(self, people: pl.DataFrame) -> None:
        """Raises DataError that names the first column that is missing."""
        missing = [name for name in self.columns if name not in people.columns]
        if missing:
            raise DataError(f"people: column {missing[0]} is missing, found: {', '.join(people.columns)}")


@dataclass(frozen=True)
class Marks:
    """said: what was said per column, in order. edges: of the numbers' bins. pairs: places of two marks."""

    inputs: Inputs
    said: Mapping[str, tuple[str, ...]]
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pairs: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(people: pl.DataFrame, inputs: Inputs) -> "Marks":
        """The marks that enough people bear. Raises DataError where a column is missing."""
        inputs.check(people)
        counts = [*inputs.numbers, *map(_count, inputs.lists)]
        numbers = people.select(_numbers(inputs))
        plain = Marks(
            inputs,
            {name: _frequent(_answers(people, name)) for name in (*inputs.lists, *inputs.texts)},
            {name: _edges(numbers[name].to_numpy()) for name in counts},
        )
        together = plain.rows(people)
        borne = (together.T @ together).toarray()
        first, second = np.nonzero(np.triu(borne, 1) >= RARE_PAIR)
        paired = np.isin([name.split("=")[0] for name in plain.names], inputs.pairs)
        kept = paired[first] & paired[second]
        pairs = tuple(zip(first[kept].tolist(), second[kept].tolist(), strict=True))
        return Marks(inputs, plain.said, plain.edges, pairs)

    @property
    def names(self) -> list[str]:
        """Of the single marks: column=answer."""
        bins = {name: [str(at) for at in range(len(edges) + 1)] for name, edges in self.edges.items()}
        return [f"{name}={each}" for name, said in self.said.items() for each in said] + [
            f"{name}={each}" for name, places in bins.items() for each in [*places, MISSING]
        ]

    @property
    def owners(self) -> list[str]:
        """What each single mark is told under: the mark itself in a list, otherwise its column."""
        columns = [name.split("=")[0] for name in self.names]
        return [
            name if column in self.inputs.lists else column for name, column in zip(self.names, columns, strict=True)
        ]

    def rows(self, people: pl.DataFrame) -> "csr_matrix":
        """The single marks, shape (people, names)."""
        from scipy.sparse import csr_matrix, hstack

        self.inputs.check(people)
        numbers = people.select(_numbers(self.inputs))
        said = [_borne(_answers(people, name), said, people.height) for name, said in self.said.items()]
        bins = [_binned(numbers[name].to_numpy(), edges) for name, edges in self.edges.items()]
        return csr_matrix(hstack([*said, *bins]))

    def paired(self, rows: "csr_matrix") -> "csr_matrix":
        """The pairs of marks, shape (people, pairs), from the single marks."""
        from scipy.sparse import csr_matrix

        if not self.pairs:
            return csr_matrix((rows.shape[0], 0))
        columns = rows.tocsc()
        first, second = np.array(self.pairs).T
        return csr_matrix(columns[:, first].multiply(columns[:, second]))

    def numbers(self, people: pl.DataFrame) -> Floats:
        """The numbers themselves, shape (people, edges); NaN where there was no answer."""
        return people.select(_numbers(self.inputs)).select(*self.edges).to_numpy()

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        facts = {"inputs": vars(self.inputs), "said": self.said, "edges": self.edges, "pairs": self.pairs}
        path.write_text(json.dumps(facts, ensure_ascii=False))

    @staticmethod
    def load(path: Path) -> "Marks":
        """Read what save wrote."""
        facts = json.loads(path.read_text())
        inputs = Inputs(**{name: tuple(columns) for name, columns in facts["inputs"].items()})
        said = {name: tuple(answers) for name, answers in facts["said"].items()}
        edges = {name: tuple(values) for name, values in facts["edges"].items()}
        return Marks(inputs, said, edges, tuple((first, second) for first, second in facts["pairs"]))


def _count(column: str) -> str:
    return f"{column}_count"


def _numbers(inputs: Inputs) -> list[pl.Expr]:
    """The numbers, and how long each list is."""
    plain = [pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in inputs.numbers]
    lengths = [
        pl.col(name).list.len().cast(pl.Float64).fill_null(float("nan")).alias(_count(name)) for name in inputs.lists
    ]
    return plain + lengths


def _answers(people: pl.DataFrame, column: str) -> pl.DataFrame:
    """A row per person and answer: row, answer."""
    kind = pl.List(pl.String) if people[column].dtype == pl.List else pl.String
    rows = people.select(answer=pl.col(column).cast(kind)).with_row_index("row")
    long = rows.explode("answer") if kind != pl.String else rows
    return long.with_columns(pl.col("answer").fill_null(MISSING)).unique(maintain_order=True)


def _frequent(answers: pl.DataFrame) -> tuple[str, ...]:
    counts = answers.group_by("answer").len().filter(pl.col("len") >= RARE)
    return tuple(sorted(counts["answer"].to_list()))


def _borne(answers: pl.DataFrame, said: Sequence[str], people: int) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    known = pl.DataFrame({"answer": pl.Series(said, dtype=pl.String), "place": np.arange(len(said))})
    found = answers.join(known, on="answer", how="inner", maintain_order="left")
    cells = (found["row"].to_numpy(), found["place"].to_numpy())
    return csr_matrix((np.ones(found.height), cells), shape=(people, len(said)))


def _edges(values: Floats) -> tuple[float, ...]:
    """Inner edges of bins that hold about as many people each."""
    answered = values[~np.isnan(values)]
    if not len(answered):
        return ()
    return tuple(np.unique(np.quantile(answered, np.linspace(0, 1, BINS + 1)[1:-1], method="higher")).tolist())


def _binned(values: Floats, edges: Sequence[float]) -> "csr_matrix":
    """Shape (values, bins and the missing): 1 in the bin of each value."""
    from scipy.sparse import csr_matrix

    places = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    rows = np.arange(len(values))
    return csr_matrix((np.ones(len(values)), (rows, places)), shape=(len(values), len(edges) + 2))
