"""The synthetic market, learning, careers and demand: what can be learnt from them, and what cannot."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.seed import memory, wordings
from feature_repo.seed.applications import fit, kilometres
from feature_repo.seed.careers import TYPE_SHARES, TYPES
from feature_repo.seed.catalogue import SKILLS
from feature_repo.seed.honesty import HIGHEST, LOWEST, accuracy
from feature_repo.seed.quality import career_honesty
from feature_repo.seed.synthetic import UNTIL, World, streams_of, world
from feature_repo.sources.streams import STREAMS

Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def made() -> World:
    return world(300, 1_500, 42, UNTIL)


@pytest.fixture(scope="module")
def found(made: World) -> Frames:
    return streams_of(made)


@pytest.fixture(scope="module")
def large() -> Frames:
    return streams_of(world(1_500, 7_500, 42, UNTIL))


def test_every_stream_has_rows_of_its_declared_types(found: Frames) -> None:
    assert list(found) == [each.name for each in STREAMS]
    for each in STREAMS:
        assert found[each.name].schema == pl.DataFrame(each.schema().empty_table()).schema
        assert found[each.name].height > 0, each.name


def test_the_market_is_as_large_as_asked_for(found: Frames) -> None:
    rows = {name: frame.height for name, frame in found.items()}
    assert (rows["talents"], rows["jobs"], rows["postings"]) == (1_500, 300, 300)
    assert (rows["contents"], rows["occupations"], rows["skills"]) == (168, 60, 56)
    assert rows["skill_demand"] == 56 * 72
    assert rows["applications"] >= 5_000
    assert rows["skill_assessments"] == 4 * rows["applications"]
    assert 3_500 <= rows["engagements"] <= 4_500
    assert 2_800 <= rows["career_matches"] <= 3_000


def test_the_first_talents_are_the_people_who_work_here(made: World, found: Frames) -> None:
    ids = set(found["talents"]["person_id"])
    assert {f"p{number:06d}" for number in range(300)} <= ids
    assert {f"c{number:06d}" for number in range(300, 1_500)} <= ids
    assert ids == set(found["people"]["person_id"]) == set(found["profiles"]["person_id"])
    assert np.array_equal(made.market.levels[:300], made.people.levels)
    assert np.array_equal(made.market.talents.seniority[:300], made.people.seniority)


def test_nobody_applies_looks_or_is_judged_before_joining(found: Frames) -> None:
    joined = found["talents"].select("person_id", joined="recorded_at")
    for name, moment in {"applications": "applied_at", "job_views": "viewed_at", "career_matches": "judged_at"}.items():
        rows = found[name].join(joined, on="person_id")
        assert rows.filter(pl.col(moment) < pl.col("joined")).height == 0, name


def test_applications_come_between_posting_and_closing_and_are_known_when_decided(found: Frames) -> None:
    rows = found["applications"].join(found["jobs"], on="job_id", suffix="_job")
    assert (rows["applied_at"] >= rows["posted_at"]).all()
    assert (rows["applied_at"] < rows["closed_at"]).all()
    assert (rows["recorded_at"] > rows["applied_at"]).all()
    assert set(found["jobs"].filter(pl.col("closed_at").is_null())["status"]) == {"OPEN"}
    assert 25 <= (found["jobs"]["status"] == "OPEN").sum() <= 100


def test_a_great_circle_of_a_quarter_of_the_earth() -> None:
    pole, equator = np.array([[90.0, 0.0]]), np.array([[0.0, 77.0]])
    assert kilometres(pole, equator)[0] == pytest.approx(6_371 * np.pi / 2)


def test_the_assessors_score_is_the_fit_and_some_noise(made: World) -> None:
    sent = made.applications
    noise = sent.score - np.clip(fit(made.market, sent.talent, sent.job), 0, 100)
    assert np.abs(noise.mean()) < 0.5
    assert 5.0 < noise.std() < 6.5
    assert 15 < sent.score.std() < 22


def test_the_better_the_score_the_further_the_application(found: Frames) -> None:
    scores = found["applications"].group_by("outcome").agg(pl.col("match_score").mean(), pl.len())
    by_outcome = {name: score for name, score, _ in scores.rows()}
    assert by_outcome["REJECTED"] + 10 < by_outcome["INTERVIEWED"] < by_outcome["HIRED"] - 10
    assert 0.03 < scores.filter(pl.col("outcome") == "HIRED")["len"].sum() / found["applications"].height < 0.15


def test_declared_skills_are_nearly_what_people_can_do(made: World) -> None:
    truth, said = made.market.levels, made.declared.levels
    has = truth > 0
    assert 0.11 < (said[has] == 0).mean() < 0.13
    assert not said[~has].any()
    stated = has & (said > 0)
    assert 0.10 < (said[stated] > truth[stated]).mean() < 0.13
    assert 0.04 < (said[stated] < truth[stated]).mean() < 0.08  # A level of 1 cannot be understated.


def test_people_wish_for_skills_that_they_do_not_master(made: World) -> None:
    talent, skill = made.declared.wishes.T
    assert made.market.levels[talent, skill].max() < 3.5
    assert 2 <= np.bincount(talent).min() <= np.bincount(talent).max() <= 6


def test_gaps_follow_the_true_level_with_errors_of_judgement(made: World, found: Frames) -> None:
    places, sent = made.market, made.applications
    true_gap = places.levels[sent.talent[:, None], places.wanted[sent.job]] < places.wanted_levels[sent.job]
    assert 0.85 < (true_gap == sent.is_gap).mean() < 0.97
    assert 0.4 < found["skill_assessments"]["is_gap"].mean() < 0.65


def test_texts_name_skills_in_more_than_one_way_and_in_few_words(found: Frames) -> None:
    words = found["postings"]["text"].str.split(" ").list.len()
    assert (words.min(), words.max()) >= (20, 45)
    assert words.max() <= 75
    asked = found["job_skills"].join(found["postings"], on="job_id")
    names = pl.DataFrame({"skill_id": SKILLS, "skill": wordings.names(), "phrase": wordings.phrases()})
    named = asked.join(names, on="skill_id").select(
        by_name=pl.col("text").str.contains(pl.col("skill"), literal=True),
        in_words=pl.col("text").str.contains(pl.col("phrase"), literal=True),
    )
    assert named.select(pl.any_horizontal(pl.all()).all()).item()
    assert 0.4 < named["in_words"].mean() < 0.6


def test_the_way_of_working_is_told_by_both_sides(made: World, found: Frames) -> None:
    style = made.market.jobs.style[found["postings"]["job_id"].str.slice(1).cast(pl.Int64).to_numpy()]
    for number, sentences in enumerate(wordings.PLACES):
        says_it = found["postings"]["text"].str.contains_any(list(sentences)).to_numpy()
        assert np.array_equal(says_it, style == number)


def test_propensities_are_those_of_the_policy(large: Frames) -> None:
    """The mean of 1 / propensity over the first place is the number of items that could have been shown."""
    first = large["engagements"].filter(pl.col("position") == 1)
    published = large["contents"]["published_at"].to_numpy()
    offered = (published[None, :] <= first["shown_at"].to_numpy()[:, None]).sum(axis=1)
    assert first["propensity"].min() > 0
    assert (1 / first["propensity"]).mean() == pytest.approx(offered.mean(), rel=0.1)


def test_what_is_shown_is_opened_the_more_the_higher_it_stands_and_pays_only_when_finished(large: Frames) -> None:
    shown = large["engagements"]
    rates = shown.group_by("position").agg(pl.col("clicked").mean()).sort("position")["clicked"].to_numpy()
    assert np.corrcoef(np.arange(10), rates)[0, 1] < -0.9
    assert shown.filter(pl.col("completed") & ~pl.col("clicked")).height == 0
    assert shown.filter(~pl.col("completed") & (pl.col("reward") > 0)).height == 0
    assert 0.05 < shown["reward"].mean() < 0.4
    assert shown.group_by("slate_id").len()["len"].unique().to_list() == [10]


def test_the_types_of_career_matches_have_their_shares_and_similarities(found: Frames) -> None:
    kinds = found["career_matches"].group_by("match_type").agg(pl.len(), pl.col("similarity").min().alias("low"))
    shares = {name: count / found["career_matches"].height for name, count, _ in kinds.rows()}
    assert [shares[name] for name in TYPES] == pytest.approx(list(TYPE_SHARES), abs=0.01)
    lows = {name: low for name, _, low in kinds.rows()}
    assert (lows["STRONG"] >= 0.7, lows["MODERATE"] >= 0.5, lows["WEAK"] >= 0.3) == (True, True, True)


def test_poor_matches_lie_in_the_cluster_of_another_department(made: World) -> None:
    paths = made.careers
    poor = paths.judgements.kind == TYPES.index("POOR")
    department = made.market.talents.department[paths.judgements.talent[poor]]
    assert (paths.cluster[paths.judgements.occupation[poor]] // 2 != department).all()


@pytest.mark.parametrize("seed", [1, 2, 3, 42])
def test_careers_can_be_judged_honestly_but_not_surely(seed: int) -> None:
    measured = accuracy(streams_of(world(300, 1_500, seed, UNTIL)))
    assert measured is not None
    assert LOWEST < measured[0] < HIGHEST, measured


@pytest.mark.parametrize(
    ("labels", "broken"),
    [
        (pl.col("match_type").is_in(["STRONG", "MODERATE"]), "its rule is written into the labels"),
        (pl.int_range(pl.len()) % 2 == 0, "its labels follow from nothing"),
    ],
)
def test_a_generator_fails_the_check_of_careers_when(found: Frames, labels: pl.Expr, broken: str) -> None:
    matches = found["career_matches"].with_columns(is_match=labels)
    [check] = career_honesty({**found, "career_matches": matches})
    assert not check.passed, broken
    assert "allowed 0.70 to 0.85" in check.measured


def test_careers_that_people_report_of_themselves_are_not_judged(found: Frames) -> None:
    reported = found["career_matches"].with_columns(match_type=pl.lit("REPORTED"))
    assert career_honesty({**found, "career_matches": reported}) == []


def test_demand_is_a_share_of_all_posts_month_after_month_and_known_when_a_month_is_over(found: Frames) -> None:
    rows = found["skill_demand"].sort("skill_id", "period_at")
    assert rows["value"].is_between(0, 100).all()
    assert (rows["recorded_at"] == rows["period_at"].dt.offset_by("1mo")).all()
    assert rows["recorded_at"].max() < UNTIL
    months = rows.filter(pl.col("skill_id") == "python")["period_at"]
    assert (months.dt.offset_by("1mo")[:-1] == months[1:]).all()


def test_demand_keeps_its_level_from_month_to_month_and_moves_over_years(made: World) -> None:
    share = np.log(made.demand.share)
    month, years = np.abs(np.diff(share, axis=1)).mean(), np.abs(share[:, -1] - share[:, 11]).mean()
    assert month < 0.15
    assert years > 2 * month


def test_a_world_that_ends_within_a_month_knows_only_whole_months() -> None:
    asked = streams_of(world(20, 100, 42, datetime(2024, 5, 17, tzinfo=UTC)))["skill_demand"]
    assert asked["period_at"].max() == datetime(2024, 4, 1, tzinfo=UTC)


def test_three_thousand_people_can_be_written_to_files(tmp_path: Path) -> None:
    frames = streams_of(world(3_000, 15_000, 42, UNTIL))
    interactions = sum(frames[name].height for name in ("assignments", "worked_on", "applications"))
    assert interactions >= 90_000
    files = memory.write({"jobs": frames["jobs"]}, tmp_path / "streams")
    assert pl.read_parquet(files["jobs"]).equals(frames["jobs"])
