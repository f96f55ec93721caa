"""Public issues of six Apache projects, 2010 to 2021, with pseudonymous assignees.

Licence: public research data, terms not verified.
- people: everybody who was ever given an issue, known from the first one on
- tasks: an issue; the project is the tenant, the type of issue the category, the first component the sub-category. The
  priorities of the projects' two schemes become 1 (Blocker, Urgent) to 5 (Trivial)
- requirements: the components stand for skills, `jira/<project>/<component>`
- assignments and worked_on: the assignee, from the creation of the issue on, known the day after, as in SiP
What the file does not know stays empty: estimates (tasks.estimate_hours is null), raisers, when an issue was given to
whom, and its end: there are no completions. Titles and components are as they were last, not as they were first.
"""

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.sources.streams import assignments, people, requirements, tasks, worked_on

PRIORITIES = {
    "Blocker": 1,
    "Urgent": 1,
    "Critical": 2,
    "Major": 3,
    "Normal": 3,
    "Minor": 4,
    "Low": 4,
    "Trivial": 5,
}
ISSUES = DataFile(
    "apache_jira_dev_projects.parquet",
    (
        FileColumn("id", "whole", required=True),
        FileColumn("project", required=True),
        FileColumn("created_date", "time", required=True, template="%Y-%m-%d %H:%M:%S"),
        FileColumn("issue_type_name"),
        FileColumn("priority_name", required=True, allowed=tuple(PRIORITIES)),
        FileColumn("components_name"),
        FileColumn("summary", required=True),
        FileColumn("assignee", required=True),
    ),
)
WORD = 64


def rows(files: Files) -> Rows:
    """People, then the issues in batches."""
    first = files.frame(ISSUES, ["assignee", "created_date"]).group_by("assignee").agg(pl.col("created_date").min())
    yield (
        people,
        first.sort("assignee").select(
            person_id=_person_id(),
            status=pl.lit("ACTIVE"),
            created_at="created_date",
            recorded_at=_day_after(),
        ),
    )
    for batch in files.batches(ISSUES):
        issues = batch.with_columns(pl.col("components_name").fill_null("").str.extract_all(r"'[^']+'"))
        issues = issues.with_columns(components=pl.col("components_name").list.eval(pl.element().str.strip_chars("'")))
        yield tasks, _tasks(issues)
        yield requirements, _requirements(issues)
        given = issues.select(
            task_id=_task_id(), person_id=_person_id(), assigned_at="created_date", recorded_at=_day_after()
        )
        yield assignments, given
        yield worked_on, given.rename({"assigned_at": "started_at"})


def _task_id() -> pl.Expr:
    return pl.concat_str(pl.lit("jira-"), "id")


def _person_id() -> pl.Expr:
    return pl.concat_str(pl.lit("jira-"), "assignee")


def _day_after() -> pl.Expr:
    return pl.col("created_date").dt.truncate("1d").dt.offset_by("1d")


def _tasks(issues: pl.DataFrame) -> pl.DataFrame:
    return issues.select(
        task_id=_task_id(),
        title="summary",
        priority=pl.col("priority_name").replace_strict(PRIORITIES, return_dtype=pl.Int64),
        category=pl.col("issue_type_name").str.slice(0, WORD),
        subcategory_id=pl.col("components").list.first().str.slice(0, WORD),
        project_id=pl.concat_str(pl.lit("jira-"), "project"),
        estimate_hours=pl.lit(None, pl.Float64),
        estimated_at="created_date",
        recorded_at="created_date",
    )


def _requirements(issues: pl.DataFrame) -> pl.DataFrame:
    each = issues.explode("components").drop_nulls("components")
    skill = pl.concat_str(pl.lit("jira/"), "project", pl.lit("/"), pl.col("components").str.to_lowercase())
    return each.select(task_id=_task_id(), skill_id=skill, mandatory=pl.lit(True), recorded_at="created_date").unique(
        ["task_id", "skill_id"], maintain_order=True
    )


JIRA = Dataset(
    name="jira",
    folder="apache_jira",
    licence="public research data, terms not verified",
    parts=(Part((ISSUES,), rows),),
)
