"""Evidently's part of a drift report: its metrics over compared columns, as numbers, as a page and as JSON."""

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from html import escape
from pathlib import Path
from typing import Any

from monitoring import psi
from monitoring.comparison import Compared
from monitoring.shift import Shift


def snapshot(columns: Sequence[Compared], others: Sequence[Compared], share: float) -> Any:
    """Evidently's run of its drift preset over columns, and of a metric for each of the others.

    share: of the columns, from which on Evidently's own test fails.
    """
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift
    from evidently.presets import DataDriftPreset

    method = psi.register()
    numbers = [each.name for each in (*columns, *others) if pd.api.types.is_numeric_dtype(each.reference)]
    texts = [each.name for each in (*columns, *others) if each.name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    preset = DataDriftPreset(
        columns=[each.name for each in columns],
        drift_share=share,
        num_method=method,
        cat_method=method,
        per_column_threshold={each.name: each.limit for each in columns},
    )
    values = [ValueDrift(column=each.name, method=method, threshold=each.limit) for each in others]
    current, reference = (
        Dataset.from_pandas(pd.DataFrame({each.name: getattr(each, side) for each in (*columns, *others)}), definition)
        for side in ("current", "reference")
    )
    return Report([preset, *values], include_tests=True).run(current, reference)


def share(found: Any) -> float:
    """The share of the preset's columns that drifted."""
    return float(_metrics(found, ":DriftedColumnsCount")[0]["value"]["share"])


def shifts(found: Any) -> dict[str, Shift]:
    """How far each column moved."""
    return {
        each["config"]["column"]: Shift(float(each["value"]), float(each["config"]["threshold"]))
        for each in _metrics(found, ":ValueDrift")
    }


def _metrics(found: Any, kind: str) -> list[dict[str, Any]]:
    return [each for each in found.dict()["metrics"] if each["config"]["type"].endswith(kind)]


def write_page(found: Any, path: Path, title: str, about: str) -> None:
    """Evidently's page under a heading that says what it is about; it needs no network."""
    found.save_html(str(path))
    text = path.read_text(encoding="utf-8")
    head = (
        '<body><header style="font: 16px/1.5 sans-serif; max-width: 1300px; margin: 1.5rem auto">'
        f"<h1>{escape(title)}</h1><p>{escape(about)}</p></header>"
    )
    text = text.replace("<body>", head, 1).replace("<head>", f"<head><title>{escape(title)}</title>", 1)
    path.write_text(text, encoding="utf-8")


def plain(value: Any) -> Any:
    """A value without what JSON lacks: numpy's numbers, enums, NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
