"""The job market: talents, jobs, what both name as skills, and what came of applications. Talents are people too."""

from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams.fields import (
    EDUCATIONS,
    JOB_ID,
    PAY,
    PERSON_ID,
    PLACE,
    SENIORITIES,
    SKILL_ID,
    flag,
    identifier,
    level,
    number,
    text,
    time_of,
    years,
)

OUTCOMES = ("REJECTED", "INTERVIEWED", "HIRED")
JOB_STATES = ("OPEN", "CLOSED")

talents = Stream(
    name="talents",
    store="mysql",
    key=("person_id",),
    origin="job_service.talents",
    paths={"person_id": "user_id"},
    fields=(
        PERSON_ID,
        text("headline", "What the talent says of themselves in a line or two", nulls=1.0),
        *PLACE,
        *PAY,
        text("education", "The highest degree", nulls=1.0, allowed=EDUCATIONS),
        flag("wants_remote", "Whether the talent would work from anywhere", nulls=1.0),
        RECORDED_AT,
    ),
    description="What the market knows of people beyond their profile",
)

jobs = Stream(
    name="jobs",
    store="mysql",
    key=("job_id",),
    origin="job_service.jobs",
    fields=(
        JOB_ID,
        text("title", "The job in a line"),
        identifier("department_id", "The kind of department that it is in", nulls=1.0),
        text("seniority_level", "Rank asked for, INTERN to DIRECTOR", nulls=1.0, allowed=SENIORITIES),
        years("minimum_years", "Years of work asked for, at least", nulls=1.0),
        years("maximum_years", "Years of work beyond which one is overqualified", nulls=1.0),
        *PLACE,
        flag("is_remote", "Whether it can be done from anywhere", nulls=1.0),
        *PAY,
        text("education", "The degree asked for", nulls=1.0, allowed=EDUCATIONS),
        text("employer", "Who offers it", nulls=1.0),
        text("status", "Whether it can still be applied for, at the time of extraction", allowed=JOB_STATES),
        time_of("posted_at", "When it was published"),
        time_of("closed_at", "When it closed, null while open; for telling what was open at a date", nulls=1.0),
        RECORDED_AT,
    ),
    description="Jobs on offer, open and closed",
)

postings = Stream(
    name="postings",
    store="mongodb",
    key=("job_id",),
    origin="job_service.postings",
    paths={"job_id": "jobId", "recorded_at": "recordedAt"},
    fields=(JOB_ID, text("text", "The posting's words; skills are named in prose"), RECORDED_AT),
    description="The words of the jobs",
)

talent_skills = Stream(
    name="talent_skills",
    store="neo4j",
    key=("person_id", "skill_id"),
    origin="(u:User)-[r:HAS_SKILL]->(s:Skill)",
    paths={
        "person_id": "u.userId",
        "skill_id": "s.skillId",
        "level": "r.level",
        "years": "r.years",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        PERSON_ID,
        SKILL_ID,
        level("level", "Proficiency as declared, BEGINNER 1 to MASTER 5"),
        years("years", "Time in use, as declared", nulls=1.0),
        RECORDED_AT,
    ),
    description="Skills as people declare them: some are left out, some over- or understated",
)

wanted_skills = Stream(
    name="wanted_skills",
    store="neo4j",
    key=("person_id", "skill_id"),
    origin="(u:User)-[r:WANTS]->(s:Skill)",
    paths={"person_id": "u.userId", "skill_id": "s.skillId", "recorded_at": "r.recordedAt"},
    fields=(PERSON_ID, SKILL_ID, RECORDED_AT),
    description="Skills that people would like to work with",
)

job_skills = Stream(
    name="job_skills",
    store="neo4j",
    key=("job_id", "skill_id"),
    origin="(j:Job)-[r:REQUIRES]->(s:Skill)",
    paths={
        "job_id": "j.jobId",
        "skill_id": "s.skillId",
        "level": "r.level",
        "mandatory": "r.mandatory",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        JOB_ID,
        SKILL_ID,
        level("level", "Proficiency asked for, 1 to 5"),
        flag("mandatory", "Whether the job needs the skill"),
        RECORDED_AT,
    ),
    description="The skills that a job asks for",
)

applications = Stream(
    name="applications",
    store="mysql",
    key=("person_id", "job_id"),
    origin="job_service.applications",
    paths={"person_id": "user_id"},
    fields=(
        PERSON_ID,
        JOB_ID,
        text("outcome", "How far the application got", allowed=OUTCOMES),
        number("match_score", "How well the assessors found person and job to match", "points", maximum=100.0),
        time_of("applied_at", "When the person applied"),
        RECORDED_AT,
    ),
    description="Applications that were decided, known when they were",
)

skill_assessments = Stream(
    name="skill_assessments",
    store="mysql",
    key=("person_id", "job_id", "skill_id"),
    origin="job_service.skill_assessments",
    paths={"person_id": "user_id"},
    fields=(
        PERSON_ID,
        JOB_ID,
        SKILL_ID,
        flag("is_gap", "Whether the assessors found the level below what the job asks for"),
        time_of("assessed_at", "When they judged it"),
        RECORDED_AT,
    ),
    description="For each application and skill that the job asks for, whether the applicant falls short",
)

job_views = Stream(
    name="job_views",
    store="mysql",
    key=("person_id", "job_id", "viewed_at"),
    origin="job_service.job_views",
    paths={"person_id": "user_id"},
    fields=(PERSON_ID, JOB_ID, time_of("viewed_at", "When the person looked at the job"), RECORDED_AT),
    description="Who looked at which job",
)

skills = Stream(
    name="skills",
    store="neo4j",
    key=("skill_id",),
    origin="(s:Skill)",
    paths={
        "skill_id": "s.skillId",
        "name": "s.name",
        "skill_type": "s.skillType",
        "parent_id": "s.parentId",
        "recorded_at": "s.recordedAt",
    },
    fields=(
        SKILL_ID,
        text("name", "What the skill is called"),
        text("skill_type", "Kind of skill, such as TECHNICAL"),
        identifier("parent_id", "The broader skill or group that it belongs to", nulls=1.0),
        RECORDED_AT,
    ),
    description="The catalogue of skills; one that only a relationship names is not in it",
)

prerequisites = Stream(
    name="prerequisites",
    store="neo4j",
    key=("skill_id", "prerequisite_id"),
    origin="(a:Skill)-[r:PREREQUISITE_OF]->(b:Skill)",
    paths={"skill_id": "b.skillId", "prerequisite_id": "a.skillId", "recorded_at": "r.recordedAt"},
    fields=(SKILL_ID, identifier("prerequisite_id", "What has to be learnt before"), RECORDED_AT),
    description="Which skill builds on which",
)

STREAMS = (
    talents,
    jobs,
    postings,
    talent_skills,
    wanted_skills,
    job_skills,
    applications,
    skill_assessments,
    job_views,
    skills,
    prerequisites,
)
