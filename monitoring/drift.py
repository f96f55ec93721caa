"""Whether the rows that a model meets now look like those that it learned from: an Evidently report per product.

The definitions are the product's: its columns are compared for data drift, its outputs for prediction drift, and the
labels, where both frames hold them, for target drift. Only data drift counts in the share.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from monitoring import snapshot
from monitoring.comparison import MISSING, compared, units
from monitoring.psi import FEWEST_UNITS
from monitoring.shift import DriftReport, Verdict
from training.product import Product

NAMED = 5
NO_LABELS = ("is_candidate",)
COLUMN, OUTPUT, LABEL = "column", "output", "label"


def drift(product: Product, reference: pl.DataFrame, current: pl.DataFrame, folder: Path) -> DriftReport:
    """Compare current rows with the training reference and write drift.html and drift.json into folder.

    reference, current: the product's qualified columns, its outputs, and labels where known. `group` or `task_id` say
    which rows belong together; fewer than FEWEST_UNITS tasks, in either frame, are no verdict. With event_timestamp a
    column drifts only if it moved half as far again as it ever did within the reference, from one period as long as the
    current one to the next. A column that one frame lacks is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counted = units(reference), units(current)
    blank = DriftReport(
        product=product.name,
        verdict="insufficient",
        reason=f"{counted[0]} reference and {counted[1]} current cases, at least {FEWEST_UNITS} of each are needed",
        share=math.nan,
        shifts={},
        rows=(reference.height, current.height),
        units=counted,
        html=None,
        json=folder / "drift.json",
    )
    if min(counted) < FEWEST_UNITS:
        return _written(blank, {})
    return _measured(product, reference, current, replace(blank, html=folder / "drift.html"))


def _measured(product: Product, reference: pl.DataFrame, current: pl.DataFrame, blank: DriftReport) -> DriftReport:
    roles = _roles(product, reference)
    found = compared(roles, reference, current)
    parts = {
        role: [each for each in found if roles[each.name.removesuffix(MISSING)] == role]
        for role in (COLUMN, OUTPUT, LABEL)
    }
    allowed = product.drift.share
    ran = snapshot.snapshot(parts[COLUMN], [*parts[OUTPUT], *parts[LABEL]], allowed)
    left = set(roles) - {each.name.removesuffix(MISSING) for each in found}
    report = replace(
        blank,
        share=snapshot.share(ran),
        shifts=snapshot.shifts(ran),
        outputs=tuple(each.name for each in parts[OUTPUT]),
        labels=tuple(each.name for each in parts[LABEL]),
        left_out=tuple(name for name in roles if name in left),
    )
    judged = _judged(report, allowed)
    _write_page(judged, ran)
    return _written(judged, ran.dict())


def _roles(product: Product, frame: pl.DataFrame) -> dict[str, str]:
    """What each name is: a column, an output, or a label.

    Labels are what label.rows adds to a spine: numbers and truths that are neither columns nor outputs, nor asked for
    in a request, such as a horizon.
    """
    asked = {name for route in product.routes for name in route.inputs}
    kinds = (pl.Float64, pl.Boolean)
    labels = [name for name, kind in frame.schema.items() if kind in kinds and "__" not in name]
    return {
        **dict.fromkeys((name for name in labels if name not in (*NO_LABELS, *asked)), LABEL),
        **dict.fromkeys((column.qualified for column in product.columns), COLUMN),
        **dict.fromkeys(product.outputs, OUTPUT),
    }


def _judged(report: DriftReport, allowed: float) -> DriftReport:
    """The verdict, and its reason in a sentence."""
    verdict: Verdict = "drift" if report.share > allowed else "none"
    columns = len(report.shifts) - len(report.outputs) - len(report.labels)
    said = [f"{len(report.drifted)} of {columns} columns drifted ({report.share:.0%}), allowed {allowed:.0%}"]
    named = {
        "furthest: ": report.drifted[:NAMED],
        "predictions: ": report.drifted_outputs,
        "outcomes: ": report.drifted_labels,
    }
    said += [f"{what}{', '.join(names)}" for what, names in named.items() if names]
    return replace(report, verdict=verdict, reason="; ".join(said))


def _write_page(report: DriftReport, ran: Any) -> None:
    assert report.html is not None
    title = f"{report.product}: {'drift found' if report.verdict == 'drift' else 'no drift'}"
    about = f"{report.rows[1]:,} current rows against {report.rows[0]:,} of the training reference. {report.reason}."
    snapshot.write_page(ran, report.html, title, about)


def _written(report: DriftReport, evidently: Mapping[str, Any]) -> DriftReport:
    """Write the report and what Evidently found as strict JSON."""
    content = {**report.to_dict(), "evidently": snapshot.plain(evidently)}
    report.json.write_text(json.dumps(content, allow_nan=False, indent=1), encoding="utf-8")
    return report
