"""What closing a gap would do: job matches scored again as if the skill were there."""

from datetime import UTC, datetime

import polars as pl
import pytest

from feature_repo.features import talent as talent_f
from training.asking.impact import impacts
from training.route import Answered

ASKS = {"j1": "sql", "j2": "sql", "j3": "go"}


class Market:
    """ann declares python 3; of three jobs two ask for sql and one for go."""

    at = datetime(2020, 1, 1, tzinfo=UTC)

    def __init__(self, jobs=tuple(ASKS), held=("python",)):
        self.jobs, self.held = jobs, held

    def candidates(self, path, subject):
        assert path == "/api/v1/match/talent-to-jobs"
        return self.jobs

    def facts(self, stream, *, first=False):
        return pl.LazyFrame({"job_id": list(self.jobs)}, schema={"job_id": pl.String})

    def read(self, spine, columns, given=None):
        values = {talent_f.skills: list(self.held), talent_f.levels: [3.0] * len(self.held)}
        kinds = {talent_f.skills: pl.List(pl.String)}
        return spine.with_columns(
            pl.Series(each.qualified, [values.get(each, [1.0] * len(self.held))], dtype=kinds.get(each, pl.List(float)))
            for each in columns
        )


def match(product, spine, given):
    """50, and 10 more for each level in what the job asks for."""
    assert product == "talent_job_match"
    sets = zip(given[talent_f.skills.qualified].to_list(), given[talent_f.levels.qualified].to_list(), strict=True)
    held = [dict(zip(*each, strict=True)) for each in sets]
    return pl.DataFrame(
        {"score": [50 + 10 * known.get(ASKS[job], 0) for known, job in zip(held, spine["job_id"], strict=True)]},
        schema={"score": pl.Float64},
    )


def answered(market: Market, target: str | None = None) -> Answered:
    subject = {"person_id": "ann"} | ({"target_id": target} if target else {})
    return Answered(subject, {}, pl.DataFrame(), pl.DataFrame(), None, market, match)


def test_for_a_job_the_impact_is_on_its_own_score():
    [sql, go] = impacts(answered(Market(), "j1"), ["sql", "go"], [4.0, 2.0])
    assert (sql.before, sql.after, sql.jobs_before, sql.jobs_after) == (50.0, 90.0, 0, 2)
    assert (go.before, go.after, go.jobs_after) == (50.0, 50.0, 0)


@pytest.mark.parametrize("target", [None, "occupation"])
def test_without_a_job_it_is_on_the_mean_of_the_best_matches(target):
    [sql] = impacts(answered(Market(), target), ["sql"], [3.0])
    assert (sql.before, sql.after) == (50.0, pytest.approx((80 + 80 + 50) / 3))
    assert sql.jobs_after == 0  # 80 is not above 80


def test_a_skill_that_is_asked_for_at_no_level_is_learnt_to_the_usual_one():
    [go] = impacts(answered(Market(), "j3"), ["go"], [None])
    assert go.after == 80.0


def test_nobody_unlearns_what_they_know():
    [sql] = impacts(answered(Market(held=("sql",)), "j1"), ["sql"], [1.0])
    assert (sql.before, sql.after) == (80.0, 80.0)


def test_it_is_said_in_a_sentence():
    [sql] = impacts(answered(Market(), "j1"), ["sql"], [4.0])
    assert sql.sentence == "Learn sql: 50 -> 90, 2 jobs above 80"


def test_where_there_are_no_jobs_there_is_no_impact():
    assert impacts(answered(Market(jobs=())), ["sql"], [3.0]) == []


def test_who_declares_nothing_is_helped_too():
    [sql] = impacts(answered(Market(held=()), "j1"), ["sql"], [2.0])
    assert (sql.before, sql.after) == (50.0, 70.0)
