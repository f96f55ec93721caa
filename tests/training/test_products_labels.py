"""The spines of the products of the market, against tables worked out by hand."""

import polars as pl
import pytest

from feature_repo.window import Window
from tests.feature_repo import world
from tests.feature_repo.world import day
from training.products import PRODUCTS
from training.products.career import match_rows as career_rows
from training.products.learning import list_rows
from training.products.skill_demand import demand_rows, followed_skills
from training.products.skill_gap import gap_rows
from training.products.talent_job_match import match_rows, open_jobs

TABLES = {
    "applications": """
        person_id  job_id  match_score  applied_at  recorded_at
        ann        j1      80           05          09
        ann        j2      40           10          12
        bob        j1      55           03          20
        """,
    "skill_assessments": """
        person_id  job_id  skill_id  is_gap  assessed_at  recorded_at
        ann        j1      sql       1       05           06
        ann        j1      go        1       05           06
        bob        j1      sql       1       03           20
        """,
    "jobs": """
        job_id  posted_at  closed_at  recorded_at
        j1      01         08         01
        j2      04         -          04
        j3      07         29         07
        """,
    "career_matches": """
        person_id  occupation_id  match_type  is_match  judged_at  recorded_at
        ann        o1             STRONG      1         05         05
        bob        o2             REPORTED    1         06         06
        cy         o1             REPORTED    1         06         25
        """,
    "occupations": "occupation_id source recorded_at\n" + "\n".join(f"o{n} so 01" for n in range(9)) + "\nx1 onet 01",
    "contents": """
        content_id  published_at  recorded_at
        k1          01            01
        k2          01            01
        k3          06            06
        """,
    "engagements": """
        slate_id  content_id  person_id  position  propensity  reward  shown_at  recorded_at
        s1        k1          ann        2         0.4         0       05        08
        s1        k2          ann        1         0.6         0.7     05        08
        s2        k3          bob        1         0.3         0       07        21
        """,
}
WINDOW = Window(day("02"), day("11"))


def facts_of(folder, as_of, **tables):
    return world.facts_of(folder, {**TABLES, **tables}, as_of)


def test_an_application_is_asked_about_when_it_was_made(tmp_path):
    rows = match_rows(facts_of(tmp_path, day("15")), WINDOW)
    assert rows.select("person_id", "job_id", "event_timestamp", "match_score", "group").rows() == [
        ("ann", "j1", day("05"), 80.0, "ann|j1"),
        ("ann", "j2", day("10"), 40.0, "ann|j2"),
    ]


def test_a_job_is_open_until_it_is_known_to_have_closed(tmp_path):
    facts = facts_of(tmp_path, day("09"))
    assert open_jobs(facts, day("09")).collect()["job_id"].to_list() == ["j3", "j2"]
    assert open_jobs(facts, day("05")).collect()["job_id"].to_list() == ["j2", "j1"]


def test_an_assessment_is_about_a_skill_for_a_target(tmp_path):
    rows = gap_rows(facts_of(tmp_path, day("15")), WINDOW)
    assert rows.select("person_id", "target_id", "skill_id", "event_timestamp", "is_gap").rows() == [
        ("ann", "j1", "go", day("05"), 1.0),
        ("ann", "j1", "sql", day("05"), 1.0),
    ]


def test_a_list_stands_with_every_item_that_could_have_been_shown(tmp_path):
    rows = list_rows(facts_of(tmp_path, day("15")), WINDOW)
    assert rows.select("group", "item", "position", "propensity", "reward", "relevance").rows() == [
        ("s1", "k1", 2.0, 0.4, 0.0, 0.0),
        ("s1", "k2", 1.0, 0.6, 0.7, 1.0),
    ]


def test_what_was_not_shown_has_no_reward_and_is_not_relevant(tmp_path):
    rows = list_rows(facts_of(tmp_path, day("25")), WINDOW).filter(pl.col("group") == "s2")
    assert rows.select("item", "position", "reward", "relevance").rows() == [
        ("k1", None, None, 0.0),
        ("k2", None, None, 0.0),
        ("k3", 1.0, 0.0, 0.0),
    ]


