"""hr_job_change: who of 19,158 people looks for another job (CC0)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.learners.openness import OpennessClassifier, Profile
from training.suite.check import Check, Measured, table

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Answer = Callable[[pl.DataFrame, Bools, pl.DataFrame], Floats]

FILE = "hr_job_change/aug_train.csv"
FOLDS = 5
REPEATS = (0, 1, 2)  # the AUC of one shuffle wanders by .001; three are averaged

PROFILE = Profile(
    numbers=("city_development_index", "training_hours"),
    ladders={
        "experience": ("<1", *(str(years) for years in range(1, 21)), ">20"),
        "last_new_job": ("never", "1", "2", "3", "4", ">4"),
        # a spreadsheet made "10-49" a date, and "10/49" is how others mended it: both stand between <10 and 50
        "company_size": ("<10", "Oct-49", "10/49", "50-99", "100-500", "500-999", "1000-4999", "5000-9999", "10000+"),
        "education_level": ("Primary School", "High School", "Graduate", "Masters", "Phd"),
        "relevent_experience": (),
        "enrolled_university": (),
        "major_discipline": (),
        "company_type": (),
        "gender": (),
        "city": (),
    },
    crowds=("city",),
)
TEXT = tuple(PROFILE.ladders)


def people(path: Path) -> pl.DataFrame:
    """A row per person; text columns are text even where all their values are digits."""
    return table(path, (*PROFILE.columns, "target"), TEXT).drop_nulls("target")


def _splits(is_open: Bools) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import StratifiedKFold

    for seed in REPEATS:
        yield from StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(is_open, is_open)


def _area(frame: pl.DataFrame, is_open: Bools, answer: Answer) -> float:
    from sklearn.metrics import roc_auc_score

    areas = [
        roc_auc_score(is_open[test], answer(frame[train], is_open[train], frame[test]))
        for train, test in _splits(is_open)
    ]
    return float(np.mean(areas))


def _ours(train: pl.DataFrame, is_open: Bools, test: pl.DataFrame) -> Floats:
    return OpennessClassifier(PROFILE).fit(train, is_open, seed=0).raw(test)


def _plain(train: pl.DataFrame, is_open: Bools, test: pl.DataFrame) -> Floats:
    """LightGBM as it comes, text columns as its native categories."""
    import lightgbm

    both = pl.concat([train, test]).select(*PROFILE.numbers, *(pl.col(name).rank("dense") for name in TEXT))
    matrix = both.with_columns(pl.all().cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    kinds = list(range(len(PROFILE.numbers), matrix.shape[1]))
    rows = lightgbm.Dataset(matrix[: len(train)], is_open.astype(np.float64), categorical_feature=kinds)
    model = lightgbm.train({"objective": "binary", "verbosity": -1, "deterministic": True, "seed": 0}, rows, 100)
    return np.asarray(model.predict(matrix[len(train) :]))


def measure(folder: Path) -> Measured:
    """AUC over the folds. Leaves and rounds are chosen by inner folds of each fold's training rows."""
    frame = people(folder / FILE)
    is_open = frame["target"].cast(pl.Float64).to_numpy() > 0
    if not FOLDS <= is_open.sum() <= len(is_open) - FOLDS:
        raise DataError(f"{FILE}: {int(is_open.sum())} of {len(is_open)} people look, at least {FOLDS} of each needed")
    baselines = {"everybody alike": {"auc": 0.5}, "LightGBM, defaults": {"auc": _area(frame, is_open, _plain)}}
    return Measured({"auc": _area(frame, is_open, _ours)}, baselines, len(frame))


CHECKS = (
    Check(
        name="hr_job_change",
        title="Who looks for another job",
        product="talent_job_match",
        files=(FILE,),
        split=f"{FOLDS} stratified folds, {len(REPEATS)} shuffles, settings chosen inside the training folds",
        aims={"auc": 0.805},
        measure=measure,
        licence="CC0",
    ),
)
