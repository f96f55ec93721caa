"""How tasks like this one went: means over finished tasks, by what makes tasks alike."""

import numpy as np
from numpy.typing import NDArray

from feature_repo.column import Column, View
from feature_repo.features import history, match
from feature_repo.features.pair import alike, by_name, declared, difference, faded, known, remaining
from feature_repo.features.standing import read_off

Floats = NDArray[np.float64]
PRIOR_TASKS = 2.0  # evidence by which a mean is drawn to 0


def _finished(of: View) -> Column:
    def finished(count: Floats, day: Floats, at: Floats) -> Floats:
        return faded(count, day, at, 365)

    inputs = (f"{of.name}__finished_365d", f"{of.name}__day", "at")
    words = f"Tasks finished with the same {alike(of)}, fading by 365 days."
    return declared(f"{of.name}_finished", words, finished, inputs, unit="tasks", minimum=0, source=history.ENDED)


def _mean(of: View, amount: str, what: str, days: int = 365, count: str = "finished") -> Column:
    def mean(total: Floats, tasks: Floats, day: Floats, at: Floats) -> Floats:
        left = remaining(day, at, days)
        means: Floats = known(total) * left / (known(tasks) * left + PRIOR_TASKS)
        return means

    inputs = (f"{of.name}__{amount}_{days}d", f"{of.name}__{count}_{days}d", f"{of.name}__day", "at")
    words = f"Mean {what} of finished tasks with the same {alike(of)}, drawn to 0 by {PRIOR_TASKS:.0f} tasks."
    return declared(f"{of.name}_{amount}_{days}d", words, mean, inputs, source=history.ENDED)


def _log_days(of: View, days: int) -> Column:
    """Over the tasks whose day of completion is known: the others say nothing of days."""
    return _mean(of, "log_days", "ln(1 + days to completion)", days, count="dated")


def _size_gap(of: View) -> Column:
    def usual(total: Floats, count: Floats) -> Floats:
        enough = np.where(count > 1e-3, count, np.nan)
        means: Floats = total / enough
        return means

    words = f"mean ln(1 + actual hours) with the same {alike(of)}"
    mean = read_off(of, "usual_size", f"The {words}.", usual, ("log_hours_365d", "finished_365d"), nulls=1.0)
    words, size = f"ln(1 + estimate) less the {words}.", match.log_estimate.qualified
    return difference(f"{of.name}_size_gap", words, size, mean.qualified, nulls=1.0, source=history.ENDED)


_with_outcomes = [of for of in history.VIEWS if of.has("log_ratio_365d")]
finished = by_name(_finished(of) for of in _with_outcomes)
log_ratios = by_name(_mean(of, "log_ratio", "ln((1 + actual) / (1 + estimated hours))") for of in _with_outcomes)
log_errors = by_name(_mean(of, "log_error", "size of that logarithm") for of in _with_outcomes)
exact = by_name(_mean(of, "exact", "share that took exactly what was estimated") for of in _with_outcomes)
log_days = by_name(_log_days(of, 365) for of in _with_outcomes)
late_log_days = by_name(_log_days(of, 60) for of in _with_outcomes)
size_gaps = by_name(_size_gap(of) for of in history.VIEWS if of.has("log_hours_365d"))
