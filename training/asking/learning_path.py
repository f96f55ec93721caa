"""In which order to study: what has to come before comes before, and of the rest what gains most for an hour."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from feature_repo.features import content as content_f
from training.route import Answered

TOO_HARD = 1.0
"""Levels that an item may start above one's own."""


@dataclass(frozen=True)
class Step:
    """One item of a path. hours: from the beginning until it is done. waits_for: skills that are missing."""

    content_id: str
    title: str
    skill_id: str
    hours: float
    waits_for: list[str]


@dataclass(frozen=True)
class Item:
    """An item that may be studied. needs: the skills that its own builds on."""

    content_id: str
    title: str
    skill_id: str
    from_level: float
    to_level: float
    hours: float
    worth: float
    needs: tuple[str, ...]


def path(answered: Answered) -> list[Step]:
    """The answer's items as a path: greedy by worth for an hour among those that one is ready for."""
    columns = (content_f.skill_id, content_f.from_level, content_f.to_level, content_f.hours, content_f.needed)
    names = answered.features.select("content_id")
    read = answered.published.read(names, columns)
    titles = answered.published.facts("contents").select("content_id", "title")
    rows = read.lazy().join(titles, on="content_id", how="left", maintain_order="left").collect()
    items = [
        Item(name, title or name, skill, start, end, hours, worth, tuple(needed or ()))
        for (name, skill, start, end, hours, needed, title), worth in zip(
            rows.iter_rows(), answered.outputs.to_series(0).to_list(), strict=True
        )
        if skill is not None
    ]
    return ordered(items, _levels(answered, items))


def _levels(answered: Answered, items: Sequence[Item]) -> dict[str, float]:
    """What the person declares in the items' skills and in what these build on; 0 where nothing."""
    from feature_repo.features import talent

    held = answered.published.read(
        pl.DataFrame({"person_id": [answered.subject["person_id"]]}), (talent.skills, talent.levels)
    )
    names, levels = (held[column.qualified].to_list()[0] or [] for column in (talent.skills, talent.levels))
    return dict.fromkeys((skill for item in items for skill in (item.skill_id, *item.needs)), 0.0) | dict(
        zip(names, levels, strict=True)
    )


def ordered(items: Sequence[Item], levels: Mapping[str, float]) -> list[Step]:
    """The items in an order that respects prerequisites. levels: what one knows before, by skill.

    An item is ready when its skill's prerequisites are known or studied before, and it starts no more than TOO_HARD
    above one's level. What the items themselves teach comes before what builds on it, unless they wait for each other;
    of those left the one that waits for least comes next, and says for what.
    """
    known, left, spent, steps = dict(levels), list(items), 0.0, []
    while left:
        taught = {item.skill_id for item in left}
        best = min(
            left,
            key=lambda item: (
                _waits_for(item, taught, known), _waits(item, known), _is_later(item, left, known), *_worth(item)
            ),
        )  # fmt: skip
        left.remove(best)
        spent += best.hours
        missing = [skill for skill in best.needs if known.get(skill, 0.0) <= 0]
        steps.append(Step(best.content_id, best.title, best.skill_id, spent, missing))
        known[best.skill_id] = max(known.get(best.skill_id, 0.0), best.to_level)
    return steps


def _waits_for(item: Item, taught: Collection[str], known: Mapping[str, float]) -> int:
    """How many of its prerequisites are not known and taught by what is left: an item too hard does not go first."""
    return sum(skill in taught and skill != item.skill_id and known.get(skill, 0.0) <= 0 for skill in item.needs)


def _is_later(item: Item, left: Sequence[Item], known: Mapping[str, float]) -> bool:
    """Whether something that starts lower teaches the same skill, and there is something to learn from it."""
    lower = (each for each in left if each.skill_id == item.skill_id and each.from_level < item.from_level)
    return any(each.to_level > known.get(item.skill_id, 0.0) for each in lower)


def _worth(item: Item) -> tuple[float, str]:
    """What is worth most for an hour sorts first."""
    return -item.worth / max(item.hours, 0.25), item.content_id


def _waits(item: Item, known: Mapping[str, float]) -> float:
    """0 where one is ready; else how many prerequisites and levels are missing."""
    missing = sum(known.get(skill, 0.0) <= 0 for skill in item.needs)
    too_hard = max(item.from_level - max(known.get(item.skill_id, 0.0), 1.0) - TOO_HARD, 0.0)
    return missing + too_hard
