"""What a program does to columns is what their functions do, bit for bit; and what cannot be written down is called."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from feature_repo import interpreter, recording
from feature_repo.calls import Alone, Programmed
from feature_repo.column import Column
from feature_repo.features import VIEWS
from feature_repo.features.ragged import mean_ratio, share_held
from feature_repo.lists import Opened, OpenLists
from feature_repo.names import Coded, Names, Texts, are_equal
from feature_repo.pairs import compute, wired
from feature_repo.plan import AT, Hop, Pair
from feature_repo.program import Beside, program
from feature_repo.recording import LOAD, SAME_TEXT, Noted, StandIn, noted, recorded
from feature_repo.table import KINDS, Table

NAN = float("nan")
PAIRS = [column for view in VIEWS if view.rows is None for column in view.columns]
VALUES = np.array([NAN, 0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-9, 1e9, -2.5, np.inf, -np.inf, 5e-324])
ROWS = 1_200
"""More than a block of the interpreter's."""


def column(name: str, function: Callable, *inputs: str) -> Column:
    return Column(name=name, dtype=float, view="pair", function=function, inputs=tuple(f"task__{n}" for n in inputs))


def table(columns: list[Column], rows: int) -> Table:
    """Random values of all that the columns read, as if it were numbers; missing and special ones among them."""
    random = np.random.default_rng(5)
    read = dict.fromkeys(name for each in columns for name in each.reads if name != AT)
    own = {each.qualified for each in columns}
    given = [
        Column(name=n, dtype=float, view=v, function=len) for v, n in (r.split("__") for r in read if r not in own)
    ]
    found = Table.of({each.qualified: each for each in (*given, *columns)}, {}, random.uniform(1e4, 2e4, rows))
    for each in given:
        drawn = random.choice(VALUES, rows)
        found.numbers[found.slots[each.qualified]] = np.where(random.random(rows) < 0.5, drawn, 9 * random.random(rows))
    return found


def written(columns: list[Column], rows: int = ROWS) -> tuple[Table, tuple]:
    """The table with the columns computed, and by which calls."""
    found = table(columns, rows)
    calls = wired(Hop({}, {}, tuple(Pair(each, each.reads) for each in columns)), found)
    compute(calls, found)
    return found, calls


def of_arithmetic() -> list[Column]:
    """Those that can be written down, if all that they read is numbers."""
    stand_in = {name: Noted(LOAD, (name,)) for each in PAIRS for name in each.reads}
    kinds = [each for each in PAIRS if each.dtype in KINDS and all("__" in name or name == AT for name in each.reads)]
    noted_ = ((each, recorded(each.function, [stand_in[name] for name in each.reads])) for each in kinds)
    return [each for each, found in noted_ if found is not None]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("each", of_arithmetic(), ids=lambda each: each.qualified)
def test_a_column_that_is_written_down_is_what_its_function_gives(each):
    found, calls = written([each])
    assert [type(call) for call in calls] == [Programmed]
    expected = each.function(*(found.numbers[found.slots[name]] for name in each.reads))
    assert np.array_equal(found.numbers[found.slots[each.qualified]], expected, equal_nan=True)


def test_plain_arithmetic_is_written_down():
    names = {each.qualified for each in of_arithmetic()}
    assert len(names) > 40
    assert names > {"pair__project_started_share", "pair__title_share", "pair__size_for_person", "fit__salary_overlap"}


def answer(value: float) -> Callable:
    return lambda _: value


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + len(x),
        lambda x: x if x.any() else -x,
        lambda x: x if x > 0 else -x,
        lambda x: x[::-1],
        lambda x: x.copy(),
        lambda x: np.exp(x),
        lambda x: np.add(x, x, where=x > 0),
        lambda x: np.where(x > 0),
        lambda x: np.asarray(x) + 1,
        lambda x: x + np.arange(3),
        lambda x: (x > 1) + (x > 2),  # true, where numbers would add up to 2
        lambda x: (x > 1) + True,
        lambda x: np.where(x > 1, x > 2, True) + (x > 0),
        lambda x: np.where(x > 1, True, False) + True,
        lambda x: 1.0 / ((x > 1) * -1),  # whole numbers, of which 0 times -1 is no -0
        lambda x: np.where(x > 1, 2**62, 1) * 4,
        lambda x: sum(each for each in x),
        lambda x: x,
        answer(1.0),
    ],
)
def test_whatever_else_a_function_does_it_is_not_written_down(function):
    assert recorded(function, [Noted(LOAD, ("task__red",))]) is None


