"""Rank people for a task (REQUIREMENTS 3.1)."""

from datetime import timedelta

from feature_repo.entities import person, task
from feature_repo.features import affinity, history, match, wording
from feature_repo.features import task as task_f
from training.asking.open_work import able_people, open_pairs
from training.baselines import most_popular, rule, same_raiser
from training.labels import assignment_rows
from training.metrics import hit_at, mrr, ndcg_at
from training.product import Drift, Gate, Label, Product, Slice, TimeSplit
from training.route import Route
from training.trainers.hybrid import HybridRanker
from training.tuning.space import Range, Search

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
    search=Search(
        {
            "learning_rate": Range(0.02, 0.1, log=True),
            "leaves": Range(7, 31, log=True),
            "rounds": Range(100, 400, log=True),
            "own_weight": Range(0.1, 1.0),
            "steepness": Range(0.1, 1.0),
        },
        seconds=900.0,
    ),
    drift=Drift(share=0.3),
    routes=(
        Route(
            "/api/v1/recommendations/task-assignment",
            subject=(task,),
            items=person,
            named="candidates",
            pool=able_people,
            given=task_f.view,
        ),
    ),
    due=open_pairs,
    schedule="0 2 * * 1",
    tags={
        "question": "who should take a task, from those who worked in the year before",
        "audience": "whoever hands out work, and the workflow that assigns a new task",
    },
    limits=(
        "It learns who did take such tasks, not who should have: a habit that was unfair stays one. Whoever did "
        "no task in the last year is no candidate, so newcomers are never proposed unless a request names them, "
        "and whoever has done a handful is found far less often than the busy. The first places are its strength: "
        "from about the eighth on, the rule's list holds the right person as often. On text alone, as with public "
        "issues, another learner of ours is needed, and it loses much once it knows nothing newer than its "
        "training (see the real suite)."
    ),
)
