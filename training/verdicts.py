"""Verdicts on disk: each with the evidence that reaches it again."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row, insert, select

from feature_repo.errors import RegistryError
from feature_repo.platform.tables import verdicts
from training.gate import Evidence, Part, Verdict, decide
from training.product import Gate


def store(engine: Engine, verdict: Verdict) -> None:
    """Add a verdict; it has an id, a product and a version."""
    facts = {name: getattr(verdict, name) for name in _COLUMNS}
    numbers = dict(verdict.numbers)
    evidence = None if verdict.evidence is None else packed(verdict.evidence)
    with engine.begin() as connection:
        connection.execute(insert(verdicts).values(**facts, numbers=numbers, evidence=evidence))


_COLUMNS = ("id", "product", "version", "champion", "promote", "reason", "since", "until", "rows", "decided_at")


def read(engine: Engine, verdict_id: str) -> Verdict:
    """The verdict with this id. Raises RegistryError when there is none."""
    with engine.connect() as connection:
        row = connection.execute(select(verdicts).where(verdicts.c.id == verdict_id)).one_or_none()
    if row is None:
        raise RegistryError(f"verdict {verdict_id}: there is none of this id; `talentml status` lists the latest")
    return _verdict(row)


def latest(engine: Engine, product: str, count: int = 1) -> list[Verdict]:
    """The newest verdicts on a product, newest first."""
    newest = select(verdicts).where(verdicts.c.product == product).order_by(verdicts.c.decided_at.desc()).limit(count)
    with engine.connect() as connection:
        return [_verdict(row) for row in connection.execute(newest)]


def replay(engine: Engine, verdict_id: str) -> Verdict:
    """The gate's verdict on the stored evidence, once more.

    Raises RegistryError when it differs from the stored one, or when that was reached before anything was scored.
    """
    stored = read(engine, verdict_id)
    if stored.evidence is None:
        raise RegistryError(f"verdict {verdict_id}: {stored.reason}; nothing was scored, so nothing can be replayed")
    again = decide(stored.evidence)
    if (again.promote, again.reason) != (stored.promote, stored.reason):
        raise RegistryError(f"verdict {verdict_id}: stored `{stored.reason}`, replayed `{again.reason}`")
    return stored


def _verdict(row: Row[Any]) -> Verdict:
    facts = {name: getattr(row, name) for name in _COLUMNS}
    evidence = None if row.evidence is None else unpacked(row.evidence)
    return Verdict(**facts, numbers=row.numbers, evidence=evidence, serves=row.applied_at is not None)


def packed(evidence: Evidence) -> bytes:
    """The evidence as a compressed npz: float arrays, bit for bit, and the rest as JSON."""
    arrays: dict[str, Any] = {name: getattr(evidence, name) for name in _ARRAYS}
    for number, part in enumerate(evidence.slices.values()):
        arrays |= {f"slice{number}_candidate": part.candidate, f"slice{number}_champion": part.champion}
    arrays = {name: values for name, values in arrays.items() if values is not None}
    facts = np.frombuffer(json.dumps(_facts(evidence)).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, facts=facts, **arrays)
    return buffer.getvalue()


_ARRAYS = ("candidate", "baseline", "champion", "clusters")


def _facts(evidence: Evidence) -> dict[str, object]:
    return {
        "metric": evidence.metric,
        "higher_is_better": evidence.higher_is_better,
        "gate": asdict(evidence.gate),
        "slices": {name: part.floor for name, part in evidence.slices.items()},
        "seed": evidence.seed,
        "resamples": evidence.resamples,
    }


def unpacked(blob: bytes) -> Evidence:
    """What `packed` packed."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as file:
        arrays = dict(file)
    facts: dict[str, Any] = json.loads(arrays.pop("facts").tobytes())
    facts["gate"] = Gate(**facts["gate"])
    facts["slices"] = _parts(facts["slices"], arrays)
    plain: dict[str, Any] = {name: arrays.get(name) for name in _ARRAYS}
    return Evidence(**facts, **plain)


def _parts(floors: Mapping[str, float], arrays: Mapping[str, Any]) -> dict[str, Part]:
    return {
        name: Part(floor, arrays[f"slice{number}_candidate"], arrays.get(f"slice{number}_champion"))
        for number, (name, floor) in enumerate(floors.items())
    }
