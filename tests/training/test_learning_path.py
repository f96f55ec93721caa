"""Learning paths: what has to come before comes before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from training.asking.learning_path import Item, ordered


def item(name: str, skill: str, *needs: str, start=1.0, end=3.0, hours=2.0, worth=0.5) -> Item:
    return Item(name, name.upper(), skill, start, end, hours, worth, needs)


def names(items, **levels) -> list[str]:
    return [step.content_id for step in ordered(items, levels)]


PYTHON, ML = item("k1", "python"), item("k2", "ml", "python", worth=0.9)


def test_what_is_needed_comes_first_though_it_is_worth_less():
    assert names([ML, PYTHON]) == ["k1", "k2"]


def test_what_is_known_need_not_come_first():
    assert names([PYTHON, ML], python=2.0) == ["k2", "k1"]


def test_of_what_one_is_ready_for_the_most_worth_for_an_hour_comes_first():
    long, short = item("k3", "go", hours=10, worth=0.9), item("k4", "sql", hours=1, worth=0.2)
    assert names([long, short]) == ["k4", "k3"]


def test_what_is_too_hard_waits_for_what_leads_there():
    hard, easy = item("k5", "go", start=3, end=5, worth=0.9), item("k6", "go", worth=0.1)
    assert names([hard, easy]) == ["k6", "k5"]


def test_what_is_needed_comes_first_even_where_it_is_too_hard():
    hard = replace(PYTHON, from_level=5.0)
    assert names([ML, hard]) == ["k1", "k2"]


def test_what_nobody_teaches_is_said():
    [step] = ordered([ML], {})
    assert step.waits_for == ["python"]


def test_hours_add_up_along_the_path():
    assert [(step.content_id, step.hours) for step in ordered([ML, replace(PYTHON, hours=3.0)], {})] == [
        ("k1", 3.0),
        ("k2", 5.0),
    ]


def test_skills_that_wait_for_each_other_end_all_the_same():
    hen, egg = item("k7", "hen", "egg"), item("k8", "egg", "hen")
    assert names([egg, hen]) == ["k7", "k8"]
    assert ordered([egg, hen], {})[0].waits_for == ["egg"]


def test_no_items_no_path():
    assert ordered([], {}) == []


SKILLS = "abcdefg"


@st.composite
def curricula(draw):
    """Items whose skills build only on skills earlier in the alphabet, so that there is no circle."""
    needs = {skill: draw(st.sets(st.sampled_from(SKILLS[:n]))) if n else set() for n, skill in enumerate(SKILLS)}
    taught = draw(st.lists(st.sampled_from(SKILLS), max_size=9))
    number = st.floats(0.25, 9, allow_nan=False)
    level = st.floats(1, 5, allow_nan=False)
    return [
        item(f"k{n}", skill, *sorted(needs[skill]), start=draw(level), hours=draw(number), worth=draw(st.floats(0, 1)))
        for n, skill in enumerate(taught)
    ]


@given(curricula(), st.sets(st.sampled_from(SKILLS)))
def test_nothing_comes_before_a_prerequisite_that_the_path_teaches(items, known):
    steps = ordered(items, dict.fromkeys(known, 2.0))
    assert sorted(step.content_id for step in steps) == sorted(each.content_id for each in items)
    needs = {each.content_id: each.needs for each in items}
    learnt, taught = set(known), {each.skill_id for each in items}
    for step in steps:
        missing = set(needs[step.content_id]) - learnt
        assert not missing & taught
        assert set(step.waits_for) == missing
        learnt.add(step.skill_id)
