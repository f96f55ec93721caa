"""Past trials as optuna's study, which suggests the next settings and says when a trial is worth no more time.

A study is built anew for each trial, from the trials before it and a seed of that trial: it does not matter whether
these were made by this run or by one that was killed. Source: Bergstra et al. 2011 (TPE), by optuna.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.tuning.space import Range, Space, Value
from training.tuning.trials import Trial

RANDOM_TRIALS = 8  # before the estimator has enough to suggest from
UNPRUNED_TRIALS = 5


@dataclass(frozen=True)
class Asked:
    """A trial that is under way."""

    trial: Any

    @property
    def parameters(self) -> Mapping[str, Value]:
        found: Mapping[str, Value] = self.trial.params
        return found

    def goes_on(self, scores: Sequence[float]) -> bool:
        """Whether the next fold is worth its time: not where the mean so far is behind the median of earlier trials."""
        self.trial.report(math.fsum(scores) / len(scores), len(scores) - 1)
        return not self.trial.should_prune()


def asked(space: Space, before: Sequence[Trial], higher_is_better: bool, seed: int) -> Asked:
    """The trial that comes after those before it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if higher_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, multivariate=True, seed=seed + len(before)),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
    )
    distributions = {name: _distribution(allowed) for name, allowed in space.items()}
    study.add_trials([_past(trial, distributions) for trial in before])
    return Asked(study.ask(distributions))


def _distribution(allowed: Range | tuple[Value, ...]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(allowed, tuple):
        return CategoricalDistribution(allowed)
    if allowed.is_whole:
        return IntDistribution(int(allowed.low), int(allowed.high), log=allowed.log)
    return FloatDistribution(allowed.low, allowed.high, log=allowed.log)


def _past(trial: Trial, distributions: Mapping[str, Any]) -> Any:
    from optuna.trial import TrialState, create_trial

    is_complete = trial.state == "complete"
    counts = range(1, len(trial.scores) + 1)
    means = {count - 1: math.fsum(trial.scores[:count]) / count for count in counts}
    return create_trial(
        state=TrialState.COMPLETE if is_complete else TrialState.PRUNED,
        value=trial.mean if is_complete else None,
        params=dict(trial.parameters),
        distributions=dict(distributions),
        intermediate_values={place: mean for place, mean in means.items() if math.isfinite(mean)},
    )
