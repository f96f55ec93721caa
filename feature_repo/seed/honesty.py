"""Are careers as hard to judge as they are in life? A plain model of the pairs must be right in 70 to 85 of 100 cases.

A model that is always right shows that the generator wrote its rule into the labels; one below the band, that the
labels follow from nothing that can be known.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from feature_repo.seed.people import Floats, Ints

LOWEST, HIGHEST = 0.70, 0.85
LATEST_SHARE = 0.5  # of the judged pairs, for a narrow answer: four numbers are learnt from few earlier ones
FEWEST_PAIRS = 200

Rows = Mapping[str, pl.DataFrame]


def accuracy(rows: Rows) -> tuple[float, int] | None:
    """The share of the latest judgements that a logistic regression on the earlier ones gets right, and their number.

    rows: career_matches, talent_skills, occupation_skills, person_traits, occupation_traits. Pairs that people report
    of themselves are not judged. None where there are fewer than FEWEST_PAIRS judged pairs.
    """
    from sklearn.linear_model import LogisticRegression

    judged = rows["career_matches"].filter(pl.col("match_type") != "REPORTED").sort("judged_at", "person_id")
    if judged.height < FEWEST_PAIRS:
        return None
    columns, answers = similarities(judged, rows), judged["is_match"].to_numpy()
    cut = round(judged.height * (1 - LATEST_SHARE))
    model = LogisticRegression(max_iter=1_000).fit(columns[:cut], answers[:cut])
    return float(model.score(columns[cut:], answers[cut:])), judged.height - cut


def similarities(pairs: pl.DataFrame, rows: Rows) -> Floats:
    """For each pair: how far the declared skills reach, how far traits agree, their product and their distance."""
    reach = _coverage(pairs, rows).to_numpy()
    agreement = _agreement(pairs, rows)
    return np.stack([reach, agreement, reach * agreement, np.abs(reach - agreement)], axis=1)


def _coverage(pairs: pl.DataFrame, rows: Rows) -> pl.Series:
    """The occupation's skills that the person declares, weighted by importance, 0 to 1."""
    needs = rows["occupation_skills"].select("occupation_id", "skill_id", "importance", need="level")
    declared = rows["talent_skills"].select("person_id", "skill_id", has="level")
    numbered = pairs.select("person_id", "occupation_id").with_row_index("pair")
    asked = numbered.join(needs, on="occupation_id").join(declared, on=["person_id", "skill_id"], how="left")
    reach = (pl.col("has").fill_null(0.0) / pl.col("need")).clip(0, 1) * pl.col("importance")
    by_pair = asked.group_by("pair").agg((reach.sum() / pl.col("importance").sum()).alias("reach"))
    return numbered.join(by_pair, on="pair", how="left", maintain_order="left")["reach"].fill_null(0.0)


def _agreement(pairs: pl.DataFrame, rows: Rows) -> Floats:
    """Correlation of the person's traits with the occupation's, 0 where one of them is not known."""
    traits = sorted(rows["occupation_traits"]["trait_id"].unique())
    people, served = (
        _standard(rows[name], key, traits)
        for name, key in (("person_traits", "person_id"), ("occupation_traits", "occupation_id"))
    )
    person = _places(pairs["person_id"], people["person_id"])
    occupation = _places(pairs["occupation_id"], served["occupation_id"])
    left, right = people.select(traits).to_numpy(), served.select(traits).to_numpy()
    return np.asarray((left[person] * right[occupation]).sum(axis=1) * ((person >= 0) & (occupation >= 0)))


def _places(keys: pl.Series, among: pl.Series) -> Ints:
    """Where each key is among others, -1 for those that are not there."""
    index = pl.DataFrame({"key": among}).with_row_index("place")
    found = pl.DataFrame({"key": keys}).join(index, on="key", how="left", maintain_order="left")["place"]
    return found.cast(pl.Int64).fill_null(-1).to_numpy()


def _standard(frame: pl.DataFrame, key: str, traits: list[str]) -> pl.DataFrame:
    """A row for each key with its traits centred and of length 1."""
    wide = frame.pivot(on="trait_id", index=key, values="value", maintain_order=True).select(key, *traits)
    values = wide.select(traits).fill_null(strategy="zero").to_numpy()
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return pl.DataFrame(centred / length, schema=traits).insert_column(0, wide[key])
