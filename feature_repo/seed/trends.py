"""Demand for skills: hiring posts by month to 2019, StackOverflow posts by month to 2024, GitHub by quarter to 2024.

Licences: hiring posts: counts, made from public posts. StackOverflow: counts of posts under CC BY-SA. GitHub: counts
from a repository under AGPL. A skill is `hn/python`, `so/python` or `github/python`: the series count different things
and are never added up. Every value is the share, in points, of what was counted in the period:
- hn: posts that mention the skill, of all hiring posts of the month; one post may mention many
- so: posts with the language's tag, of those with the tag of any listed language
- github: pushes, pull requests, issues and stars in a language, of those in any listed language
What is not listed in a period was not counted: it has no row, and not a row with a zero.
"""

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.sources.streams import skill_demand

HIRING = DataFile(
    "hn_hiring_skill_month.csv",
    (
        FileColumn("month", "time", required=True, template="%Y-%m"),
        FileColumn("skill", required=True),
        FileColumn("posts_mentioning", "whole", required=True, minimum=0),
        FileColumn("posts_total", "whole", required=True, minimum=1),
    ),
)
STACKOVERFLOW = DataFile(
    "so_posts_lang_month_to_2024.csv",
    (
        FileColumn("month", "time", required=True, template="%Y-%m-%d"),
        FileColumn("tag", required=True),
        FileColumn("posts", "whole", required=True, minimum=0),
    ),
)
GITHUB = DataFile(
    "githut_lang_quarter.csv",
    (
        FileColumn("name", required=True),
        FileColumn("year", "whole", required=True, minimum=2008, maximum=2100),
        FileColumn("quarter", "whole", required=True, minimum=1, maximum=4),
        FileColumn("count", "whole", required=True, minimum=0),
    ),
)
MONTHS_OF_QUARTER = 3


def hiring(files: Files) -> Rows:
    """Skills in hiring posts."""
    counted = files.frame(HIRING).rename({"skill": "name", "month": "period_at", "posts_mentioning": "count"})
    yield skill_demand, demand("hn", counted.with_columns(posts=pl.col("posts_total")), months=1)


def stackoverflow(files: Files) -> Rows:
    """Languages on StackOverflow."""
    counted = files.frame(STACKOVERFLOW).rename({"tag": "name", "month": "period_at", "posts": "count"})
    yield skill_demand, demand("so", counted.with_columns(posts=_of_period()), months=1)


def github(files: Files) -> Rows:
    """Languages on GitHub, all kinds of events together."""
    first = MONTHS_OF_QUARTER * (pl.col("quarter") - 1) + 1
    counted = files.frame(GITHUB).with_columns(period_at=pl.datetime("year", first, 1, time_zone="UTC"))
    yield skill_demand, demand("github", counted.with_columns(posts=_of_period()), months=MONTHS_OF_QUARTER)


def demand(series: str, counted: pl.DataFrame, months: int) -> pl.DataFrame:
    """Rows of the stream, known when the period has ended.

    counted: name, period_at, count and posts, those of the whole period. Rows of one name and period are added up.
    """
    share = (100 * pl.col("count").sum() / pl.col("posts").first()).clip(upper_bound=100.0)
    period = counted.group_by(pl.concat_str(pl.lit(f"{series}/"), pl.col("name").str.to_lowercase()), "period_at")
    return (
        period.agg(value=share, posts=pl.col("posts").first().cast(pl.Float64))
        .rename({"literal": "skill_id"})
        .with_columns(
            pl.col("period_at").cast(pl.Datetime("us", "UTC")),
            months=pl.lit(months),
            series=pl.lit(series),
            recorded_at=pl.col("period_at").cast(pl.Datetime("us", "UTC")).dt.offset_by(f"{months}mo"),
        )
        .sort("skill_id", "period_at")
    )


def _of_period() -> pl.Expr:
    return pl.col("count").sum().over("period_at")


TRENDS = Dataset(
    name="trends",
    folder="skill_trends",
    licence="hiring posts: counts; StackOverflow: counts of posts under CC BY-SA; GitHub: counts of an AGPL repository",
    parts=(Part((HIRING,), hiring), Part((STACKOVERFLOW,), stackoverflow), Part((GITHUB,), github)),
)
