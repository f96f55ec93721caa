"""A person beside a job: each column against a table worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest

from feature_repo.features import fit

NAN = float("nan")
NAMES, AMOUNTS = pl.List(pl.String), pl.List(pl.Float64)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


# skills in part, one of them unknown to the job; a job without skills; a person without; neither known
ASKED = pl.Series([["go", "python", "sql"], [], ["sql"], None], dtype=NAMES)
LEVELS = pl.Series([[4.0, 2.0, 2.0], [], [5.0], None], dtype=AMOUNTS)
MUST = pl.Series([[1.0, 1.0, 0.0], [], [0.0], None], dtype=AMOUNTS)
HELD = pl.Series([["cobol", "python", "sql"], ["sql"], [], None], dtype=NAMES)
HELD_LEVELS = pl.Series([[5.0, 3.0, 1.0], [2.0], [], None], dtype=AMOUNTS)
YEARS = pl.Series([[20.0, 6.0, None], [1.0], [], None], dtype=AMOUNTS)


def test_coverage_is_the_share_of_the_skills_asked_for_at_any_level():
    assert fit.skill_coverage(ASKED, HELD, HELD_LEVELS) == pytest.approx([2 / 3, NAN, 0, NAN], nan_ok=True)


def test_mandatory_coverage_counts_what_the_job_cannot_do_without():
    assert fit.mandatory_coverage(ASKED, MUST, HELD, HELD_LEVELS) == pytest.approx([0.5, NAN, NAN, NAN], nan_ok=True)


def test_jaccard_divides_by_what_either_names():
    found = fit.skill_jaccard(ASKED, HELD, fit.skill_coverage(ASKED, HELD, HELD_LEVELS))
    assert found == pytest.approx([2 / 4, NAN, 0, NAN], nan_ok=True)


def test_proficiency_is_declared_over_asked_at_most_one():
    found = fit.proficiency_alignment(ASKED, LEVELS, HELD, HELD_LEVELS)
    assert found == pytest.approx([(0 + 1 + 1 / 2) / 3, NAN, 0, NAN], nan_ok=True)


def test_years_weigh_by_the_level_asked_for_and_count_0_where_not_declared():
    assert fit.skill_years(ASKED, LEVELS, HELD, YEARS) == pytest.approx([6 * 2 / 8, NAN, 0, NAN], nan_ok=True)


@pytest.mark.parametrize(
    ("person", "job", "gap", "met", "alignment"),
    [(3, 3, 0, 1, 1), (1, 7, -6, 0, 0), (5, 2, 3, 0, 0.5), (NAN, 2, NAN, NAN, NAN), (2, NAN, NAN, NAN, NAN)],
)
def test_ranks(person, job, gap, met, alignment):
    found = fit.rank_gap(numbers(person), numbers(job))
    assert [found[0], fit.is_rank_met(found)[0], fit.rank_alignment(found)[0]] == pytest.approx(
        [gap, met, alignment], nan_ok=True
    )


@pytest.mark.parametrize(
    ("years", "least", "most", "ratio", "missing", "surplus"),
    [(3, 2, 5, 1.5, 0, 0), (1, 4, 8, 0.25, 3, 0), (9, 1, 4, 3, 0, 5), (1, 0, 2, 2, 0, 0), (NAN, 2, 5, NAN, NAN, NAN)],
)
def test_years_of_work(years, least, most, ratio, missing, surplus):
    person, low, high = numbers(years), numbers(least), numbers(most)
    found = [fit.years_ratio(person, low)[0], fit.missing_years(person, low)[0], fit.surplus_years(person, high)[0]]
    assert found == pytest.approx([ratio, missing, surplus], nan_ok=True)


BERLIN, PARIS, SYDNEY = (52.5200, 13.4050), (48.8566, 2.3522), (-33.8688, 151.2093)


@pytest.mark.parametrize(
    ("here", "there", "kilometres"),
    [
        (BERLIN, PARIS, 877.5),
        (PARIS, BERLIN, 877.5),
        (BERLIN, SYDNEY, 16_089),
        (BERLIN, BERLIN, 0),
        ((0, 179.5), (0, -179.5), 111.2),  # across the date line: one degree of the equator
        ((90, 0), (-90, 0), math.pi * fit.EARTH_KM),
    ],
)
def test_the_distance_is_that_of_a_great_circle(here, there, kilometres):
    found = fit.distance_km(*(numbers(value) for value in (*here, *there)))
    assert found == pytest.approx([kilometres], rel=2e-3)


def test_without_a_place_there_is_no_distance():
    assert np.isnan(fit.distance_km(numbers(NAN), numbers(0), numbers(1), numbers(1))).all()


@pytest.mark.parametrize(
    ("wants", "is_remote", "fits"), [(1, 1, 1), (1, 0, 0), (0, 0, 1), (0, 1, 1), (NAN, 0, NAN), (1, NAN, NAN)]
)
def test_only_who_wants_to_stay_at_home_and_may_not_is_misfit(wants, is_remote, fits):
    assert fit.remote_fit(numbers(wants), numbers(is_remote)) == pytest.approx([fits], nan_ok=True)


@pytest.mark.parametrize(
    ("person", "job", "hours"),
    [(1, 1, 8), (1, -5, 2), (0, 12, 0), (5.5, 1, 3.5), (12, -11, 7), (-12, 14, 6), (14, -12, 6), (NAN, 1, NAN)],
)
def test_hours_shared_go_around_the_clock_also_across_the_date_line(person, job, hours):
    assert fit.shared_hours(numbers(person), numbers(job)) == pytest.approx([hours], nan_ok=True)


@pytest.mark.parametrize(
    ("asks", "pays", "overlap", "ratio"),
    [
        ((40, 60), (50, 70), 10 / 30, 120 / 100),
        ((40, 60), (40, 60), 1, 1),
        ((40, 60), (45, 50), 5 / 20, 95 / 100),
        ((80, 90), (40, 60), 0, 100 / 170),
        ((1, 1), (90, 90), 0, 5),
        ((NAN, 60), (40, 60), NAN, NAN),
    ],
)
def test_pay_that_both_accept_over_pay_that_either_accepts(asks, pays, overlap, ratio):
    thousands = [numbers(1000 * value) for value in (*asks, *pays)]
    found = [fit.salary_overlap(*thousands)[0], fit.salary_ratio(*thousands)[0]]
    assert found == pytest.approx([overlap, ratio], nan_ok=True)


@pytest.mark.parametrize(
    ("has", "asked", "gap", "met"), [(3, 2, 1, 1), (2, 2, 0, 1), (0, 2, -2, 0), (NAN, 2, NAN, NAN)]
)
def test_degrees(has, asked, gap, met):
    found = fit.education_gap(numbers(has), numbers(asked))
    assert [found[0], fit.education_met(found)[0]] == pytest.approx([gap, met], nan_ok=True)


def test_departments_are_the_same_or_not_or_unknown():
    found = fit.same_department(pl.Series(["it", "hr", None]), pl.Series(["it", "it", "it"]))
    assert found == pytest.approx([1, 0, NAN], nan_ok=True)


def test_texts_are_compared_by_their_cosine():
    left = pl.Series([[1.0, 0.0], [0.6, 0.8], None, [1.0, 0.0]], dtype=AMOUNTS)
    right = pl.Series([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0], None], dtype=AMOUNTS)
    assert fit.text_similarity(left, right) == pytest.approx([0.6, 1.0, NAN, NAN], nan_ok=True)


def test_a_thousand_rows_have_the_bits_that_each_has_alone():
    random = np.random.default_rng(1)
    names = [f"s{n}" for n in range(30)]
    sets = [sorted(random.choice(names, random.integers(0, 12), replace=False)) for _ in range(1000)]
    skills = pl.Series(sets, dtype=NAMES)
    levels = pl.Series([random.uniform(1, 5, len(each)).tolist() for each in sets], dtype=AMOUNTS)
    vectors = pl.Series(random.normal(size=(1000, 384)).tolist(), dtype=AMOUNTS)
    inputs = {
        fit.proficiency_alignment: (skills, levels, skills.reverse(), levels.reverse()),
        fit.skill_years: (skills, levels, skills.reverse(), levels.reverse()),
        fit.text_similarity: (vectors, vectors.reverse()),
    }
    for column, given in inputs.items():
        alone = [column(*(each[row : row + 1] for each in given))[0] for row in range(0, 1000, 50)]
        np.testing.assert_array_equal(column(*given)[::50], alone)


def test_every_column_stays_within_its_declared_range_on_what_may_come():
    random = np.random.default_rng(2)
    for column in fit.view.columns:
        if not column.reads[0].endswith(("skills", "vector", "department_id")) and "levels" not in column.reads[0]:
            given = [_any(name, random) for name in column.reads]
            found = np.asarray(column(*given))
            assert np.nanmin(found) >= column.minimum, column.name
            assert np.nanmax(found) <= column.maximum, column.name


RANGES = {
    "latitude": (-90, 90), "longitude": (-180, 180), "utc_offset_hours": (-12, 14), "seniority": (1, 7),
    "salary_low": (0, 1e6), "salary_high": (0, 1e6), "education": (0, 4), "experience_years": (0, 60),
    "minimum_years": (0, 60), "maximum_years": (0, 60), "wants_remote": (0, 1), "is_remote": (0, 1),
    "rank_gap": (-6, 6), "education_gap": (-4, 4),
}  # fmt: skip


def _any(name: str, random: np.random.Generator) -> np.ndarray:
    low, high = RANGES[name.split("__")[1]]
    return np.concatenate([random.uniform(low, high, 500), [low, high, low, high, NAN]])[random.permutation(505)]
