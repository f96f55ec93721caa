"""How far columns moved, and what follows for a product."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Verdict = Literal["none", "drift", "insufficient"]


@dataclass(frozen=True)
class Shift:
    """How far one column moved. score: population stability index; limit: from where on it counts as drift."""

    score: float
    limit: float

    @property
    def is_drift(self) -> bool:
        return self.score >= self.limit


@dataclass(frozen=True)
class DriftReport:
    """What was found of one product.

    share: of the product's columns that drifted, NaN when insufficient. shifts: by column, also those of outputs and
    labels, which do not count in the share. rows, units: (reference, current); units are tasks where rows have one.
    html: None when insufficient.
    """

    product: str
    verdict: Verdict
    reason: str
    share: float
    shifts: Mapping[str, Shift]
    rows: tuple[int, int]
    units: tuple[int, int]
    html: Path | None
    json: Path
    outputs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The product's columns that drifted, the furthest first."""
        return self._moved([name for name in self.shifts if name not in (*self.outputs, *self.labels)])

    @property
    def drifted_outputs(self) -> tuple[str, ...]:
        """The predictions that drifted."""
        return self._moved(self.outputs)

    @property
    def drifted_labels(self) -> tuple[str, ...]:
        """The outcomes that drifted."""
        return self._moved(self.labels)

    def _moved(self, names: Sequence[str]) -> tuple[str, ...]:
        moved = [name for name in names if self.shifts[name].is_drift]
        return tuple(sorted(moved, key=lambda name: -self.shifts[name].score))

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the report."""
        return (self.json,) if self.html is None else (self.html, self.json)

    def numbers(self) -> dict[str, float]:
        """What can be drawn over time: the share and each column's score."""
        scores = {f"drift/{name}": shift.score for name, shift in self.shifts.items()}
        return {"drift_share": self.share, "drift_rows": float(self.rows[1]), **scores}

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        shifts = {
            name: {"score": shift.score, "limit": shift.limit, "drift": shift.is_drift}
            for name, shift in self.shifts.items()
        }
        return {
            "product": self.product,
            "verdict": self.verdict,
            "reason": self.reason,
            "share": None if math.isnan(self.share) else self.share,
            "drifted": list(self.drifted),
            "drifted_outputs": list(self.drifted_outputs),
            "drifted_labels": list(self.drifted_labels),
            "rows": {"reference": self.rows[0], "current": self.rows[1]},
            "units": {"reference": self.units[0], "current": self.units[1]},
            "columns": shifts,
            "left_out": list(self.left_out),
            "html": None if self.html is None else str(self.html),
            "json": str(self.json),
        }
