"""Something to learn from: what it teaches, how long it takes, and what came of it so far."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import content, taught_skill
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams, differences

CONTENTS, ENGAGEMENTS = "mongodb.contents", "mongodb.engagements"


def _rows(streams: Streams) -> ir.Table:
    rows = streams["contents"]
    texts = streams["content_vectors"].rename(text_of="content_id", text_at="recorded_at")
    rows = rows.left_join(texts, [rows.content_id == texts.text_of, rows.recorded_at == texts.text_at])
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


view = View("content", (content,), _rows)


@view.column(str, source=CONTENTS)
def skill_id(rows: ir.Table) -> ir.Value:
    """The skill that it teaches."""
    return rows.skill_id


@view.column(float, minimum=1, maximum=5, source=CONTENTS)
def from_level(rows: ir.Table) -> ir.Value:
    """Proficiency that it starts from."""
    return rows.from_level


@view.column(float, minimum=1, maximum=5, source=CONTENTS)
def to_level(rows: ir.Table) -> ir.Value:
    """Proficiency that it leads to."""
    return rows.to_level


@view.column(float, unit="h", minimum=0, source=CONTENTS)
def hours(rows: ir.Table) -> ir.Value:
    """Time that it takes."""
    return rows.hours


@view.column(str, source=CONTENTS)
def format(rows: ir.Table) -> ir.Value:
    """How it is taught."""
    return rows.format


@view.column(list[float], nulls=1.0, source=CONTENTS)
def vector(rows: ir.Table) -> ir.Value:
    """What it teaches and to whom, as a vector of unit length (all-MiniLM-L6-v2)."""
    return rows.vector


def _engaged(streams: Streams) -> ir.Table:
    """After each time that it was shown: how often that was, and what it was worth in sum.

    A reward that is corrected replaces the first from when the correction was known.
    """
    rows = streams["engagements"]
    rows = rows.mutate(shown_as=rows.slate_id + "|" + rows.content_id)
    # in whole ten-thousandths: sums of integers do not depend on their order
    rows = differences(rows, "shown_as", once=ibis.literal(1.0), tenths=(rows.reward * 10_000).round().cast("float64"))
    so_far = ibis.cumulative_window(group_by="content_id", order_by=["recorded_at", "slate_id"])
    same = ibis.window(group_by=["content_id", "recorded_at"], order_by=ibis.desc(rows.slate_id))
    counted = rows.select(
        "content_id",
        "recorded_at",
        shown=rows.once.cast("int64").sum().over(so_far).cast("float64"),
        worth=rows.tenths.cast("int64").sum().over(so_far).cast("float64") / 10_000,
        later=ibis.row_number().over(same),
    )
    found = counted.filter(counted.later == 0)
    return found.mutate(event_timestamp=found.recorded_at, created_timestamp=found.recorded_at)


engaged = View("content_engaged", (content,), _engaged)


@engaged.column(float, unit="times", minimum=0, source=ENGAGEMENTS)
def shown(rows: ir.Table) -> ir.Value:
    """How often it was shown."""
    return rows.shown


@engaged.column(float, minimum=0, source=ENGAGEMENTS)
def worth(rows: ir.Table) -> ir.Value:
    """What it was worth in sum, 0 to 1 each time."""
    return rows.worth


def _before(streams: Streams) -> ir.Table:
    return collected(streams["prerequisites"], "skill_id", "prerequisite_id", needed="prerequisite_id")


groundwork = View("taught_before", (taught_skill,), _before)


@groundwork.column(list[str], source="neo4j.prerequisites")
def needed(rows: ir.Table) -> ir.Value:
    """What has to be learnt before the skill that it teaches, in alphabetical order."""
    return rows.needed
