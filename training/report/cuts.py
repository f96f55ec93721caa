"""Where a candidate does worse: by how much was known beforehand, by rank, by how far ahead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.entities import person
from feature_repo.features.person import seniority
from feature_repo.retrieval import facts, historical_frame
from feature_repo.sources.streams import SENIORITIES
from training.candidate import Candidate
from training.evaluation import Predict, predicted
from training.metrics import measure
from training.report.insight import FEWEST_ROWS, Bin, gate_metric

KNOWN_EDGES = (1, 5, 20, 100)
KNOWN = ("none", *(f"{low} to {high - 1}" for low, high in pairwise(KNOWN_EDGES)), "100 up")
HORIZON = "horizon"


@dataclass(frozen=True)
class Cut:
    """A way to part the unseen rows. part: of each row; null where it belongs to none. order: of the parts."""

    name: str
    part: pl.Series
    order: tuple[str, ...]


def answers(candidate: Candidate) -> dict[str, pl.DataFrame]:
    """The unseen rows with the outputs beside them: of the model, and of each baseline by its name."""
    frame = candidate.test_frame
    predicts: Mapping[str, Predict] = {
        "model": candidate.model.predict,
        **{rule.name: rule.predict for rule in candidate.product.baselines},
    }
    return {name: predicted(frame, predict) for name, predict in predicts.items()}


def parts(candidate: Candidate, home: Path, told: Mapping[str, pl.DataFrame]) -> list[Bin]:
    """The gate's metric in each part of each cut, of the model and of the baseline to beat. told: as of `answers`."""
    product = candidate.product
    metric, beaten = gate_metric(product), told[product.gate.beats]
    return [
        Bin(
            cut.name,
            name,
            units(candidate.test_frame.filter(mask)),
            measure(metric, told["model"].filter(mask)),
            measure(metric, beaten.filter(mask)),
        )
        for cut in cuts(candidate, home)
        for name in cut.order
        if units(candidate.test_frame.filter(mask := (cut.part == name).fill_null(False))) >= FEWEST_ROWS
    ]


def units(frame: pl.DataFrame) -> int:
    """How many are judged: lists of a ranking, else rows."""
    return frame["group"].n_unique() if "relevance" in frame.columns else frame.height


def cuts(candidate: Candidate, home: Path) -> Iterator[Cut]:
    """Every way that the product's rows can be parted into two parts or more."""
    for cut in _all(candidate, home):
        if cut.part.drop_nulls().n_unique() > 1:
            yield cut


def _all(candidate: Candidate, home: Path) -> Iterator[Cut]:
    frame, product = candidate.test_frame, candidate.product
    yield from _known_before(candidate, home)
    if person in product.entities:
        ranks = historical_frame(home, frame.select(person.key, "event_timestamp"), [seniority])[seniority.qualified]
        names = ranks.replace_strict(dict(enumerate(SENIORITIES, 1)), default=None, return_dtype=pl.String)
        yield Cut("rank of the person", of_group(frame, names), SENIORITIES)
    if HORIZON in frame.columns:
        ahead = sorted(frame[HORIZON].unique().to_list())
        words = pl.Series([f"{value:.0f}" for value in frame[HORIZON]])
        yield Cut("periods ahead", words, tuple(f"{value:.0f}" for value in ahead))


def _known_before(candidate: Candidate, home: Path) -> Iterator[Cut]:
    """By how many outcomes about the same person, job or skill lie before the unseen period."""
    product, frame = candidate.product, candidate.test_frame
    window = candidate.train_window
    learned = _outcomes(product.label.rows(partial(facts, home, known_before=window.until), window))
    for entity in product.entities:
        if entity.key not in frame.columns:
            continue
        counts = learned.group_by(entity.key).agg(known=pl.col("group").n_unique())
        joined = frame.select(entity.key).join(counts, on=entity.key, how="left", maintain_order="left")
        places = np.searchsorted(KNOWN_EDGES, joined["known"].fill_null(0).to_numpy(), side="right")
        name = f"outcomes known before, of the {entity.name.replace('_', ' ')}"
        yield Cut(name, of_group(frame, pl.Series(np.array(KNOWN)[places])), KNOWN)


def _outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that tell of an outcome: in a ranking those of who or what it was."""
    return rows.filter(pl.col("relevance") > 0) if "relevance" in rows.columns else rows


def of_group(frame: pl.DataFrame, values: pl.Series) -> pl.Series:
    """In a ranking one value for all rows of a group, as parting a group would spoil it: that of the right answer.

    Null for all where some list has no right answer: parting only the others would judge by how it ended.
    """
    if "relevance" not in frame.columns:
        return values
    rows = frame.select("group", value=values, right=pl.when(pl.col("relevance") > 0).then(values))
    is_shared = bool((rows.group_by("group").agg(pl.col("value").n_unique())["value"] == 1).all())
    found = rows.select(pl.col("value" if is_shared else "right").drop_nulls().first().over("group")).to_series()
    return found if is_shared or not found.null_count() else pl.repeat(None, len(found), dtype=pl.String, eager=True)
