"""The platform's own tables: what was collected, refused, judged, promoted, predicted and said."""

from feature_repo.platform.database import database

__all__ = ["database"]
