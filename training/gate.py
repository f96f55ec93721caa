"""The gate: does a candidate improve on the champion measurably? Values in, verdict out; nothing is read or written.

A verdict on the same evidence is the same verdict: the resampling is seeded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.product import Gate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 2_000_000  # draws at a time: 16 MB of indices
ROUNDING = 1e-12  # 0.51 beats 0.50 by 2%, whatever the last bit says


@dataclass(frozen=True)
class Part:
    """The gate's metric on the units of one slice. champion: None where there was none."""

    floor: float
    candidate: Floats
    champion: Floats | None


@dataclass(frozen=True)
class Evidence:
    """All that a verdict rests upon.

    candidate, champion, baseline: shape (units,), the metric's value of the same unit at the same place; a unit that
    is NaN in all of them has no value. champion: None when there is none yet.
    clusters: shape (units,), units of the same number depend on each other, such as the people on one task, and are
    drawn together; None where each unit stands alone.
    """

    metric: str
    higher_is_better: bool
    gate: Gate
    candidate: Floats
    champion: Floats | None
    baseline: Floats
    slices: Mapping[str, Part] = field(default_factory=dict)
    clusters: Integers | None = None
    seed: int = 42
    resamples: int = 2000


@dataclass(frozen=True)
class Verdict:
    """Whether to promote, and why. The gate fills the first four; promotion adds whom it is about.

    serves: the judged version is the champion now; also after a rerun that had nothing left to do.
    since, until, rows: the unseen rows that were scored.
    """

    promote: bool
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    evidence: Evidence | None = field(default=None, repr=False)
    id: str = ""
    product: str = ""
    version: int = 0
    champion: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    rows: int = 0
    decided_at: datetime | None = None
    serves: bool = False


def decide(evidence: Evidence) -> Verdict:
    """Promote the first model that beats its naive baseline; later only a measurable improvement on the champion.

    First: better than the baseline on average, and the lower confidence bound of the paired difference above 0, so
    that a coin flip is not promoted. Later: better than the champion by gate.improvement of its value, the bound
    above 0, no slice below its floor, and still better than the baseline. Ties, missing values and tiny samples
    are refusals. Raises DataError when the values are not paired. Source: REQUIREMENTS 4.
    """
    _check_paired(evidence)
    known = _known(evidence)
    refusals = list(_unfit(evidence, known))
    if refusals:
        return Verdict(False, "refused: " + "; ".join(refusals), {"units": float(known.sum())}, evidence)
    numbers = _numbers(evidence, known)
    refusals = [*_refusals(evidence, numbers), *_slice_refusals(evidence, numbers)]
    reason = "refused: " + "; ".join(refusals) if refusals else "promoted: " + _praise(evidence, numbers)
    return Verdict(not refusals, reason, numbers, evidence)


