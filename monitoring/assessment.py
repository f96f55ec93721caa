"""What an experiment has shown: the arms side by side, the difference of their rewards, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import polars as pl
from sqlalchemy import Engine, select

from feature_repo.platform.tables import prediction_log
from feature_repo.window import Window
from monitoring.arm import Arm
from monitoring.experiment import Experiment, Mode
from monitoring.outcomes import number, outcomes
from monitoring.sequential import Evidence, evidence, imbalance

ANSWERS = {
    "prediction_id": pl.String, "unit": pl.String, "arm": pl.String, "source": pl.String, "milliseconds": pl.Float64,
}  # fmt: skip
TRUSTED = 100.0
"""Arms whose sizes are as unlikely as 1 in 100 under the stated share are not compared without a warning."""
MOST_OF_ONE_SUBJECT = 0.05
"""Of the judged units: 20 poisoned among 100 honest ones made equal models "better" in 6 of 20 runs, among 400 in 0."""


class Decision(StrEnum):
    """What the rewards say of the two."""

    BETTER = "challenger better"
    WORSE = "champion better"
    OPEN = "undecided"


@dataclass(frozen=True)
class Seen:
    """One arm as it was seen. units: who asked; judged: units with an outcome, of which reward is the mean.

    fallback: share of the answers that the rule gave. milliseconds: median and 95th percentile; in the shadow of the
    scoring alone.
    """

    version: int
    answers: int
    units: int
    judged: int
    reward: float | None
    fallback: float | None
    milliseconds: tuple[float, float] | None


@dataclass(frozen=True)
class Agreement:
    """How the shadow's scores compare with the answers beside them. same_first: share that ranks the same first.

    distance: mean absolute difference of the first output.
    """

    answers: int
    same_first: float | None
    distance: float | None


@dataclass(frozen=True)
class Assessment:
    """evidence: challenger minus champion; None in the shadow. imbalance: an e-value against the stated shares.

    largest_share: of the judged units, the share of the subject who judged most of them.
    """

    experiment: Experiment
    arms: Mapping[Arm, Seen]
    decision: Decision
    decided_at: datetime | None
    evidence: Evidence | None
    imbalance: float | None
    agreement: Agreement | None
    largest_share: float = 0.0

    @property
    def is_one_sided(self) -> bool:
        """Whether one subject judged so many units that it might decide alone: nothing is decided then."""
        return self.largest_share > MOST_OF_ONE_SUBJECT

    @property
    def is_balanced(self) -> bool:
        return self.imbalance is None or self.imbalance < TRUSTED


def assess(engine: Engine, experiment: Experiment) -> Assessment:
    """What the prediction log and the feedback say about an experiment, up to now or to its end."""
    answered = _answered(engine, experiment)
    if experiment.mode is Mode.SHADOW:
        return assessed(experiment, answered, _agreement(engine, experiment))
    until = experiment.stopped_at or datetime.now(UTC)
    window = Window(experiment.started_at, max(until, experiment.started_at + timedelta(microseconds=1)))
    return assessed(experiment, answered, outcomes(engine, experiment.product, window))


def assessed(experiment: Experiment, answered: pl.DataFrame, found: "pl.DataFrame | Agreement") -> Assessment:
    """The assessment of logged answers (columns ANSWERS).

    found: outcomes (prediction_id, subject, reward in [0, 1], given_at) of a split, the agreement of a shadow.
    """
    if isinstance(found, Agreement):
        arms = {arm: _seen(experiment, arm, answered, _NONE) for arm in (Arm.CHAMPION, Arm.SHADOW)}
        return Assessment(experiment, arms, Decision.OPEN, None, None, None, found)
    judged = first_outcomes(answered, found)
    arms = {arm: _seen(experiment, arm, answered, judged) for arm in (Arm.CHAMPION, Arm.CHALLENGER)}
    treated = (judged["arm"] == Arm.CHALLENGER).to_numpy()
    said = evidence(judged["reward"].to_numpy(), treated, experiment.share, experiment.alpha)
    largest = float(judged["subject"].value_counts()["count"].max() or 0) / max(judged.height, 1)  # type: ignore[arg-type]
    decided = None if largest > MOST_OF_ONE_SUBJECT else said.decided
    return Assessment(
        experiment=experiment,
        arms=arms,
        decision=Decision.OPEN if decided is None else _decision(said),
        decided_at=None if decided is None else judged["given_at"][decided],
        largest_share=largest,
        evidence=said,
        imbalance=imbalance(arms[Arm.CHALLENGER].judged, arms[Arm.CHAMPION].judged, experiment.share),
        agreement=None,
    )


_NONE = pl.DataFrame(schema={"unit": pl.String, "arm": pl.String, "reward": pl.Float64})


def first_outcomes(answered: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Each unit's first outcome in time, the units in that order: unit, arm, reward, given_at, subject.

    A unit's further outcomes depend on its first one, as it keeps its arm; the test wants one per unit.
    """
    split = answered.filter(pl.col("arm").is_in([Arm.CHAMPION, Arm.CHALLENGER]), pl.col("unit").is_not_null())
    told = outcomes.select("prediction_id", "subject", pl.col("reward").cast(pl.Float64), "given_at").drop_nulls()
    return (
        split.join(told, on="prediction_id")
        .sort("given_at", "prediction_id", maintain_order=True)
        .unique("unit", keep="first", maintain_order=True)
        .select("unit", "arm", "reward", "given_at", "subject")
    )


def _decision(said: Evidence) -> Decision:
    if said.is_higher is None:
        return Decision.OPEN
    return Decision.BETTER if said.is_higher else Decision.WORSE


def _seen(experiment: Experiment, arm: Arm, answered: pl.DataFrame, judged: pl.DataFrame) -> Seen:
    mine, rewards = answered.filter(arm=arm), judged.filter(arm=arm)["reward"]
    times = mine["milliseconds"]
    return Seen(
        version=experiment.champion if arm is Arm.CHAMPION else experiment.challenger,
        answers=mine.height,
        units=mine["unit"].n_unique(),
        judged=len(rewards),
        reward=number(rewards.mean()),
        fallback=number((mine["source"] == "fallback").mean()),
        milliseconds=(number(times.median()) or 0.0, number(times.quantile(0.95)) or 0.0) if mine.height else None,
    )


def _answered(engine: Engine, experiment: Experiment) -> pl.DataFrame:
    chosen = select(*(prediction_log.c[name] for name in ANSWERS)).where(prediction_log.c.experiment == experiment.id)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(chosen.order_by(prediction_log.c.predicted_at))]
    return pl.DataFrame(rows, schema=ANSWERS, orient="row")


def _agreement(engine: Engine, experiment: Experiment) -> Agreement:
    """Of the shadow's records, which serving.answering.shadow writes."""
    mine = (prediction_log.c.experiment == experiment.id) & (prediction_log.c.arm == Arm.SHADOW)
    said = prediction_log.c.answer
    chosen = select(said["same_first"].as_boolean(), said["distance"].as_float()).where(mine)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(chosen)]
    frame = pl.DataFrame(rows, schema={"same_first": pl.Boolean, "distance": pl.Float64}, orient="row")
    return Agreement(frame.height, number(frame["same_first"].mean()), number(frame["distance"].mean()))
