"""What the reports are asked and what they answer."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from monitoring.outcomes import FeedbackSummary
from serving.limits import LIMITS
from serving.schemas.replies import Reply
from serving.schemas.requests import Id, Strict

Numbers = dict[str, float | None]
EARLY, LATE = "2026-02-22T02:00:00Z", "2026-03-01T02:00:00Z"


class Verdict(Reply):
    """The gate's last word on a version."""

    id: str
    version: int
    promote: bool
    reason: str
    numbers: Numbers
    decided_at: datetime


class Drift(Reply):
    """The drift report on the latest rows. share: of the columns that drifted, 0 to 1; drifted: their names."""

    version: int | None
    verdict: str = Field(description="none, drift or insufficient")
    reason: str
    share: float | None
    drifted: list[str]
    since: datetime | None
    until: datetime | None
    html: str | None = Field(description="The report, relative to the home")
    reported_at: datetime


class Answers(Reply):
    """Answers since the workers started."""

    count: int
    fallback_share: float | None = Field(ge=0, le=1, description="Null before the first answer")


class ProductMetrics(Reply):
    """How one product does. Metrics are of the champion's own unseen rows."""

    product: str
    title: str
    champion: int | None = Field(description="The champion's version; null where a rule answers")
    serves: str = Field(description="model, or the name of the rule that answers")
    trained_since: datetime | None
    trained_until: datetime | None
    trained_at: datetime | None
    row_count: int | None
    metrics: Numbers
    metric: str = Field(description="The metric that the gate looks at")
    value: float | None
    baseline: str = Field(description="The naive rule that a model must beat")
    baseline_value: float | None
    verdict: Verdict | None
    drift: Drift | None
    answers: Answers
    feedback: FeedbackSummary | None = Field(description="Null where it cannot be told in time")


class ModelMetrics(Reply):
    """GET /api/v1/ml/metrics."""

    generated_at: datetime
    products: list[ProductMetrics]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "generated_at": "2026-03-02T08:15:00Z",
                    "products": [
                        {
                            "product": "task_assignment", "title": "Task assignment", "champion": 4, "serves": "model",
                            "trained_since": "2024-02-04T02:00:00Z", "trained_until": EARLY, "trained_at": LATE,
                            "row_count": 4200, "metrics": {"ndcg_at_10": 0.61}, "metric": "ndcg_at_10", "value": 0.61,
                            "baseline": "most_popular", "baseline_value": 0.42,
                            "verdict": {
                                "id": "5f0c", "version": 4, "promote": True, "decided_at": LATE,
                                "reason": "promoted: ndcg_at_10 0.61 against 0.58 of the champion",
                                "numbers": {"candidate": 0.61, "champion": 0.58, "baseline": 0.42},
                            },
                            "drift": None,
                            "answers": {"count": 1830, "fallback_share": 0.0},
                            "feedback": {
                                "judged": 120, "subjects": 14, "accepted": 0.71, "rating": 4.1, "accuracy": 0.69,
                                "largest_share": 0.17,
                            },
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip


class HistoryQuery(Strict):
    """Which trainings."""

    product: Id | None = Field(None, description="Only this product's")
    limit: Annotated[int, Field(ge=1, le=LIMITS.history_rows, description="How many, the newest")] = 20


class Training(Reply):
    """A training that was registered as a version."""

    product: str
    version: int
    run_id: str = Field(description="MLflow's run")
    as_of: datetime
    seconds: float
    row_count: int
    metrics: Numbers
    baselines: dict[str, Numbers]
    hyperparameters: dict[str, Any]
    importance: Numbers
    confusion: dict[str, Any] = Field(description="Empty where there are no classes")
    cross_validation: dict[str, Any] = Field(description="Scores per fold; empty where none was run")
    data_hash: str
    code_revision: str
    trained_at: datetime


class TrainingHistory(Reply):
    """GET /api/v1/ml/training-history."""

    trainings: list[Training]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "trainings": [
                        {
                            "product": "task_assignment", "version": 4, "run_id": "9c1e", "as_of": LATE, "seconds": 9.5,
                            "row_count": 4200, "metrics": {"ndcg_at_10": 0.61},
                            "baselines": {"most_popular": {"ndcg_at_10": 0.42}},
                            "hyperparameters": {"content": 0.6}, "importance": {"pair__skill_overlap": 0.31},
                            "confusion": {}, "cross_validation": {}, "data_hash": "a41f", "code_revision": "0123abc",
                            "trained_at": LATE,
                        }
                    ]
                }
            ]
        }
    )  # fmt: skip
