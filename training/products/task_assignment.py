"""Rank people for a task (REQUIREMENTS 3.1)."""

from datetime import timedelta

from feature_repo.entities import person, task
from feature_repo.features import affinity, history, match, wording
from feature_repo.features import task as task_f
from training.baselines import most_popular, rule, same_raiser
from training.labels import assignment_rows
from training.metrics import hit_at, mrr, ndcg_at
from training.product import Drift, Gate, Label, Product, Slice, TimeSplit
from training.trainers.hybrid import HybridRanker

ATTRIBUTES = (
    task_f.project_id,
    task_f.breakdown_id,
    task_f.subcategory_id,
    task_f.raiser_id,
    task_f.category,
    wording.priority_key,
    wording.words[0],
)
"""What makes tasks alike for the collaborative part."""

task_assignment = Product(
    name="task_assignment",
    title="Task assignment",
    entities=(person, task),
    columns=(
        *affinity.everybody_shares.values(),
        *affinity.shares.values(),
        *affinity.assigned_shares.values(),
        *affinity.own_shares.values(),
        *affinity.idle_days.values(),
        *affinity.evidence.values(),
        affinity.title_share,
        affinity.best_word_share,
        match.is_raiser,
        match.skill_match,
        match.skill_coverage,
        match.log_estimate,
        match.size_for_person,
        match.priority_for_person,
        history.open_tasks,
        history.open_hours,
        task_f.priority,
        *ATTRIBUTES,
    ),
    label=Label("worked_on", assignment_rows),
    outputs=("score", "content_score", "collaborative_score"),
    split=TimeSplit(validation=timedelta(days=182), test=timedelta(days=182), history=timedelta(days=365 * 10)),
    trainer=HybridRanker(
        content=0.6, collaborative=0.4, factors=50, attributes=tuple(column.qualified for column in ATTRIBUTES)
    ),
    metrics=(hit_at(1), hit_at(3), hit_at(5), mrr, ndcg_at(10)),
    baselines=(most_popular, same_raiser, rule),
    fallback="rule",
    gate=Gate(metric="ndcg_at_10", beats="most_popular"),
    slices=(Slice("raiser_differs", lambda frame: frame["raiser_differs"]),),
    drift=Drift(share=0.3),
    route="/api/v1/recommendations/task-assignment",
    schedule="0 2 * * 1",
)
