"""From verdict to alias: both models are loaded and scored as the server would, the gate decides, the alias moves.

One promotion of a product at a time. Whatever fails, the previous champion stays.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.errors import DataError, RegistryError
from feature_repo.settings import Settings
from training import history, verdicts
from training.evaluation import predicted
from training.gate import Evidence, Floats, Integers, Part, Verdict, decide
from training.history import Move
from training.model import load_model
from training.product import Metric, Model, Product
from training.registry import Registry
from training.report.insight import gate_metric
from training.version import Version

Unseen = Callable[[Product, Path, datetime, datetime], pl.DataFrame]
"""(product, home, as_of, since) to the labelled rows with since <= event_timestamp < as_of."""


@dataclass(frozen=True)
class Contest:
    """A challenger and the champion that it is up against, None when there is none yet."""

    product: Product
    challenger: Version
    champion: Version | None

    @property
    def since(self) -> datetime:
        """From here on, neither has seen an event."""
        both = [self.challenger] if self.champion is None else [self.challenger, self.champion]
        return max(version.trained_until for version in both)

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict of the gate, with an id and whom it is about."""
        return replace(
            verdict,
            id=uuid.uuid4().hex,
            product=self.product.name,
            version=self.challenger.number,
            champion=None if self.champion is None else self.champion.number,
            decided_at=datetime.now(UTC),
        )


def promote(
    product: Product,
    settings: Settings,
    as_of: datetime,
    version: int | None = None,
    *,
    again: bool = False,
    unseen: Unseen | None = None,
) -> Verdict:
    """Let the gate judge a version, the challenger unless given, and make it champion if the verdict says so.

    again: allow a version that was rolled back. Every verdict is stored, refusals too. Raises RegistryError when a
    version cannot be fetched or loaded, DataError when there are no rows to judge upon.
    """
    registry = Registry(settings)
    with registry.lock(f"promote-{product.name}"):
        registry.settle(product.name)
        contest = _contest(registry, product, version)
        refusal = _refusal(registry, contest, as_of, again)
        verdict = refusal or _judge(registry, contest, as_of, unseen or _unseen())
        verdicts.store(registry.engine, verdict)
        if verdict.promote:
            verdict = _apply(registry, verdict)
        if not refusal:
            registry.show(verdict)
        return verdict


def rollback(product: Product, settings: Settings) -> Version:
    """Make the champion before this one champion again, once it is known to load; gives it.

    Raises RegistryError when there is none.
    """
    registry = Registry(settings)
    with registry.lock(f"promote-{product.name}"):
        registry.settle(product.name)
        current = registry.champion(product.name)
        number = None if current is None else history.previous(registry.engine, product.name, current.number)
        if current is None or number is None:
            raise RegistryError(f"{product.name}: no earlier champion to roll back to")
        target = registry.version(product.name, number)
        load_model(registry.fetch(target))
        reason = f"rolled back from version {current.number}"
        registry.move(Move(product.name, "rollback", number, current.number, reason))
    return target


def evidence(product: Product, frame: pl.DataFrame, challenger: Model, champion: Model | None) -> Evidence:
    """The gate's metric of both models and of the baseline, on the same rows, whole and by slice."""
    metric = gate_metric(product)
    rule = next(baseline for baseline in product.baselines if baseline.name == product.gate.beats)
    ours = _answers(product, frame, challenger)
    theirs = None if champion is None else _answers(product, frame, champion)
    values = _values(metric, ours)
    return Evidence(
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        gate=product.gate,
        candidate=values,
        champion=None if theirs is None else _values(metric, theirs),
        baseline=_values(metric, predicted(frame, rule.predict)),
        slices={part.name: _part(metric, part.floor, part.where(frame), ours, theirs) for part in product.slices},
        clusters=_clusters(frame, len(values)),
    )


