"""Facts of talents, jobs and occupations as columns, and texts as vectors, against tables."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.features import job, occupation, talent
from feature_repo.features.texts import no_encoder, vectors
from feature_repo.ingest import view_frames
from tests.feature_repo.world import day, write_streams

TALENTS = """
person_id  headline  education  wants_remote  latitude  recorded_at
ann        builder   MASTER     1             -         01
ann        -         DOCTORATE  -             52.5      05
bob        builder   -          1             48.1      02
"""


def by_length(texts):
    """A vector of unit length for each text."""
    return np.array([[len(text) / 10, np.sqrt(1 - (len(text) / 10) ** 2)] for text in texts], dtype=np.float32)


def rows_of(view, folder: Path, encode=by_length, **tables: str) -> pl.DataFrame:
    [(_, frame)] = view_frames(write_streams(folder, **tables), [view], encode)
    return frame


def test_each_version_of_a_talent_is_a_row_and_what_was_not_said_is_missing(tmp_path):
    frame = rows_of(talent.view, tmp_path, talents=TALENTS)
    columns = ("person_id", "event_timestamp", "education", "wants_remote", "latitude")
    assert frame.select(columns).rows() == [
        ("ann", day("01"), 3.0, 1.0, None),
        ("ann", day("05"), 4.0, None, 52.5),
        ("bob", day("02"), None, 1.0, 48.1),
    ]


def test_a_headline_is_a_vector_of_its_own_version(tmp_path):
    found = rows_of(talent.view, tmp_path, talents=TALENTS)["vector"].to_list()
    assert found[1] is None
    assert found[0] == found[2] == pytest.approx([0.7, np.sqrt(0.51)])


def test_a_text_that_is_repeated_is_encoded_once(tmp_path):
    asked = []
    rows_of(talent.view, tmp_path, lambda texts: asked.append(list(texts)) or by_length(texts), talents=TALENTS)
    assert asked == [["builder"]]


def test_without_texts_nothing_is_encoded(tmp_path):
    files = write_streams(tmp_path)
    assert all(not frame.height for frame in vectors(files, no_encoder).values())


def test_a_text_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(DataError, match="1 texts to encode, such as 'builder'"):
        vectors(write_streams(tmp_path, talents=TALENTS), no_encoder)


@pytest.mark.parametrize(("level", "rank"), [("INTERN", 1.0), ("DIRECTOR", 7.0), ("-", None)])
def test_a_job_asks_for_a_rank(tmp_path, level, rank):
    table = f"job_id seniority_level education recorded_at\nj1 {level} NONE 01"
    assert rows_of(job.view, tmp_path, jobs=table).select("seniority", "education").row(0) == (rank, 0.0)


def test_no_column_of_a_job_tells_how_it_ended():
    assert {column.name for column in job.view.columns}.isdisjoint({"status", "closed_at"})


def test_an_occupation_has_the_vector_of_its_text(tmp_path):
    table = "occupation_id text job_zone recorded_at\no1 builder 4 01\no2 - - 01"
    frame = rows_of(occupation.view, tmp_path, occupations=table)
    assert frame.select("occupation_id", "job_zone").rows() == [("o1", 4.0), ("o2", None)]
    assert [vector is None for vector in frame["vector"].to_list()] == [False, True]


def test_traits_are_listed_with_their_values(tmp_path):
    table = "person_id trait_id value recorded_at\nann social 0.9 01\nann artistic 0.2 01"
    frame = rows_of(occupation.person_trait_set, tmp_path, person_traits=table)
    assert frame.select("cared", "cared_values").rows() == [(["artistic", "social"], [0.2, 0.9])]
