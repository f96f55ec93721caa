"""The platform's tables, by subject. `metadata` holds them all."""

from feature_repo.platform.tables.audit import audit_log
from feature_repo.platform.tables.collection import collection_history, quarantine
from feature_repo.platform.tables.drift import drift_reports
from feature_repo.platform.tables.experiments import experiments
from feature_repo.platform.tables.models import champion_moves, model_training_history, model_versions
from feature_repo.platform.tables.predictions import match_feedback, prediction_log, user_interactions
from feature_repo.platform.tables.types import metadata
from feature_repo.platform.tables.verdicts import verdicts

__all__ = [
    "audit_log",
    "champion_moves",
    "collection_history",
    "drift_reports",
    "experiments",
    "match_feedback",
    "metadata",
    "model_training_history",
    "model_versions",
    "prediction_log",
    "quarantine",
    "user_interactions",
    "verdicts",
]
