"""What the trees in a LightGBM model's text tell: by name the numbers of all trees.

Read by polars: while it works, other threads have the interpreter, such as the event loop of a worker that loads a
model. 200 trees x 15 leaves take 2 ms, most of it so; plain Python took 4.5 that nobody else could use.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TREE = "Tree="


@dataclass(frozen=True)
class Told:
    """Numbers of all trees, one tree's after another's, and the tree of each."""

    numbers: Floats
    trees: Ints

    def where(self, is_meant: NDArray[np.bool_]) -> "Told":
        """Of some trees only. is_meant: shape (trees,)."""
        kept = is_meant[self.trees]
        return Told(self.numbers[kept], self.trees[kept])

    def of_each(self, sizes: Ints) -> Floats:
        """All numbers. Raises ValueError unless each tree tells so many."""
        if not np.array_equal(np.bincount(self.trees, minlength=len(sizes)), sizes):
            raise ValueError(f"{len(self.numbers)} numbers, allowed: {sizes.sum()}, each tree's own")
        return self.numbers


class Trees:
    """The trees of a text, from their first line on. names: those of the lines that are read."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        """Raises ValueError for a text without an end, PolarsError for a word among the numbers."""
        lines, end, _ = text.partition("\nend of trees")
        if not lines.startswith(TREE) or not end:
            raise ValueError("no trees, or no end of them")
        named = {"name": pl.String, "number": pl.String}
        numbers = (
            pl.read_csv(lines.encode(), separator="=", has_header=False, quote_char=None, schema=named)
            .lazy()
            .with_columns(tree=(pl.col("name") == TREE[:-1]).cum_sum().cast(pl.Int64) - 1)
            .filter(pl.col("name").is_in(list(names)))
            .with_columns(pl.col("number").str.split(" "))
            .explode("number")
            .filter(pl.col("number") != "")  # a tree of one leaf has no splits to tell of
            .with_columns(pl.col("number").cast(pl.Float64))  # exact, and whole numbers stay whole
            .collect()
        )
        self._parts = numbers.partition_by("name", as_dict=True)

    def told(self, name: str) -> Told:
        """What follows a name; nothing where no tree tells it."""
        part = self._parts.get((name,))
        if part is None:
            return Told(np.zeros(0), np.zeros(0, np.int64))
        return Told(part["number"].to_numpy(), part["tree"].to_numpy())
