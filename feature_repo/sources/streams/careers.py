"""Careers: occupations, what they need and offer, what people care for, and which suit whom."""

from feature_repo.column import Field
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams.fields import (
    MOST_PAY,
    OCCUPATION_ID,
    PERSON_ID,
    SKILL_ID,
    TRAIT_ID,
    flag,
    identifier,
    level,
    number,
    share,
    text,
    time_of,
)

INTERESTS = ("realistic", "investigative", "artistic", "social", "enterprising", "conventional")
VALUES = ("achievement", "independence", "recognition", "relationships", "support", "working-conditions")
MATCH_TYPES = ("STRONG", "MODERATE", "WEAK", "POOR", "PARTIAL", "WRONG_INTERESTS", "REPORTED")

occupations = Stream(
    name="occupations",
    store="mysql",
    key=("occupation_id",),
    origin="career_service.occupations",
    fields=(
        OCCUPATION_ID,
        text("title", "What it is called"),
        text("text", "What one does in it", nulls=1.0),
        text("cluster", "The group it belongs to: career cluster, ISCO or SOC major group"),
        number("job_zone", "Preparation needed, 1 little to 5 extensive", "", 1.0, 5.0, nulls=1.0),
        number("wage", "Middle pay", "EUR or USD/year", 0.0, MOST_PAY, nulls=1.0),
        text("source", "Where it comes from: synthetic, onet, esco or so"),
        RECORDED_AT,
    ),
    description="The catalogue of occupations",
)

occupation_skills = Stream(
    name="occupation_skills",
    store="neo4j",
    key=("occupation_id", "skill_id"),
    origin="(o:Occupation)-[r:NEEDS]->(s:Skill)",
    paths={
        "occupation_id": "o.occupationId",
        "skill_id": "s.skillId",
        "level": "r.level",
        "importance": "r.importance",
        "essential": "r.essential",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        OCCUPATION_ID,
        SKILL_ID,
        level("level", "Proficiency needed, 1 to 5"),
        share("importance", "How much it matters"),
        flag("essential", "Whether one cannot do without"),
        RECORDED_AT,
    ),
    description="The skills that an occupation needs",
)

occupation_traits = Stream(
    name="occupation_traits",
    store="mysql",
    key=("occupation_id", "trait_id"),
    origin="career_service.occupation_traits",
    fields=(OCCUPATION_ID, TRAIT_ID, share("value", "How much the occupation offers of it"), RECORDED_AT),
    description="Interests and work values that an occupation serves",
)

person_traits = Stream(
    name="person_traits",
    store="mysql",
    key=("person_id", "trait_id"),
    origin="career_service.person_traits",
    paths={"person_id": "user_id"},
    fields=(PERSON_ID, TRAIT_ID, share("value", "How much the person cares for it"), RECORDED_AT),
    description="People's interests and work values, as they answered a questionnaire",
)

related_occupations = Stream(
    name="related_occupations",
    store="neo4j",
    key=("occupation_id", "related_id"),
    origin="(a:Occupation)-[r:RELATED_TO]->(b:Occupation)",
    paths={
        "occupation_id": "a.occupationId",
        "related_id": "b.occupationId",
        "rank": "r.rank",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        OCCUPATION_ID,
        identifier("related_id", "An occupation that one may move to"),
        Field(name="rank", dtype=int, minimum=1, description="1 is the nearest"),
        RECORDED_AT,
    ),
    description="Occupations that are near to each other",
)

career_matches = Stream(
    name="career_matches",
    store="mysql",
    key=("person_id", "occupation_id"),
    origin="career_service.career_matches",
    paths={"person_id": "user_id"},
    fields=(
        PERSON_ID,
        OCCUPATION_ID,
        text("match_type", "Of which kind the pair is; REPORTED: the person's own occupation", allowed=MATCH_TYPES),
        share("similarity", "How near person and occupation are, known only to the source; never a feature"),
        flag("is_match", "Whether the counsellor found that the occupation suits the person"),
        time_of("judged_at", "When"),
        RECORDED_AT,
    ),
    description="Which occupations suit whom, as judged by counsellors or reported by the people",
)

STREAMS = (
    occupations,
    occupation_skills,
    occupation_traits,
    person_traits,
    related_occupations,
    career_matches,
)