def _part(metric: Metric, floor: float, rows: pl.Series, ours: pl.DataFrame, theirs: pl.DataFrame | None) -> Part:
    champion = None if theirs is None else _values(metric, theirs.filter(rows))
    return Part(floor, _values(metric, ours.filter(rows)), champion)


def _values(metric: Metric, frame: pl.DataFrame) -> Floats:
    if metric.total is not None:
        raise DataError(f"{metric.name}: it is no mean of its units, so the gate cannot pair them; name another metric")
    return np.asarray(metric.values(frame), dtype=np.float64) if frame.height else np.empty(0)


def _clusters(frame: pl.DataFrame, units: int) -> Integers | None:
    """Rows of one cluster, or group where the label names none, depend on each other; units that are groups do not."""
    name = next((name for name in ("cluster", "group") if name in frame.columns), None)
    if units != frame.height or name is None:
        return None
    codes: Integers = frame[name].rank("dense").to_numpy().astype(np.int64)
    return codes


def _answers(product: Product, frame: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The labelled frame with the model's answers. Raises DataError when they are not one per row and output."""
    answers = pl.DataFrame(model.predict(frame))
    if answers.height != frame.height or tuple(answers.columns) != product.outputs:
        raise DataError(
            f"{product.name}: {answers.height} answers of {', '.join(answers.columns)}, "
            f"allowed: {frame.height} of {', '.join(product.outputs)}"
        )
    return frame.hstack(answers)


def _unseen() -> Unseen:
    from training.fit import unseen

    return unseen


def _contest(registry: Registry, product: Product, number: int | None) -> Contest:
    champion = registry.champion(product.name)
    # Without a challenger the last one has been promoted: the champion itself, so a rerun is told so.
    found = registry.version(product.name, number) if number else registry.challenger(product.name) or champion
    if found is None:
        raise RegistryError(f"{product.name}: nothing is trained, `talentml train {product.name}` comes first")
    return Contest(product, found, champion)


def _refusal(registry: Registry, contest: Contest, as_of: datetime, again: bool) -> Verdict | None:
    """A refusal for which nothing needs to be scored."""
    name, number, champion = contest.product.name, contest.challenger.number, contest.champion
    if champion is not None and champion.number == number:
        verdict = Verdict(False, f"refused: version {number} is the champion already", serves=True)
    elif not again and history.is_rolled_back(registry.engine, name, number):
        verdict = Verdict(False, f"refused: version {number} was rolled back; ask for it again to judge it anew")
    elif contest.since >= as_of:
        seen = f"{contest.since:%Y-%m-%d}, as of {as_of:%Y-%m-%d}"
        verdict = Verdict(False, f"refused: no unseen rows, the models were trained until {seen}")
    else:
        return None
    return contest.verdict(verdict)


def _judge(registry: Registry, contest: Contest, as_of: datetime, unseen: Unseen) -> Verdict:
    """The gate's verdict on rows that neither model has seen, both loaded from their verified copies."""
    challenger = load_model(registry.fetch(contest.challenger))
    champion = None if contest.champion is None else load_model(registry.fetch(contest.champion))
    frame = unseen(contest.product, registry.root, as_of, contest.since)
    _check_unseen(contest, frame, as_of)
    verdict = decide(evidence(contest.product, frame, challenger, champion))
    return contest.verdict(replace(verdict, since=contest.since, until=as_of, rows=frame.height))


def _check_unseen(contest: Contest, frame: pl.DataFrame, as_of: datetime) -> None:
    """Raises DataError for a row that a model may have been trained on, or that lies after the as-of date."""
    events = frame["event_timestamp"]
    outside = frame.filter((events < contest.since) | (events >= as_of)).height
    if outside:
        raise DataError(
            f"{contest.product.name}: {outside} rows to judge upon lie outside {contest.since:%F} to {as_of:%F}"
        )


def _apply(registry: Registry, verdict: Verdict) -> Verdict:
    move = Move(verdict.product, "promote", verdict.version, verdict.champion, verdict.reason, verdict.id)
    registry.move(move)
    return replace(verdict, serves=True)
