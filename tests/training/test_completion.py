"""Completing sets of skills, on roles of three trades with a skill that only one of them needs."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.learners.completion import Completion, masked
from training.learners.terms import Terms
from training.model import SUFFIXES
from training.suite import esco
from training.suite.check import row

TRADES = {
    "baker": (
        "7512",
        "Bakers make bread and cakes in an oven.",
        ["dough", "oven", "yeast", "flour", "icing", "hygiene"],
    ),
    "welder": ("7212", "Welders join metal with a torch.", ["torch", "metal", "mask", "seam", "gas", "hygiene"]),
    "nurse": ("2221", "Nurses care for patients on a ward.", ["ward", "pulse", "drugs", "care", "charts", "hygiene"]),
}
EACH = 20


def roles() -> pl.DataFrame:
    """Twenty of each trade, each without one of the trade's six skills in turn."""
    return pl.DataFrame(
        [
            {
                "role_id": f"{trade}{n}",
                "title": f"{trade} {n}",
                "description": text,
                "group": group,
                "skills": [skill for place, skill in enumerate(skills) if place != n % len(skills)],
            }
            for trade, (group, text, skills) in TRADES.items()
            for n in range(EACH)
        ]
    )


def query(held: list[str], title: str | None = None, group: str | None = None) -> pl.DataFrame:
    types = {"skills": pl.List(pl.String), "title": pl.String, "description": pl.String, "group": pl.String}
    return pl.DataFrame({"skills": [held], "title": [title], "description": [None], "group": [group]}, schema=types)


@pytest.fixture(scope="module")
def model():
    return Completion.fit(roles(), seed=1)


@pytest.mark.parametrize(
    ("held", "title", "group", "trade"),
    [
        (["dough", "oven"], None, None, "baker"),
        ([], "welder", None, "welder"),
        ([], None, "2221", "nurse"),
        (["juggling", "pulse"], None, None, "nurse"),
    ],
)
def test_each_kind_of_evidence_finds_the_skills_of_the_trade(model, held, title, group, trade):
    wanted = set(TRADES[trade][2]) - set(held)
    assert set(model.best(query(held, title, group), len(wanted))["skill"]) == wanted


def test_scores_are_those_of_a_ridge_regression_of_each_skill_on_all_other_traits(model):
    """EASE by its definition: minus the off-diagonal of the inverse Gram matrix over the diagonal."""
    rows = np.hstack([part.toarray() for part in model.rows.values()])
    precision = np.linalg.inv(rows.T @ rows + 10.0 * np.eye(rows.shape[1]))
    skills = len(model.skills)
    slopes = -precision[:, :skills] / np.diag(precision)[:skills]
    slopes[np.arange(skills), np.arange(skills)] = 0
    expected = rows @ slopes / model.traits.weights
    free = rows[:, :skills] == 0
    assert model.scores(roles())[free] == pytest.approx(expected[free], abs=1e-5)


def test_what_is_held_is_not_proposed(model):
    found = model.best(roles(), 50).join(roles().with_row_index("row").explode("skills"), on="row")
    assert found.filter(pl.col("skill") == pl.col("skills")).is_empty()


def test_parts_and_reasons_add_up_to_the_score(model):
    held = ["dough", "oven", "hygiene"]
    best = model.best(query(held, "baker", "7512"), 3)
    parts = best.select(pl.sum_horizontal(pl.selectors.starts_with("from_"))).to_series().to_numpy()
    assert parts == pytest.approx(best["score"].to_numpy(), abs=1e-5)
    because = model.because(held, best["skill"][0])
    assert because["contribution"].sum() == pytest.approx(best["from_skills"][0], abs=1e-5)
    assert because["skill"][-1] == "hygiene"  # which every trade has


def test_probabilities_rise_with_the_score_and_stay_in_bounds(model):
    best = model.best(query(["dough", "oven", "yeast", "hygiene"], "baker", "7512"), 12)
    chances = best.sort("score")["probability"].to_numpy()
    assert (np.diff(chances) >= 0).all()
    assert 0 <= chances.min() < 0.2 < chances.max() <= 1


def test_a_batch_answers_as_its_rows_do_one_by_one(model):
    batch = model.scores(roles().head(5))
    single = np.vstack([model.scores(roles().slice(n, 1)) for n in range(5)])
    assert batch == pytest.approx(single, abs=1e-6)


def test_the_same_seed_gives_the_same_model_and_it_survives_save_and_load(model, tmp_path: Path):
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= SUFFIXES
    unseen = query(["dough"], "baker")
    for other in (Completion.load(tmp_path), Completion.fit(roles(), seed=1)):
        assert other.best(unseen, 10).equals(model.best(unseen, 10))


def test_nobody_in_the_queries_gives_an_empty_answer(model):
    assert model.best(query([]).head(0), 5).is_empty()


def test_roles_without_titles_and_groups_are_learnt_from_their_skills_alone():
    bare = roles().with_columns(pl.lit(None, pl.String).alias(name) for name in ("title", "description", "group"))
    assert set(Completion.fit(bare, 1).best(query(["dough", "oven"]), 3)["skill"]) <= set(TRADES["baker"][2])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (roles().drop("title"), "column title is missing"),
        (roles().with_columns(skills=pl.lit([], pl.List(pl.String))), "no role has a skill"),
    ],
)
def test_roles_that_cannot_be_learnt_from_are_refused(broken, message):
    with pytest.raises(DataError, match=message):
        Completion.fit(broken, 1)


def test_an_unknown_skill_cannot_be_explained(model):
    with pytest.raises(DataError, match="'juggling' is unknown"):
        model.because(["dough"], "juggling")


def test_masking_takes_the_share_and_keeps_the_rest():
    shown, hidden = masked(roles(), 0.2, seed=3)
    both = pl.concat([hidden, shown.with_row_index("row").select("row", skill="skills").explode("skill").drop_nulls()])
    assert both.height == roles()["skills"].list.len().sum()
    assert both.unique().height == both.height
    assert hidden.height / both.height == pytest.approx(0.2, abs=0.06)


def test_letters_see_a_word_inside_another():
    terms = Terms.fit(["baker", "nurse"], "letters")
    likeness = (terms.rows(["pastrybaker"]) @ terms.rows(["baker", "nurse"]).T).toarray()[0]
    assert likeness[0] > 0.3
    assert likeness[1] < 0.2


def test_the_check_hides_essential_skills_and_beats_its_baselines(tmp_path: Path):
    (tmp_path / "esco").mkdir()
    more = pl.col("skills").list.concat(pl.lit([f"common {n}" for n in range(6)]))
    links = roles().with_columns(skills=more).explode("skills")
    pl.concat(
        [
            links.select(occupation_uri="role_id", skill="skills", relation=pl.lit("essential")),
            links.select(occupation_uri="role_id", skill=pl.lit("whistling"), relation=pl.lit("optional")).unique(),
        ]
    ).write_parquet(tmp_path / esco.SKILLS)
    texts = {"occupation_uri": "role_id", "occupation_name": "title", "occupation_description": "description"}
    roles().select(**texts, isco_code="group").write_parquet(tmp_path / esco.OCCUPATIONS)
    found = row(esco.CHECKS[0], tmp_path)
    assert found["ours"]["recall@20"] >= found["baselines"]["popularity"]["recall@20"]
    assert "whistling" not in esco.roles(tmp_path)["skills"].explode().to_list()
