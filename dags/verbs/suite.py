"""The table of a suite: what was measured, line by line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LINE = ("check", "rows", "metric", "ours", "aim", "reached", "baselines")


def lines(checks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A line for each metric of each check; baselines that measure it in one text."""
    for check in checks:
        for metric, value in check["ours"].items():
            beside = {name: scores[metric] for name, scores in check["baselines"].items() if metric in scores}
            yield {
                "check": check["check"],
                "rows": check["rows"],
                "metric": metric,
                "ours": value,
                "aim": check["aims"].get(metric),
                "reached": check["reached"].get(metric),
                "baselines": ", ".join(f"{name} {score:.3f}" for name, score in beside.items()),
            }
