"""How much people are drawn to tasks, from a frame of texts and from a table of their codes."""

import numpy as np
import polars as pl
import pytest

from feature_repo.names import Names
from feature_repo.table import Table
from training.trainers.factors import Factors

COLUMNS = ("person_id", "task__project_id", "task__category")
FACTORS = Factors(
    columns=("task__project_id", "task__category"),
    people=np.array(["ann", "bob"]),
    attributes=np.array(["task__category=bug", "task__project_id=P1"]),
    people_vectors=np.array([[1.0, 0.0], [0.0, 2.0]]),
    attribute_vectors=np.array([[1.0, 5.0], [3.0, 1.0]]),
)
ROWS = [
    ("ann", "P1", "bug", 2.0),  # (3 + 1) * 1 / 2
    ("bob", "P1", "bug", 6.0),  # (1 + 5) * 2 / 2
    ("ann", "P1", "new", 3.0),  # of what is known only
    ("bob", "P9", "bug", 10.0),
    ("ann", "P9", None, np.nan),
    ("eve", "P1", "bug", np.nan),
]
KNOWN = {"person_id": ["ann", "bob", "eve", "zoe"], "task__project_id": ["P1", "P9"], "task__category": ["bug", "new"]}
"""What the published names hold, some of which the model never saw."""


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    texts = zip(*(row[:3] for row in rows), strict=True)
    return pl.DataFrame({name: list(of) for name, of in zip(COLUMNS, texts, strict=True)})


def table(rows: list[tuple[object, ...]], known: dict[str, list[str]], *beside: str) -> Table:
    """Codes, NaN for texts that are not known. beside: the columns whose texts are there too, as a request's are."""
    texts = frame(rows)
    names = {name: Names.keys(pl.Series(known[name])) for name in COLUMNS}
    numbers = np.array([names[name].find(texts[name].to_list()) for name in COLUMNS])
    others = {name: texts[name].to_list() for name in beside}
    return Table({}, COLUMNS, {name: slot for slot, name in enumerate(COLUMNS)}, numbers, others, names)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:2], ROWS[2:3], ROWS[::-1], ROWS[4:]])
@pytest.mark.parametrize("beside", [(), ("person_id",), COLUMNS])
def test_it_is_the_mean_over_the_attributes_that_are_known(rows, beside):
    expected = [row[-1] for row in rows]
    np.testing.assert_array_equal(FACTORS.affinity(frame(rows)), expected)
    np.testing.assert_array_equal(FACTORS.affinity(table(rows, KNOWN, *beside)), expected)


def test_a_text_that_was_not_published_is_known_to_the_model_all_the_same():
    """Bob left since, and bugs are called otherwise now; the request names both."""
    fewer = {**KNOWN, "person_id": ["ann", "eve"], "task__category": ["new"]}
    asked = table(ROWS[:2], fewer, "person_id", "task__category")
    np.testing.assert_array_equal(FACTORS.affinity(asked), [2.0, 6.0])


def test_some_rows_of_a_table_are_answered_as_they_are_among_all():
    whole = table(ROWS, KNOWN)
    np.testing.assert_array_equal(FACTORS.affinity(whole.rows([3, 0])), [10.0, 2.0])
