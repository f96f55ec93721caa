"""The market for skills: how often each is asked for, by month or quarter."""

from feature_repo.column import Field
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams.fields import SKILL_ID, number, text, time_of

skill_demand = Stream(
    name="skill_demand",
    store="mysql",
    key=("skill_id", "period_at"),
    origin="market_service.skill_demand",
    fields=(
        SKILL_ID,
        time_of("period_at", "The first instant of the period"),
        number("value", "Share of all posts of the period that ask for the skill", "percentage points", maximum=100.0),
        number("posts", "All posts of the period", nulls=1.0),
        Field(name="months", dtype=int, unit="months", minimum=1, maximum=12, description="Length of the period"),
        text("series", "Where the counts come from: synthetic, hn, so or github"),
        RECORDED_AT,
    ),
    description="Demand for skills over time, known when the period has ended",
)

STREAMS = (skill_demand,)
