"""SiP: who does a task, and how many hours it takes, in the file's last two years, through the product's real path.

The file becomes source streams, views and an offline version in a folder of its own, without servers; the products then
get their labels, columns and models from there as `talentml train` gets them.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.features import VIEWS
from feature_repo.ingest import view_frames
from feature_repo.plan import plan
from feature_repo.publish import publish_offline
from feature_repo.retrieval import facts
from feature_repo.seed import memory, sip, sip_streams
from feature_repo.seed.sip_file import read_files
from feature_repo.settings import Settings
from feature_repo.window import Window
from training.evaluation import columns_of, labelled_frame, metrics, predicted
from training.fit import SEED
from training.product import Model, Product
from training.products.task_assignment import task_assignment
from training.products.task_performance import task_performance
from training.suite.check import Check, Measured
from training.trainers.boosted import Boosted, Rows

Floats = NDArray[np.float64]

FILE = "sip/sip_tasks_to_2012.csv"
AFTERWARDS = datetime(2100, 1, 1, tzinfo=UTC)  # by when every outcome in the file is known
TEST_YEARS = 2
YEAR = timedelta(days=365)
SPECIFIED = ("Priority", "Category", "SubCategory", "ProjectCode", "ProjectBreakdownCode", "RaisedByID")
PLAIN = {"objective": "l1", "num_leaves": 31, "learning_rate": 0.05, "seed": SEED}
PLAIN_ROUNDS = 200


@dataclass(frozen=True)
class History:
    """A published file. test: its last years; training: all before, with the outcomes known by then."""

    home: Path
    test: Window

    @staticmethod
    def of(file: Path, product: Product, home: Path) -> "History":
        """Publish what the product reads. Raises DataError for a malformed file."""
        settings = Settings(home=home, _env_file=None)
        streams = sip_streams.streams_of([file])
        last = streams["tasks"]["estimated_at"].max()
        if not isinstance(last, datetime):
            raise DataError(f"{file}: no task, allowed: one or more")
        until = datetime(last.year + 1, 1, 1, tzinfo=UTC)
        staged = settings.root / "staged"
        files = memory.write(streams, staged / "streams")
        (staged / "views").mkdir()
        keys = [entity.key for entity in product.entities]
        read = {column.view for column in plan(columns_of(product), None, keys).all.values()}
        views = [view for view in VIEWS if view.name in read]
        for view, frame in view_frames(files, [view for view in views if view.rows is not None]):
            frame.write_parquet(staged / "views" / f"{view.name}.parquet")
        publish_offline(settings, AFTERWARDS, views=views)
        return History(settings.root, Window(datetime(until.year - TEST_YEARS, 1, 1, tzinfo=UTC), until))

    def parts(self, product: Product) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Labelled rows of training, of its last months, by which models calibrate, and of the test years."""
        cut, split = self.test.since, product.split
        held = Window(cut - split.validation, cut)
        train = labelled_frame(product, self.home, Window(held.since - split.history, held.since), cut)
        validation = labelled_frame(product, self.home, held, cut)
        return train, validation, labelled_frame(product, self.home, self.test, AFTERWARDS)


def _fitted(product: Product, train: pl.DataFrame, validation: pl.DataFrame) -> Model:
    return product.trainer.fit(train, validation, product.columns, SEED)


# hours


def hours(folder: Path) -> Measured:
    """Mean error in ln(1 + hours), of all tasks that ended, whether somebody noted the day or not."""
    product = task_performance
    with tempfile.TemporaryDirectory() as home:
        history = History.of(folder / FILE, product, Path(home))
        train, validation, test = history.parts(product)
        ended = facts(history.home, "completions", known_before=AFTERWARDS)
        ids = ended.filter(pl.col("status").is_in(sip.ENDED)).select("task_id").collect()
    test = test.join(ids, on="task_id", how="semi")
    if not test.height:
        raise DataError(f"{FILE}: no task that ended in {history.test}, allowed: one or more")
    names = (product.gate.metric, "mae_hours", "interval_coverage")
    answers = {each.name: each.predict for each in product.baselines}
    answers |= {"LightGBM": partial(_plain_hours, pl.concat([train, validation]))}
    found = {name: metrics(product, predicted(test, predict)) for name, predict in answers.items()}
    ours = metrics(product, predicted(test, _fitted(product, train, validation).predict))
    return Measured(
        {name: ours[name] for name in names},
        {baseline: {name: scores[name] for name in names[:2]} for baseline, scores in found.items()},
        test.height,
    )


