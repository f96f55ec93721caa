"""People and their work: accounts, profiles, tasks, who did them, skills, load and ratings."""

from feature_repo.column import Field
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams.fields import PERSON_ID, SENIORITIES, SKILL_ID, TASK_ID, hours, identifier, time_of

DIFFICULTIES = ("EASY", "MEDIUM", "HARD")

people = Stream(
    name="people",
    store="mysql",
    key=("person_id",),
    origin="identity_service.users",
    paths={"person_id": "user_id", "created_at": "created_date"},
    fields=(
        PERSON_ID,
        Field(name="email", dtype=str, nulls=1.0, description="Address; never a feature"),
        Field(name="status", dtype=str, description="The account's state, such as ACTIVE"),
        time_of("created_at", "When the account was opened"),
        RECORDED_AT,
    ),
    description="Everybody who has an account",
)

profiles = Stream(
    name="profiles",
    store="mysql",
    key=("person_id", "valid_from"),
    origin="identity_service.user_profiles",
    paths={"person_id": "user_id"},
    fields=(
        PERSON_ID,
        identifier("department_id", "Where the person works"),
        Field(name="seniority_level", dtype=str, allowed=SENIORITIES, description="Rank, INTERN to DIRECTOR"),
        Field(
            name="experience_years",
            dtype=float,
            unit="years",
            minimum=0,
            maximum=60,
            nulls=0.05,
            description="Years of work at valid_from",
        ),
        time_of("valid_from", "From when on the profile holds"),
        RECORDED_AT,
    ),
    description="Department, rank and experience, with history",
)

tasks = Stream(
    name="tasks",
    store="mysql",
    key=("task_id",),
    origin="task_service.tasks",
    fields=(
        TASK_ID,
        Field(name="title", dtype=str, nulls=0.01, description="The task in a line"),
        Field(name="priority", dtype=int, minimum=1, maximum=10, description="Rank of urgency in the source"),
        Field(name="difficulty", dtype=str, nulls=1.0, allowed=DIFFICULTIES, description="Judged when specified"),
        Field(name="category", dtype=str, nulls=1.0, description="Kind of work"),
        identifier("subcategory_id", "Finer kind of work", nulls=1.0),
        identifier("project_id", "The project that the task belongs to"),
        identifier("breakdown_id", "The part of the project", nulls=1.0),
        identifier("raiser_id", "Who asked for the task", nulls=1.0),
        hours("estimate_hours", "Effort as estimated when specified", minimum=0.001, nulls=1.0),
        time_of("estimated_at", "When the task was specified and estimated"),
        RECORDED_AT,
    ),
    description="Tasks as specified: nothing here is known only afterwards",
)

completions = Stream(
    name="completions",
    store="mysql",
    key=("task_id",),
    origin="task_service.tasks",
    paths={"recorded_at": "completion_recorded_at"},
    fields=(
        TASK_ID,
        hours("actual_hours", "Effort that the task took, all people together"),
        Field(name="status", dtype=str, description="The state that the task ended in"),
        time_of("completed_at", "When the task ended, null where nobody noted the day", nulls=1.0),
        RECORDED_AT,
    ),
    description="One row for each task that ended",
)

worklogs = Stream(
    name="worklogs",
    store="mysql",
    key=("worklog_id",),
    origin="task_service.worklogs",
    paths={"person_id": "user_id"},
    fields=(
        identifier("worklog_id", "Which entry"),
        TASK_ID,
        PERSON_ID,
        hours("hours", "Effort of this person on this task"),
        time_of("worked_at", "The last day of that work"),
        RECORDED_AT,
    ),
    description="Hours by person and task, known when the task ended",
)

assignments = Stream(
    name="assignments",
    store="neo4j",
    key=("task_id", "person_id"),
    origin="(u:User)-[r:ASSIGNED_TO]->(t:Task)",
    paths={
        "task_id": "t.taskId",
        "person_id": "u.userId",
        "method": "r.assignmentMethod",
        "assigned_at": "r.assignmentDate",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        TASK_ID,
        PERSON_ID,
        Field(name="method", dtype=str, nulls=1.0, description="How the choice was made, such as MANUAL"),
        time_of("assigned_at", "When the person was given the task"),
        RECORDED_AT,
    ),
    description="Who was given which task",
)

