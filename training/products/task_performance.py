"""Predict hours, days and quality of a task in a person's hands (REQUIREMENTS 3.2)."""

from datetime import timedelta

import numpy as np

from feature_repo.entities import person, task
from feature_repo.features import affinity, effort, history, match
from feature_repo.features import person as person_f
from feature_repo.features import task as task_f
from training.asking.open_work import open_pairs
from training.baselines import human_estimate, person_ratio
from training.labels import performance_rows
from training.metrics import (
    absolute_error,
    interval_coverage,
    mae_hours,
    mae_log_hours,
    mape_hours,
    r2_log_hours,
    rmse_hours,
)
from training.product import Drift, Gate, Label, Product, TimeSplit
from training.route import Route
from training.trainers.outcome import OutcomeForecaster
from training.tuning.space import Range, Search

task_performance = Product(
    name="task_performance",
    title="Task performance",
    entities=(person, task),
    columns=(
        *effort.finished.values(),
        *effort.log_ratios.values(),
        *effort.log_errors.values(),
        *effort.exact.values(),
        *effort.log_days.values(),
        *effort.late_log_days.values(),
        *effort.size_gaps.values(),
        affinity.lately,
        affinity.evidence["person_evidence"],
        affinity.evidence["raiser_evidence"],
        affinity.evidence["project_evidence"],
        match.log_estimate,
        match.is_whole_hours,
        match.is_whole_days,
        match.size_for_person,
        match.title_words,
        match.day_of_week,
        match.season,
        match.is_raiser,
        match.skill_match,
        person_f.seniority,
        person_f.experience_years,
        history.open_tasks,
        history.open_hours,
        task_f.priority,
        task_f.difficulty,
    ),
    label=Label("actual_hours", performance_rows),
    outputs=tuple(
        f"{name}{bound}" for name in ("hours", "timeliness_days", "quality") for bound in ("", "_low", "_high")
    ),
    split=TimeSplit(validation=timedelta(days=182), test=timedelta(days=365), history=timedelta(days=365 * 10)),
    trainer=OutcomeForecaster(coverage=0.8),
    metrics=(
        mae_log_hours,
        mae_hours,
        rmse_hours,
        mape_hours,
        r2_log_hours,
        interval_coverage("interval_coverage", "actual_hours", "hours"),
        absolute_error("mae_log_days", "actual_timeliness_days", "timeliness_days", np.log1p),
        interval_coverage("interval_coverage_days", "actual_timeliness_days", "timeliness_days"),
        absolute_error("mae_quality", "actual_quality", "quality"),
    ),
    baselines=(human_estimate, person_ratio),
    fallback="human_estimate",
    gate=Gate(metric="mae_log_hours", beats="human_estimate"),
    search=Search(
        {
            "learning_rate": Range(0.01, 0.1, log=True),
            "leaves": Range(4, 31, log=True),
            "rounds": Range(200, 900, log=True),
        },
        seconds=900.0,
    ),
    drift=Drift(share=0.3),
    routes=(Route("/api/v1/recommendations/task-performance", subject=(person, task), given=task_f.view),),
    due=open_pairs,
    units={"hours": "h", "timeliness_days": "days", "quality": "1 to 5"},
    schedule="0 2 * * 1",
    minimum_rows=300,
    tags={
        "question": "how many hours and days a task takes in somebody's hands, and how well it is rated",
        "audience": "planners, and the person who is about to take the task",
    },
    limits=(
        "Hours are known of finished tasks only: what was given up or is still open is not learned from, which "
        "makes work look shorter than it is. For people without a finished task it is no better than the human "
        "estimate, and where estimates are good little is left to gain (on SiP a gate refused it in one of two "
        "years). Quality is hardly predictable: answers lie close to the mean while ratings run from 1 to 5. "
        "Hours of tasks of more than fifty hours are underestimated."
    ),
)
