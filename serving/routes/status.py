"""What the service says about itself."""

import time
from typing import Any

from serving.answering.features import Features
from serving.versions.models import Models


def model_status(models: Models, features: Features) -> dict[str, Any]:
    """Which version answers for each product, and what is refused; as serving.schemas.replies.Status."""
    return {
        "models": [_one(models, name) for name in models.products],
        "registry": {"checked_at": models.registry.checked_at, "error": models.registry.error},
        "features": feature_status(features),
    }


def _one(models: Models, name: str) -> dict[str, Any]:
    product, champion, refusal = models.products[name], models.active.get(name), models.refused.get(name)
    facts = ("as_of", "trained_until", "data_hash", "code_revision", "sha256")
    return {
        "product": name,
        "title": product.title,
        "route": product.route.path,
        "source": "model" if champion else "fallback",
        "version": champion.version.number if champion else None,
        **{fact: getattr(champion.version, fact) if champion else None for fact in facts},
        "loaded_at": champion.loaded_at if champion else None,
        "metrics": champion.version.metrics if champion else {},
        "challenger": _challenger(models, name),
        "refused": f"version {refusal.version.number}: {refusal.reason}" if refusal else None,
    }


def _challenger(models: Models, name: str) -> dict[str, Any] | None:
    """The challenger of a running experiment; as serving.schemas.replies.ChallengerStatus."""
    facts, refusal = models.registry.challengers.get(name), models.challengers.refused.get(name)
    if facts is None:
        return None
    return {
        "version": facts.version.number,
        "experiment": facts.experiment,
        "mode": facts.mode,
        "share": facts.share,
        "serves": name in models.challengers.active,
        "refused": refusal.reason if refusal else None,
    }


def feature_status(features: Features) -> dict[str, Any]:
    """The snapshot that is read; as serving.schemas.replies.FeatureStatus."""
    snapshot = features.current.snapshot if features.current else None
    return {
        "version": snapshot.version if snapshot else None,
        "as_of": snapshot.as_of if snapshot else None,
        "error": features.error,
    }


def health(models: Models, features: Features, started: float) -> dict[str, Any]:
    """As serving.schemas.replies.Health. started: time.monotonic() of the start."""
    versions = {name: champion.version for name, champion in models.active.items()}
    whole = features.current is not None and len(versions) == len(models.products)
    return {
        "status": "ok" if whole else "degraded",
        "uptime_seconds": round(time.monotonic() - started, 3),
        "models": {
            name: {
                "version": versions[name].number if name in versions else None,
                "source": "model" if name in versions else "fallback",
                "last_trained": versions[name].trained_until if name in versions else None,
            }
            for name in models.products
        },
        "features": {**feature_status(features), "error": _kind(features.error)},
    }


def _kind(error: str | None) -> str | None:
    """An error's type alone: anybody may ask for the health, and the rest may name paths."""
    return error.partition(":")[0] if error else None