def test_a_judged_pair_is_a_match_or_not(tmp_path):
    rows = career_rows(facts_of(tmp_path, day("15")), WINDOW).filter(pl.col("person_id") == "ann")
    columns = ("occupation_id", "event_timestamp", "is_match", "match_type", "group")
    assert rows.select(columns).rows() == [("o1", day("05"), 1.0, "STRONG", "ann")]


def test_others_of_the_same_catalogue_stand_against_a_reported_occupation(tmp_path):
    rows = career_rows(facts_of(tmp_path, day("15")), WINDOW).filter(pl.col("person_id") == "bob")
    assert rows.filter(pl.col("is_match") == 1)["occupation_id"].to_list() == ["o2"]
    others = rows.filter(pl.col("is_match") == 0)
    assert 1 <= others.height <= 3
    assert others["occupation_id"].str.starts_with("o").all()
    assert others["occupation_id"].is_unique().all()


def test_the_others_are_drawn_by_the_names_whoever_else_is_there(tmp_path):
    def drawn(as_of):
        return career_rows(facts_of(tmp_path, as_of), WINDOW).filter(pl.col("person_id") == "bob")

    assert drawn(day("15")).equals(drawn(day("15")))
    assert drawn(day("15")).equals(drawn(day("30")))


def demand_facts(values: int, as_of_month: int):
    """Monthly values 1, 2, ... of a skill, each known at the end of its month."""
    from datetime import UTC, datetime

    first = [datetime(2020, n, 1, tzinfo=UTC) for n in range(1, values + 2)]
    table = pl.DataFrame(
        {
            "skill_id": ["sql"] * values,
            "period_at": first[:-1],
            "value": [float(n) for n in range(1, values + 1)],
            "months": [1] * values,
            "recorded_at": first[1:],
        }
    )

    def facts(stream, *, first=False):
        return table.lazy().filter(pl.col("recorded_at") <= datetime(2020, as_of_month, 1, tzinfo=UTC))

    return facts, Window(datetime(2020, 2, 1, tzinfo=UTC), datetime(2020, 4, 1, tzinfo=UTC))


def test_a_demand_is_what_it_was_so_many_periods_later():
    facts, window = demand_facts(6, 7)
    rows = demand_rows(facts, window).sort("horizon", "event_timestamp")
    assert rows.select("horizon", "actual_demand").rows() == [(1, 2.0), (1, 3.0), (3, 4.0), (3, 5.0)]
    assert rows["group"].n_unique() == rows.height


def test_a_demand_that_was_not_known_as_of_the_date_is_no_label():
    facts, window = demand_facts(6, 4)
    assert demand_rows(facts, window).select("horizon", "actual_demand").rows() == [(1, 2.0), (1, 3.0)]


def test_skills_that_were_counted_lately_are_due():
    facts, window = demand_facts(6, 7)
    assert followed_skills(facts, window.until)["skill_id"].to_list() == ["sql"]


MARKET = {"talent_job_match": match_rows, "skill_gap": gap_rows, "career": career_rows, "learning": list_rows}


@pytest.mark.parametrize("name", MARKET)
@pytest.mark.parametrize("as_of", ["05", "09", "15", "30"])
def test_rows_lie_in_the_window_and_their_keys_are_known(tmp_path, name, as_of):
    rows = MARKET[name](facts_of(tmp_path, day(as_of)), WINDOW)
    keys = [entity.key for entity in PRODUCTS[name].entities]
    assert rows.select(pl.col(*keys, "event_timestamp", "group").null_count().sum()).row(0) == (0,) * (len(keys) + 2)
    assert all(at in WINDOW for at in rows["event_timestamp"])
    assert rows.select(*keys, "group").is_unique().all()


@pytest.mark.parametrize("name", MARKET)
def test_an_outcome_that_was_recorded_on_the_as_of_date_or_later_is_no_label(tmp_path, name):
    assert not MARKET[name](facts_of(tmp_path, day("05")), WINDOW).height


@pytest.mark.parametrize("name", [*MARKET, "skill_demand"])
def test_no_column_of_a_product_reads_what_the_labels_are_made_of(name):
    product = PRODUCTS[name]
    labels = {"applications", "skill_assessments", "career_matches"}
    assert not {word for column in product.columns for word in labels if word in column.source}