@pytest.mark.parametrize(("additions", "how"), [(99, Programmed), (600, Alone)])
def test_a_long_chain_of_operations_is_called_instead(additions, how):
    found, calls = written([column("sum", lambda x: reduce(np.add, [1.0] * additions, x), "red")], 5)
    assert [type(call) for call in calls] == [how]
    expected = reduce(np.add, [1.0] * additions, found.numbers[found.slots["task__red"]])
    assert np.array_equal(found.numbers[found.slots["pair__sum"]], expected, equal_nan=True)


def test_the_interpreter_means_the_same_by_each_number():
    """It has them in its own file: numba keeps a kernel until the file changes that it stands in, and no other."""
    assert "feature_repo.recording" not in Path(interpreter.__file__).read_text()
    common = vars(recording).keys() & vars(interpreter).keys()
    both = [name for name in common if isinstance(getattr(recording, name), int)]
    assert len(both) == 19
    assert {name: getattr(interpreter, name) for name in both} == {name: getattr(recording, name) for name in both}


def test_what_two_columns_share_is_done_once_and_rooms_are_used_again():
    both = Noted(LOAD, ("a",)) / Noted(LOAD, ("b",))
    found = program([(2, both + 1), (3, both - 1), (4, both)], {"a": 0, "b": 1})
    numbers = np.array([[6.0, 1.0], [2.0, 0.0], *[[NAN, NAN]] * 3])
    found.run(numbers, np.empty((0, 2), np.int64))
    assert numbers[2:].tolist() == [[4, np.inf], [2, np.inf], [3, np.inf]]
    assert len(found.steps) == len(["/", "+", "-", "store"])
    assert found.registers == 1
    assert found.constants.tolist() == [1.0]


def test_zero_and_minus_zero_are_two_numbers():
    one = column("one", lambda x: 1 / (x * 0.0 + 0.0), "red")
    other = column("other", lambda x: 1 / (np.maximum(x * 0.0, -0.0) * -0.0), "red")
    _, calls = written([one, other], 1)
    assert calls[0].program.constants.size == 3


@pytest.mark.parametrize(("one", "other"), [(0.0, -0.0), (-0.0, 0.0)])
@pytest.mark.parametrize("either", [np.maximum, np.minimum])
def test_of_two_zeros_the_second_is_the_larger_and_the_smaller_as_numpy_has_it_on_x86(either, one, other):
    """What divides by it differs, and replays compare every bit."""
    numbers = np.array([[one], [other], [NAN]])
    wanted = either(Noted(LOAD, ("a",)), Noted(LOAD, ("b",)))
    program([(2, wanted)], {"a": 0, "b": 1}).run(numbers, np.empty((0, 1), np.int64))
    assert np.signbit(numbers[2]) == np.signbit(other)


def test_a_column_comes_after_those_that_it_needs_whether_they_are_called_or_written_down():
    red = column("red_more", lambda red: red + 1, "red")
    log = Column(name="log", dtype=float, view="pair", function=lambda x: np.log1p(x), inputs=("pair__red_more",))
    last = Column(name="last", dtype=float, view="pair", function=lambda x, y: x - y, inputs=("pair__log", "task__red"))
    blue = column("blue_more", lambda blue: blue * 2, "blue")
    found, calls = written([red, log, last, blue], 5)
    assert [len(call.filled) for call in calls] == [2, 1, 1]
    reds = found.numbers[found.slots["task__red"]]
    with np.errstate(all="ignore"):
        expected = np.log1p(reds + 1) - reds
    assert np.array_equal(found.numbers[found.slots["pair__last"]], expected, equal_nan=True)


def test_a_block_of_rows_is_like_another():
    shares = [column("share", lambda red, blue: (red + 1) / (blue + 1), "red", "blue")]
    whole, _ = written(shares)
    reds, blues, found = (whole.numbers[whole.slots[n]] for n in ("task__red", "task__blue", "pair__share"))
    with np.errstate(all="ignore"):
        assert np.array_equal(found, (reds + 1) / (blues + 1), equal_nan=True)


