"""Rows written by the field come back from every source as they were: what every seed of real data relies on."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from feature_repo.extract import window_rows
from feature_repo.seed.pattern import pattern
from feature_repo.seed.stream_rows import write_stream
from feature_repo.seed.synthetic import UNTIL, streams_of, world
from feature_repo.settings import Settings
from feature_repo.sources import schema
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import STREAMS, skills, stream, talent_skills
from feature_repo.window import Window, instant
from tests.feature_repo.worlds import own_servers

ALWAYS = Window(instant("1970-01-01"), instant("2100-01-01"))
FRAMES = streams_of(world(20, 100, 42, UNTIL))


@pytest.fixture(scope="module")
def written() -> Iterator[Settings]:
    """Every stream written twice: the second time changes nothing."""
    with own_servers("written") as settings:
        schema.create(settings)
        for _ in range(2):
            for each in STREAMS:
                assert write_stream(settings, each, FRAMES[each.name]) == FRAMES[each.name].height
        yield settings


@pytest.mark.parametrize("declared", STREAMS, ids=lambda each: each.name)
def test_a_stream_comes_back_as_it_was_written(written: Settings, declared: Stream) -> None:
    assert pl.DataFrame(window_rows(written, declared, ALWAYS)).equals(FRAMES[declared.name])


def test_a_pattern_names_the_columns_that_writers_take() -> None:
    assert pattern(skills).label == "Skill"
    assert str(pattern(talent_skills).relation) == "(User)-[HAS_SKILL]->(Skill)"
    assert pattern(talent_skills).columns == {
        "person_id": "start",
        "skill_id": "end",
        "level": "level",
        "years": "years",
        "recorded_at": "recordedAt",
    }
    assert pattern(stream("prerequisites")).columns["skill_id"] == "end"


def test_a_relationship_makes_the_nodes_that_are_missing_and_describes_none(written: Settings) -> None:
    row = FRAMES["talent_skills"].head(1).with_columns(person_id=pl.lit("so/1"), skill_id=pl.lit("so/cobol"))
    write_stream(written, talent_skills, row)
    found = pl.DataFrame(window_rows(written, talent_skills, ALWAYS))
    assert found.filter(pl.col("skill_id") == "so/cobol")["person_id"].to_list() == ["so/1"]
    assert "so/cobol" not in set(pl.DataFrame(window_rows(written, skills, ALWAYS))["skill_id"])


def test_a_label_that_is_not_in_the_graph_is_no_row_and_no_error(written: Settings) -> None:
    assert window_rows(written, replace(skills, origin="(s:Nowhere)"), ALWAYS).num_rows == 0
