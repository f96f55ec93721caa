"""The tables, constraints and collections of the sources (REQUIREMENTS section 2), made where they are missing."""

from feature_repo.settings import Settings
from feature_repo.sources import mongodb, mysql, neo4j, servers
from feature_repo.sources.streams import STREAMS

ID = "VARCHAR(64) NOT NULL"
LONG_ID = "VARCHAR(128) NOT NULL"  # of skills, occupations and traits: taxonomies name them by long paths
WORD = "VARCHAR(64)"
TIME = "DATETIME(6)"
KNOWN = f"recorded_at {TIME}, INDEX (recorded_at)"
PLACE = "latitude DOUBLE, longitude DOUBLE, utc_offset_hours DOUBLE"
PAY = "salary_low DOUBLE, salary_high DOUBLE"

WORK_TABLES = {
    "identity_service.users": f"""user_id {ID} PRIMARY KEY, email VARCHAR(255), status {WORD}, created_date {TIME},
        last_login {TIME}, {KNOWN}""",
    "identity_service.user_profiles": f"""user_id {ID}, department_id {WORD}, seniority_level {WORD},
        experience_years DOUBLE, valid_from {TIME} NOT NULL, {KNOWN}, PRIMARY KEY (user_id, valid_from)""",
    "task_service.tasks": f"""task_id {ID} PRIMARY KEY, title TEXT, priority INT, difficulty {WORD}, category {WORD},
        subcategory_id {WORD}, project_id {WORD}, breakdown_id {WORD}, raiser_id {WORD}, assignee_id {WORD},
        authoriser_id {WORD}, estimate_hours DOUBLE, estimated_at {TIME}, started_at {TIME}, status {WORD},
        actual_hours DOUBLE, completed_at {TIME}, completion_recorded_at {TIME}, system_id {WORD}, {KNOWN},
        INDEX (completion_recorded_at)""",
    "task_service.worklogs": f"""worklog_id VARCHAR(160) NOT NULL PRIMARY KEY, task_id {ID}, user_id {ID}, hours DOUBLE,
        worked_at {TIME}, {KNOWN}, INDEX (task_id)""",
}
MARKET_TABLES = {
    "job_service.jobs": f"""job_id {ID} PRIMARY KEY, title VARCHAR(255), department_id {WORD}, seniority_level {WORD},
        minimum_years DOUBLE, maximum_years DOUBLE, {PLACE}, is_remote TINYINT(1), {PAY}, education {WORD},
        employer VARCHAR(255), status {WORD}, posted_at {TIME}, closed_at {TIME}, {KNOWN}""",
    "job_service.talents": f"""user_id {ID} PRIMARY KEY, headline TEXT, {PLACE}, {PAY}, education {WORD},
        wants_remote TINYINT(1), {KNOWN}""",
    "job_service.applications": f"""user_id {ID}, job_id {ID}, outcome {WORD}, match_score DOUBLE, applied_at {TIME},
        {KNOWN}, PRIMARY KEY (user_id, job_id)""",
    "job_service.skill_assessments": f"""user_id {ID}, job_id {ID}, skill_id {LONG_ID}, is_gap TINYINT(1),
        assessed_at {TIME}, {KNOWN}, PRIMARY KEY (user_id, job_id, skill_id)""",
    "job_service.job_views": f"""user_id {ID}, job_id {ID}, viewed_at {TIME} NOT NULL, {KNOWN},
        PRIMARY KEY (user_id, job_id, viewed_at)""",
}
CAREER_TABLES = {
    "career_service.occupations": f"""occupation_id {LONG_ID} PRIMARY KEY, title VARCHAR(255), text TEXT,
        cluster VARCHAR(255), job_zone DOUBLE, wage DOUBLE, source {WORD}, {KNOWN}""",
    "career_service.occupation_traits": f"""occupation_id {LONG_ID}, trait_id {LONG_ID}, value DOUBLE, {KNOWN},
        PRIMARY KEY (occupation_id, trait_id)""",
    "career_service.person_traits": f"""user_id {ID}, trait_id {LONG_ID}, value DOUBLE, {KNOWN},
        PRIMARY KEY (user_id, trait_id)""",
    "career_service.career_matches": f"""user_id {ID}, occupation_id {LONG_ID}, match_type {WORD}, similarity DOUBLE,
        is_match TINYINT(1), judged_at {TIME}, {KNOWN}, PRIMARY KEY (user_id, occupation_id)""",
    "market_service.skill_demand": f"""skill_id {LONG_ID}, period_at {TIME} NOT NULL, value DOUBLE, posts DOUBLE,
        months INT, series {WORD}, {KNOWN}, PRIMARY KEY (skill_id, period_at)""",
}
TABLES = {**WORK_TABLES, **MARKET_TABLES, **CAREER_TABLES}

NODE_KEYS = {
    "User": "userId",
    "Task": "taskId",
    "Project": "projectId",
    "Skill": "skillId",
    "Job": "jobId",
    "Occupation": "occupationId",
}


def create(settings: Settings) -> None:
    """Make every table, constraint and collection that is missing; what is there stays as it is.

    Raises SourceError that names the source.
    """
    _create_tables(servers.address(settings, "mysql"))
    _create_constraints(servers.address(settings, "neo4j"))
    _create_collections(servers.address(settings, "mongodb"))


def _create_tables(url: str) -> None:
    with mysql.connected(url) as connection, connection.cursor() as cursor:
        for database in sorted({table.partition(".")[0] for table in TABLES}):
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        for table, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")


def _create_constraints(url: str) -> None:
    with neo4j.connected(url) as driver, driver.session() as session:
        for label, key in NODE_KEYS.items():
            query = f"CREATE CONSTRAINT {label.lower()}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
            session.execute_write(lambda transaction, query=query: transaction.run(query).consume())


def _create_collections(url: str) -> None:
    with mongodb.connected(url) as client:
        for stream in STREAMS:
            if stream.store == "mongodb":
                database, _, name = stream.origin.partition(".")
                if name not in client[database].list_collection_names():
                    client[database].create_collection(name)
