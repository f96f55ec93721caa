"""A product small enough to train in a moment: hours of a task from its size and its kind, with noise.

The world: hours = 2 size + 3 where the task is hard + noise; an event every hour from 2024 on, three tasks each.
"""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from feature_repo.column import Column, View
from feature_repo.entities import person, task
from feature_repo.window import Window
from training.candidate import Candidate, Scores
from training.contributions import Contributions
from training.metrics import absolute_error, measure
from training.model import KINDS
from training.product import Baseline, Gate, Label, Product, Slice, TimeSplit
from training.route import Outputs, Route

KINDS["tiny"] = "tests.training.tiny:Tiny"

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
view = View("task", (task,))
size = Column(name="size", dtype=float, unit="h", view="task", function=abs, description="How large the task is.")
is_hard = Column(name="is_hard", dtype=bool, view="task", function=abs, description="Whether experts call it hard.")
priority = Column(
    name="priority", dtype=int, view="task", function=abs, nulls=0.5, description="1 to 4, if anybody set it."
)
kind = Column(name="kind", dtype=str, view="task", function=abs, description="What sort of task it is.")
skills = Column(name="skills", dtype=list[str], view="task", function=abs, description="What it needs.")
COLUMNS = (size, is_hard, priority, kind, skills)
INPUTS = ("task__size", "task__is_hard")


def rows(since: datetime, until: datetime) -> pl.DataFrame:
    """The labelled frame of a period; the same period has the same rows, whatever else is asked for."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    hours = int((until - first) / timedelta(hours=1))
    random, n = np.random.default_rng(42), hours * 3
    events = pl.Series([first + timedelta(hours=i // 3) for i in range(n)]).cast(pl.Datetime("us", "UTC"))
    # In blocks of rows, so that a longer period begins with the same rows.
    draws = random.random((n, 5))
    frame = pl.DataFrame(
        {
            "task_id": [f"T{i}" for i in range(n)],
            "group": [f"G{i}" for i in range(n)],
            "event_timestamp": events,
            "task__size": 1 + 9 * draws[:, 0],
            "task__is_hard": draws[:, 1] > 0.7,
            "task__priority": np.where(draws[:, 2] > 0.3, np.ceil(4 * draws[:, 2]), np.nan),
            "task__kind": np.where(draws[:, 3] > 0.5, "code", "words"),
            "task__skills": [["a", "b"] if draw > 0.5 else ["c"] for draw in draws[:, 3]],
        }
    ).with_columns(pl.col("task__priority").fill_nan(None).cast(pl.Int64))
    noise = (draws[:, 4] - 0.5) * 2
    actual = 2 * frame["task__size"] + 3 * frame["task__is_hard"].cast(pl.Float64) + noise
    return frame.with_columns(actual_hours=actual).filter(
        pl.col("event_timestamp").is_between(since, until, closed="left")
    )


def unseen(product: Product, home: Path, as_of: datetime, since: datetime) -> pl.DataFrame:
    return rows(since, as_of)


@dataclass(frozen=True)
class Tiny:
    """A LightGBM regression; answers are multiplied by `factor`, which makes it wrong on purpose."""

    booster: Any
    factor: float = 1.0

    def predict(self, frame: pl.DataFrame) -> Outputs:
        return {"hours": self.factor * self.booster.predict(self._inputs(frame))}

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        return Contributions.of(INPUTS, self.factor * self.booster.predict(self._inputs(frame), pred_contrib=True))

    def _inputs(self, frame: pl.DataFrame) -> Any:
        return frame.select(pl.col(name).cast(pl.Float64) for name in INPUTS).to_numpy()

    def save(self, folder: Path) -> None:
        self.booster.save_model(folder / "hours.txt")
        (folder / "model.json").write_text(json.dumps({"kind": "tiny", "factor": self.factor}))

    @classmethod
    def load(cls, folder: Path) -> "Tiny":
        import lightgbm

        facts = json.loads((folder / "model.json").read_text())
        return cls(lightgbm.Booster(model_file=folder / "hours.txt"), facts["factor"])


class TinyTrainer:
    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Any, seed: int) -> Tiny:
        import lightgbm

        settings = {"objective": "l2", "seed": seed, "deterministic": True, "num_threads": 1, "verbose": -1}
        inputs = train.select(pl.col(name).cast(pl.Float64) for name in INPUTS).to_numpy()
        return Tiny(lightgbm.train(settings, lightgbm.Dataset(inputs, train["actual_hours"].to_numpy()), 40))


mae = absolute_error("mae_hours", "actual_hours", "hours")
mean = Baseline("mean", (), lambda frame: pl.DataFrame({"hours": np.full(frame.height, 12.0)}))
by_size = Baseline("by_size", (size,), lambda frame: frame.select(hours=2 * pl.col("task__size")))
hard = Slice("hard", lambda frame: frame["task__is_hard"])

PRODUCT = Product(
    name="tiny",
    title="Hours of a tiny task",
    entities=(task,),
    columns=COLUMNS,
    label=Label("actual_hours", lambda facts, window: rows(window.since, window.until)),
    outputs=("hours",),
    split=TimeSplit(validation=WEEK, test=WEEK, history=4 * WEEK),
    trainer=TinyTrainer(),
    metrics=(mae, replace(mae, name="other_mae")),
    baselines=(mean, by_size),
    fallback="mean",
    gate=Gate("mae_hours", beats="by_size"),
    routes=(Route("/api/v1/tiny", subject=(task,), items=person, named="people"),),
    slices=(hard,),
)


def candidate(as_of: datetime = AS_OF, factor: float = 1.0, product: Product = PRODUCT) -> Candidate:
    """A trained candidate as of a date; a factor other than 1 spoils it."""
    test = Window(as_of - WEEK, as_of)
    train = Window(test.since - 5 * WEEK, test.since)
    learned, frame = rows(train.since, train.until), rows(test.since, test.until)
    model = replace(product.trainer.fit(learned, learned, COLUMNS, 42), factor=factor)  # type: ignore[type-var]
    whole = _scores(model, frame)
    return Candidate(
        product=product,
        model=model,
        metrics=whole.champion,
        baselines=whole.baselines,
        slices={"hard": _scores(model, frame.filter(frame["task__is_hard"]))},
        data_hash=f"hash of {as_of:%F} {factor}",
        rows=learned.height,
        train_window=train,
        test_window=test,
        test_frame=frame,
        parameters={"trees": 40, "factor": factor},
        seconds=0.1,
    )


def _scores(model: Tiny, frame: pl.DataFrame) -> Scores:
    def measured(predict: Any) -> dict[str, float]:
        answers = frame.hstack(pl.DataFrame(predict(frame)))
        return {metric.name: measure(metric, answers) for metric in PRODUCT.metrics}

    return Scores(
        frame.height, measured(model.predict), {rule.name: measured(rule.predict) for rule in (mean, by_size)}
    )


def named(prefix: str) -> Product:
    """The tiny product under a name of its own, so that tests share a server and no versions."""
    return replace(PRODUCT, name=f"{prefix}_{uuid.uuid4().hex[:8]}")