worked_on = Stream(
    name="worked_on",
    store="neo4j",
    key=("task_id", "person_id"),
    origin="(u:User)-[r:WORKED_ON]->(t:Task)",
    paths={"task_id": "t.taskId", "person_id": "u.userId", "started_at": "r.at", "recorded_at": "r.recordedAt"},
    fields=(TASK_ID, PERSON_ID, time_of("started_at", "When work began"), RECORDED_AT),
    description="Who worked on which task; the hours are known only afterwards and are in worklogs",
)

requirements = Stream(
    name="requirements",
    store="neo4j",
    key=("task_id", "skill_id"),
    origin="(t:Task)-[r:REQUIRES]->(s:Skill)",
    paths={
        "task_id": "t.taskId",
        "skill_id": "s.skillId",
        "level": "r.level",
        "mandatory": "r.mandatory",
        "recorded_at": "r.recordedAt",
    },
    fields=(
        TASK_ID,
        SKILL_ID,
        Field(name="level", dtype=int, minimum=1, maximum=5, nulls=1.0, description="Proficiency asked for, 1 to 5"),
        Field(name="mandatory", dtype=bool, description="Whether the task needs the skill"),
        RECORDED_AT,
    ),
    description="The skills that a task asks for",
)

user_skills = Stream(
    name="user_skills",
    store="mongodb",
    key=("person_id", "skill_id", "as_of"),
    origin="profile_service.user_skills",
    paths={
        "person_id": "userId",
        "skill_id": "skillName",
        "skill_type": "skillType",
        "level": "proficiencyLevel",
        "years": "yearsOfExperience",
        "median_ratio": "medianRatio",
        "is_active": "isActive",
        "as_of": "asOf",
        "recorded_at": "recordedAt",
    },
    fields=(
        PERSON_ID,
        SKILL_ID,
        Field(name="skill_type", dtype=str, description="Kind of skill"),
        Field(name="level", dtype=float, minimum=1, maximum=5, description="Proficiency, BEGINNER 1 to MASTER 5"),
        Field(name="years", dtype=float, unit="years", minimum=0, maximum=60, nulls=1.0, description="Time in use"),
        Field(name="tasks", dtype=int, minimum=0, nulls=1.0, description="Earlier finished tasks that used it"),
        Field(name="hours", dtype=float, unit="h", minimum=0, nulls=1.0, description="Hours on those tasks"),
        Field(name="median_ratio", dtype=float, minimum=0, nulls=1.0, description="Median actual / estimated of them"),
        Field(name="is_active", dtype=bool, description="Whether the skill is in use"),
        time_of("as_of", "The state of this instant"),
        RECORDED_AT,
    ),
    description="Skills by person, a row whenever they change",
)

workloads = Stream(
    name="workloads",
    store="mongodb",
    key=("person_id", "day"),
    origin="workload_service.user_workloads",
    paths={
        "person_id": "userId",
        "day": "date",
        "open_tasks": "openTasks",
        "allocated_hours": "allocatedHours",
        "capacity_hours": "capacity",
        "recorded_at": "recordedAt",
    },
    fields=(
        PERSON_ID,
        time_of("day", "The day that ended in this state"),
        Field(name="open_tasks", dtype=int, minimum=0, maximum=10_000, description="Tasks given and not ended"),
        Field(
            name="allocated_hours",
            dtype=float,
            unit="h",
            minimum=0,
            maximum=100_000,
            description="Estimated hours of the open tasks",
        ),
        Field(name="utilization", dtype=float, minimum=0, maximum=20, nulls=1.0, description="Hours over capacity"),
        Field(
            name="capacity_hours",
            dtype=float,
            unit="h",
            minimum=0,
            maximum=400,
            nulls=1.0,
            description="Hours that the person can give in a week",
        ),
        RECORDED_AT,
    ),
    description="Load by person, a row on each day on which it changed",
)

feedback = Stream(
    name="feedback",
    store="mongodb",
    key=("task_id", "person_id"),
    origin="feedback_service.feedback",
    paths={"task_id": "taskId", "person_id": "userId", "given_at": "givenAt", "recorded_at": "recordedAt"},
    fields=(
        TASK_ID,
        PERSON_ID,
        Field(name="rating", dtype=float, minimum=1, maximum=5, description="Quality of the work, 1 to 5"),
        time_of("given_at", "When the rating was given"),
        RECORDED_AT,
    ),
    description="Ratings of a person's work on a task",
)

STREAMS = (
    people,
    profiles,
    tasks,
    completions,
    worklogs,
    assignments,
    worked_on,
    requirements,
    user_skills,
    workloads,
    feedback,
)
