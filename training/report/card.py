"""The model card: what, from what data, how well beside which rules on which rows, where it fails, and its limits."""

import math
from collections.abc import Iterator, Mapping, Sequence

from training.candidate import Candidate, Numbers, Scores
from training.report.insight import Bin, bins, gate_metric, worst

TOP = 10


def card(candidate: Candidate, importance: Numbers, feature_service: str, code_revision: str) -> str:
    """The card as Markdown."""
    found = bins(candidate, list(importance))
    sections = [
        *_what(candidate),
        *_data(candidate, feature_service, code_revision),
        *_how_well(candidate),
        *_where_it_fails(candidate, found),
        *_what_matters(candidate, importance),
        *_limits(candidate),
    ]
    return "\n".join(sections) + "\n"


def summary(candidate: Candidate) -> str:
    """One paragraph: the gate's metric beside each baseline, on how many rows of which days."""
    metric = gate_metric(candidate.product)
    test = candidate.test_window
    others = ", ".join(f"{name} {_show(numbers, metric.name)}" for name, numbers in candidate.baselines.items())
    better = "higher" if metric.higher_is_better else "lower"
    return (
        f"{candidate.product.title}. Trained as of {candidate.as_of:%Y-%m-%d} on {candidate.rows:,} rows. "
        f"{metric.name} {_show(candidate.metrics, metric.name)} ({better} is better; {others}) on "
        f"{candidate.test_frame.height:,} unseen rows, {test.since:%Y-%m-%d} to {test.until:%Y-%m-%d}."
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; numbers are aligned right, the first column, units and meanings left."""
    marks = ["---" if name in ("meaning", "unit", columns[0]) else "---:" for name in columns]
    return ["", *(f"| {' | '.join(cells)} |" for cells in (columns, marks, *rows))]


def _what(candidate: Candidate) -> Iterator[str]:
    product = candidate.product
    about = " and ".join(entity.name for entity in product.entities)
    parameters = ", ".join(f"{name} {value}" for name, value in candidate.parameters.items())
    yield f"# {product.title}"
    yield (
        f"\n`{product.name}` as of {candidate.as_of:%Y-%m-%d}: answers {', '.join(product.outputs)} per {about}. "
        f"Served at `{product.route.path}`; where no model can answer, the rule `{product.fallback}` does."
    )
    yield f"\nParameters: {parameters}."


def _data(candidate: Candidate, feature_service: str, code_revision: str) -> Iterator[str]:
    train, test, product = candidate.train_window, candidate.test_window, candidate.product
    yield "\n## Data"
    yield (
        f"- Learned from {candidate.rows:,} rows with events from {train.since:%Y-%m-%d} to {train.until:%Y-%m-%d}, "
        f"labels as known by {train.until:%Y-%m-%d}; judged on {candidate.test_frame.height:,} unseen rows from "
        f"{test.since:%Y-%m-%d} to {test.until:%Y-%m-%d}. Ends are exclusive."
    )
    yield f"- Feature service `{feature_service}`: {len(product.columns)} columns, each as known at the event."
    yield f"- Data hash `{candidate.data_hash[:16]}`, code `{code_revision[:16]}`, label `{product.label.name}`."


def _how_well(candidate: Candidate) -> Iterator[str]:
    rows = candidate.test_frame.height
    yield "\n## How well"
    yield from _scores(candidate, Scores(rows, candidate.metrics, candidate.baselines), f"All {rows:,} unseen rows.")
    for name, part in candidate.slices.items():
        yield from _scores(candidate, part, f"Slice `{name}`, {part.rows:,} units.")


def _scores(candidate: Candidate, scores: Scores, title: str) -> Iterator[str]:
    yield f"\n{title}"
    names = ["metric", "model", *scores.baselines]
    yield from table(names, [_row(metric.name, scores) for metric in candidate.product.metrics])


def _row(metric: str, scores: Scores) -> list[str]:
    return [metric, *(_show(numbers, metric) for numbers in (scores.champion, *scores.baselines.values()))]


def _show(numbers: Numbers, metric: str) -> str:
    value = numbers.get(metric, math.nan)
    return "-" if math.isnan(value) else f"{value:.4g}"


def _where_it_fails(candidate: Candidate, found: list[Bin]) -> Iterator[str]:
    metric = gate_metric(candidate.product)
    yield "\n## Where it fails"
    behind = list(_beaten(candidate))
    yield "\n".join(behind) if behind else "- No naive baseline is ahead of it on any metric or slice."
    if found:
        parts = worst(found, metric.higher_is_better)
        yield f"\n`{metric.name}` where the model is least ahead of `{candidate.product.gate.beats}`, or behind it:"
        cells = [[f"{part.column} {part.range}", f"{part.rows:,}", *_pair(part)] for part in parts]
        yield from table(["rows with", "rows", "model", candidate.product.gate.beats], cells)


def _pair(part: Bin) -> list[str]:
    return [f"{part.model:.4g}", f"{part.baseline:.4g}"]


def _beaten(candidate: Candidate) -> Iterator[str]:
    """A line per metric, baseline and slice where the baseline is ahead."""
    whole = {"": Scores(0, candidate.metrics, candidate.baselines)}
    for where, scores in {**whole, **{f" on slice {name}": part for name, part in candidate.slices.items()}}.items():
        for metric in candidate.product.metrics:
            sign = 1 if metric.higher_is_better else -1
            for name, numbers in scores.baselines.items():
                if sign * (_number(numbers, metric.name) - _number(scores.champion, metric.name)) > 0:
                    ours, theirs = _show(scores.champion, metric.name), _show(numbers, metric.name)
                    yield f"- {metric.name}{where}: {theirs} by `{name}`, {ours} by the model."


def _number(numbers: Mapping[str, float], name: str) -> float:
    return numbers.get(name, math.nan)


def _what_matters(candidate: Candidate, importance: Numbers) -> Iterator[str]:
    facts = {column.qualified: column for column in candidate.product.columns}
    yield "\n## What matters"
    yield "Mean absolute contribution to the explained output."
    rows = [
        [f"`{name}`", f"{value:.3g}", facts[name].unit or "-" if name in facts else "-", _described(facts.get(name))]
        for name, value in list(importance.items())[:TOP]
    ]
    yield from table(["column", "contribution", "unit", "meaning"], rows)


def _described(column: object) -> str:
    words: str = getattr(column, "description", "")
    return words.split("\n")[0].replace("|", "/") or "-"


def _limits(candidate: Candidate) -> Iterator[str]:
    product, frame = candidate.product, candidate.test_frame
    names = [column.qualified for column in product.columns if column.qualified in frame.columns]
    empty = [name for name in names if frame.height and frame[name].null_count() > frame.height / 2]
    yield "\n## Limits"
    yield "- It repeats what was recorded in those days, and says nothing on why it was so."
    days = (candidate.test_window.until - candidate.test_window.since).days
    yield f"- Measured on {days} days; later days may differ, which is what the drift report watches."
    yield f"- The gate judges `{product.gate.metric}` only; the other numbers are for people."
    if empty:
        yield f"- Mostly missing on the unseen rows: {', '.join(f'`{name}`' for name in empty)}."
