"""Who may take a task: one definition, for training, for a batch score and for the service."""

from datetime import timedelta

import pytest

from feature_repo.window import Window
from tests.feature_repo.world import day
from tests.training.test_labels import TABLES, facts_of
from training.labels import CANDIDATE_DAYS, active_people, assignment_rows

MOMENT = timedelta(microseconds=1)
YEAR = timedelta(days=CANDIDATE_DAYS)
CORRECTED = TABLES["worked_on"] + "t1       ann        01          20\n"


def active(folder, at, **tables):
    return sorted(active_people(facts_of(folder, at + MOMENT, **tables), at).collect()["person_id"])


@pytest.mark.parametrize(
    ("at", "people"),
    [
        (day("02") - MOMENT, []),
        (day("02"), ["ann"]),
        (day("11"), ["ann", "bob"]),
        (day("02") + YEAR, ["ann", "bob"]),
        (day("02") + YEAR + MOMENT, ["bob"]),
    ],
)
def test_a_person_is_active_from_when_a_start_is_known_and_for_a_year(tmp_path, at, people):
    assert active(tmp_path, at) == people


def test_a_start_that_is_corrected_later_makes_nobody_active_again(tmp_path):
    assert active(tmp_path, day("02") + YEAR + MOMENT, worked_on=CORRECTED) == ["bob"]


def test_the_candidates_of_a_task_are_who_is_active_when_it_is_specified(tmp_path):
    facts = facts_of(tmp_path, day("30"))
    rows = assignment_rows(facts, Window(day("01"), day("30"))).filter("is_candidate")
    for (at,), part in rows.group_by("event_timestamp"):
        assert sorted(part["person_id"]) == sorted(active_people(facts, at).collect()["person_id"])