def _plain_hours(train: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """LightGBM on the same columns, told ln(1 + hours) outright; it gives no interval."""
    columns = [column for column in task_performance.columns if column.dtype is not str]
    target = np.log1p(train["actual_hours"].to_numpy())
    told = np.expm1(Boosted.fit(Rows(train, target), columns, PLAIN, PLAIN_ROUNDS).raw(frame))
    unknown = np.full(frame.height, np.nan)
    return pl.DataFrame({name: told if name == "hours" else unknown for name in task_performance.outputs})


# workers


def workers(folder: Path) -> Measured:
    """hit@1 of the developer whom the file names first, where somebody else raised the task.

    Judged are the tasks of the test years whose developer did something in the year before them.
    """
    product, file = task_assignment, folder / FILE
    with tempfile.TemporaryDirectory() as home:
        history = History.of(file, product, Path(home))
        train, validation, test = history.parts(product)
    tasks = read_files([file]).unique("TaskNumber", keep="first", maintain_order=True)
    judged = _judged(tasks, history.test)
    if not judged.height:
        raise DataError(f"{FILE}: no task of {history.test} was raised by another than its developer")
    model = _fitted(product, train, validation)
    earlier = tasks.filter(pl.col("EstimateOn") < history.test.since, _raiser_differs()).drop_nulls("DeveloperID")
    baselines = {
        "most popular of the year before": _popular(tasks, history.test, judged.height),
        "logistic regression": _logistic(earlier, judged),
        **{each.name: _first(test, each.predict(test), judged) for each in product.baselines},
    }
    right = {name: {"hit@1": _share(found, judged)} for name, found in baselines.items()}
    ours = _first(test, pl.DataFrame(model.predict(test)), judged)
    return Measured({"hit@1": _share(ours, judged)}, right, judged.height)


def _raiser_differs() -> pl.Expr:
    return pl.col("RaisedByID") != pl.col("DeveloperID")


def _year_before(tasks: pl.DataFrame, test: Window) -> pl.Series:
    """Each developer of the tasks of that year, once a task."""
    year = pl.col("EstimateOn").is_between(test.since - YEAR, test.since, closed="left")
    return tasks.filter(year)["DeveloperID"].drop_nulls()


def _judged(tasks: pl.DataFrame, test: Window) -> pl.DataFrame:
    known = _year_before(tasks, test).unique()
    asked = pl.col("EstimateOn").is_between(test.since, test.until, closed="left")
    return tasks.filter(asked, _raiser_differs(), pl.col("DeveloperID").is_in(known.implode()))


def _popular(tasks: pl.DataFrame, test: Window, rows: int) -> pl.Series:
    counts = _year_before(tasks, test).value_counts().sort("count", "DeveloperID", descending=[True, False])
    return pl.Series([counts["DeveloperID"][0]] * rows)


def _logistic(train: pl.DataFrame, test: pl.DataFrame) -> pl.Series:
    """On what the task's specification says, each value a column."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="ignore")
    values = [frame.select(pl.col(SPECIFIED).cast(pl.String).fill_null("")).to_numpy() for frame in (train, test)]
    model = LogisticRegression(max_iter=300).fit(encoder.fit_transform(values[0]), train["DeveloperID"].to_numpy())
    return pl.Series(model.predict(encoder.transform(values[1])))


def _first(frame: pl.DataFrame, answers: pl.DataFrame, judged: pl.DataFrame) -> pl.Series:
    """Of each judged task the candidate with the best score, null where it has none; ties go to the lower id."""
    candidates = frame.select("task_id", "person_id", "is_candidate").hstack(answers.select("score"))
    best = candidates.filter("is_candidate").sort("score", "person_id", descending=[True, False], nulls_last=True)
    best = best.unique("task_id", keep="first", maintain_order=True)
    tasks: Sequence[str] = judged["TaskNumber"].to_list()
    return pl.DataFrame({"task_id": tasks}).join(best, on="task_id", how="left", maintain_order="left")["person_id"]


def _share(found: pl.Series, judged: pl.DataFrame) -> float:
    right = (found == judged["DeveloperID"]).fill_null(False)
    return float(right.sum()) / judged.height


SPLIT = "trained before the file's last two years, with the outcomes known by then; judged on those two"
LICENCE = "published for research (arXiv 1901.01621), no explicit licence"

CHECKS = (
    Check(
        name="sip_workers",
        title="Who does a task that somebody else raised",
        product="task_assignment",
        files=(FILE,),
        split=SPLIT,
        aims={"hit@1": 0.56},
        measure=workers,
        licence=LICENCE,
    ),
    Check(
        name="sip_hours",
        title="Hours of a task, mean error of ln(1 + hours)",
        product="task_performance",
        files=(FILE,),
        split=SPLIT,
        aims={task_performance.gate.metric: 0.40},
        measure=hours,
        higher_is_better=False,
        licence=LICENCE,
    ),
)