def lower_bound(differences: Floats, clusters: Integers | None, confidence: float, seed: int, resamples: int) -> float:
    """The one-sided lower confidence bound of the mean paired difference, by the percentile bootstrap.

    differences: shape (units,). Clusters are drawn with replacement, each with all its units.
    Source: Efron & Tibshirani 1993, chapters 8 and 13.
    """
    codes = np.arange(len(differences)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    totals, counts = np.bincount(codes, weights=differences), np.bincount(codes)
    random, n = np.random.default_rng(seed), len(totals)
    step = max(1, CHUNK // n)
    means = []
    for begin in range(0, resamples, step):
        drawn = random.integers(0, n, (min(step, resamples - begin), n))
        means.append(totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return float(np.quantile(np.concatenate(means), 1 - confidence))


def _check_paired(evidence: Evidence) -> None:
    given = {"candidate": evidence.candidate, "champion": evidence.champion, "baseline": evidence.baseline}
    sizes = {name: len(values) for name, values in given.items() if values is not None}
    if evidence.clusters is not None:
        sizes["clusters"] = len(evidence.clusters)
    if len(set(sizes.values())) != 1:
        raise DataError(f"{evidence.metric}: {sizes} units, allowed: the same units for all")
    for name, part in evidence.slices.items():
        if part.champion is not None and len(part.champion) != len(part.candidate):
            raise DataError(f"slice {name}: {len(part.candidate)} candidate and {len(part.champion)} champion units")


def _series(evidence: Evidence) -> dict[str, Floats]:
    found = {"candidate": evidence.candidate, "baseline": evidence.baseline}
    return found if evidence.champion is None else {**found, "champion": evidence.champion}


def _known(evidence: Evidence) -> NDArray[np.bool_]:
    """Units with a value: one that is NaN for every model has no outcome to be judged by."""
    known: NDArray[np.bool_] = ~np.all([np.isnan(values) for values in _series(evidence).values()], axis=0)
    return known


def _unfit(evidence: Evidence, known: NDArray[np.bool_]) -> Iterator[str]:
    """Why the evidence allows no comparison."""
    for name, values in _series(evidence).items():
        if missing := int((~np.isfinite(values[known])).sum()):
            yield f"{evidence.metric} of the {name} is missing for {missing} of {known.sum()} units"
    for name, part in evidence.slices.items():
        yield from _unfit_slice(evidence.metric, name, part)
    units = int(known.sum()) if evidence.clusters is None else len(np.unique(evidence.clusters[known]))
    if units < evidence.gate.minimum_units:
        yield f"{units} units are too few to judge upon, at least {evidence.gate.minimum_units}"


def _unfit_slice(metric: str, name: str, part: Part) -> Iterator[str]:
    if part.champion is None:
        return
    known = ~(np.isnan(part.candidate) & np.isnan(part.champion))
    if missing := int((~np.isfinite(part.candidate[known] + part.champion[known])).sum()):
        yield f"{metric} on slice {name} is missing for {missing} of {known.sum()} units"


def _numbers(evidence: Evidence, known: NDArray[np.bool_]) -> dict[str, float]:
    """The averages, the differences (above 0: the candidate is better), the bound, and each slice's relative gain."""
    sign = 1.0 if evidence.higher_is_better else -1.0
    rival = evidence.baseline if evidence.champion is None else evidence.champion
    differences = sign * (evidence.candidate - rival)[known]
    clusters = None if evidence.clusters is None else evidence.clusters[known]
    bound = lower_bound(differences, clusters, evidence.gate.confidence, evidence.seed, evidence.resamples)
    averages = {name: float(values[known].mean()) for name, values in _series(evidence).items()}
    return {
        "units": float(known.sum()),
        **averages,
        "gain": float(differences.mean()),
        "relative_gain": _relative(float(differences.mean()), float(rival[known].mean())),
        "gain_lower_bound": bound,
        "gain_over_baseline": sign * (averages["candidate"] - averages["baseline"]),
        **{f"slice {name}": gain for name, gain in _slice_gains(evidence, sign)},
    }


def _relative(gain: float, value: float) -> float:
    """The gain as a share of the rival's value; without a value to divide by, all or nothing."""
    return gain / abs(value) if value else float(np.sign(gain)) * float("inf") if gain else 0.0


def _slice_gains(evidence: Evidence, sign: float) -> Iterator[tuple[str, float]]:
    """The relative gain on the champion per slice; a slice without units has none."""
    for name, part in evidence.slices.items():
        if part.champion is None:
            continue
        known = ~np.isnan(part.candidate)
        if known.any():
            champion = float(part.champion[known].mean())
            yield name, _relative(sign * (float(part.candidate[known].mean()) - champion), champion)


def _refusals(evidence: Evidence, numbers: Mapping[str, float]) -> Iterator[str]:
    gate, metric = evidence.gate, evidence.metric
    rival = "baseline" if evidence.champion is None else "champion"
    against = f"{metric} {numbers['candidate']:.4g} against {numbers[rival]:.4g} of the {_called(evidence, rival)}"
    if numbers["gain"] == 0:
        yield f"{against} is a tie"
    elif numbers["gain"] < 0:
        yield f"{against} is worse by {-numbers['relative_gain']:.1%}"
    elif evidence.champion is not None and numbers["relative_gain"] < gate.improvement - ROUNDING:
        yield f"{against} is {numbers['relative_gain']:.2%} better, at least {gate.improvement:.0%}"
    if numbers["gain"] > 0 and numbers["gain_lower_bound"] <= 0:
        yield (
            f"{against}: the difference of {numbers['gain']:.4g} may be chance, its lower {gate.confidence:.0%} "
            f"bound is {numbers['gain_lower_bound']:.4g} over {numbers['units']:.0f} units"
        )
    if evidence.champion is not None and numbers["gain_over_baseline"] <= 0:
        yield f"{metric} {numbers['candidate']:.4g} does not beat {numbers['baseline']:.4g} of {gate.beats}"


def _slice_refusals(evidence: Evidence, numbers: Mapping[str, float]) -> Iterator[str]:
    for name, part in evidence.slices.items():
        gain = numbers.get(f"slice {name}", 0.0)
        if gain < part.floor - ROUNDING:
            yield f"slice {name} changes by {gain:+.1%}, allowed {part.floor:+.0%}"


def _called(evidence: Evidence, rival: str) -> str:
    return f"baseline {evidence.gate.beats}" if rival == "baseline" else rival


def _praise(evidence: Evidence, numbers: Mapping[str, float]) -> str:
    rival = "baseline" if evidence.champion is None else "champion"
    return (
        f"{evidence.metric} {numbers['candidate']:.4g} against {numbers[rival]:.4g} of the {_called(evidence, rival)}, "
        f"{numbers['relative_gain']:.1%} better, lower {evidence.gate.confidence:.0%} bound of the difference "
        f"{numbers['gain_lower_bound']:.4g} over {numbers['units']:.0f} units"
    )