def test_texts_are_compared_by_their_codes():
    one, other = (Names.of(pl.Series(texts)) for texts in (["ann", "bob"], ["bob", "eve"]))
    codes = np.array([[0.0, 1.0, 1.0, NAN], [0.0, 0.0, 1.0, 0.0], [NAN] * 4])
    same = Noted(SAME_TEXT, (StandIn("left"), StandIn("right")))
    found = program([(2, same)], {"left": 0, "right": 1}, Beside(texts={"left": one, "right": other}))
    found.run(codes, np.empty((0, 4), np.int64))
    expected = are_equal(Coded(codes[0], one), Coded(codes[1], other))
    assert np.array_equal(codes[2], expected, equal_nan=True)
    assert codes[2, :3].tolist() == [0, 1, 0]


def same(left: Texts, right: Texts) -> np.ndarray:
    return are_equal(left, right)


def of_sales(department: pl.Series, x: np.ndarray) -> np.ndarray:
    return np.where(department == "sales", x, 0.0)


@pytest.mark.parametrize("order", [1, -1])
def test_one_function_reads_a_column_by_its_codes_and_another_its_texts(order):
    departments = "job__department"
    names = Names.of(pl.Series(["hr", "sales"]))
    declared = [column("same", same), column("of_sales", of_sales)]
    slots = {name: slot for slot, name in enumerate([departments, "job__x", "pair__same", "pair__of_sales"])}
    numbers = np.array([[0.0, 1.0], [5.0, 7.0], [NAN, NAN], [NAN, NAN]])
    texts = {departments: names}
    found = Table({each.qualified: each for each in declared}, [], slots, numbers, {}, texts)
    pairs = [Pair(declared[0], (departments, departments)), Pair(declared[1], (departments, "job__x"))]
    compute(wired(Hop({}, {}, tuple(pairs[::order])), found, Beside(texts=texts)), found)
    assert numbers[2:].tolist() == [[1, 1], [0, 7]]


@pytest.mark.parametrize(
    "ask",
    [lambda it: it == "a", lambda it: it != "a", bool, len, lambda it: "a" in it],
    ids=["==", "!=", "?", "#", "in"],
)
def test_a_stand_in_for_texts_answers_no_question(ask):
    with pytest.raises(TypeError, match="a stand-in has no values"):
        ask(StandIn("job__department"))


def test_a_function_of_lists_is_noted_for_stand_ins_and_done_for_lists():
    wanted, held = StandIn("wanted"), StandIn("held")
    assert mean_ratio(wanted, wanted, held, held).inputs == (wanted, wanted, held, held)
    with pytest.raises(TypeError, match="share_held: stand-ins beside values"):
        share_held(wanted, pl.Series([["go"]]), held)
    assert noted(SAME_TEXT)(lambda left, right: left + right)("a", "b") == "ab"


def test_lists_are_read_where_they_lie():
    texts, numbers = pa.large_list(pa.large_string()), pa.large_list(pa.float64())
    names = Opened(pa.array([["go", "sql"], ["go"], [], None, ["sql", None]], texts))
    levels = Opened(pa.array([[4.0, 2.0], [8.0], [], None, [1.0, None]], numbers))
    lists = {"wanted": (0, names), "asked": (0, levels), "held": (1, names), "had": (1, levels)}
    inputs = tuple(map(StandIn, lists))
    columns = [(0, mean_ratio(*inputs)), (1, share_held(inputs[0], *inputs[2:]))]
    places = np.array([[0, 0, 0, 2, 3, 4], [1, 4, 3, 0, 0, 4]])
    found = np.empty((2, 6))
    program(columns, {}, Beside(lists)).run(found, places)
    wanted, asked, held, had = (OpenLists(opened, places[row]) for row, opened in lists.values())
    assert np.array_equal(found[0], mean_ratio(wanted, asked, held, had), equal_nan=True)
    assert np.array_equal(found[1], share_held(wanted, held, had), equal_nan=True)
    np.testing.assert_array_equal(found[0], [1 / 2, 1 / 4, 0, NAN, NAN, NAN])
    np.testing.assert_array_equal(found[1], [1 / 2, 1 / 2, 0, NAN, NAN, 1 / 2])
