"""Learning: what can be studied, and what people did when it was shown to them."""

from feature_repo.column import Field
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams.fields import (
    CONTENT_ID,
    PERSON_ID,
    flag,
    identifier,
    level,
    number,
    share,
    text,
    time_of,
)

FORMATS = ("COURSE", "VIDEO", "ARTICLE", "PROJECT")
SLATE = 10
MOST_CONTENT_HOURS = 1_000.0

contents = Stream(
    name="contents",
    store="mongodb",
    key=("content_id",),
    origin="content_service.contents",
    paths={
        "content_id": "contentId",
        "skill_id": "skillName",
        "from_level": "fromLevel",
        "to_level": "toLevel",
        "published_at": "publishedAt",
        "recorded_at": "recordedAt",
    },
    fields=(
        CONTENT_ID,
        text("title", "The content in a line"),
        text("text", "What it teaches and to whom, in some thirty words"),
        identifier("skill_id", "The skill that it teaches"),
        level("from_level", "Proficiency that it starts from"),
        level("to_level", "Proficiency that it leads to"),
        number("hours", "Time that it takes", "h", 0.0, MOST_CONTENT_HOURS),
        text("format", "How it is taught", allowed=FORMATS),
        time_of("published_at", "When it could first be studied"),
        RECORDED_AT,
    ),
    description="Courses, videos, articles and projects, each about one skill",
)

engagements = Stream(
    name="engagements",
    store="mongodb",
    key=("slate_id", "content_id"),
    origin="content_service.engagements",
    paths={
        "slate_id": "slateId",
        "content_id": "contentId",
        "person_id": "userId",
        "shown_at": "shownAt",
        "recorded_at": "recordedAt",
    },
    fields=(
        identifier("slate_id", "Which list of items that were shown together"),
        CONTENT_ID,
        PERSON_ID,
        Field(name="position", dtype=int, minimum=1, maximum=SLATE, description="Place in the list, from the top"),
        share("propensity", "Probability that the logging policy put this item here, given those above it"),
        flag("clicked", "Whether the person opened it"),
        flag("completed", "Whether the person finished it"),
        share("reward", "What it was worth: 0 unless completed, then the share of a wanted level gained, with noise"),
        time_of("shown_at", "When the list was shown"),
        RECORDED_AT,
    ),
    description="Items shown, in which place and how probably, and what became of them",
)

STREAMS = (contents, engagements)
