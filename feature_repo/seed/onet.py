"""O*NET: occupations of the United States, what they need, what they offer, and which are near to each other.

Licence: CC BY 4.0, U.S. Department of Labor, Employment and Training Administration.
- occupations: `onet/<SOC code>`, source onet; cluster: SOC's major group; wage: the median, USD a year
- skills: `onet/skill/<name>` and `onet/knowledge/<name>`, as Mathematics is both
- occupation_skills: skills and knowledge whose importance is at least the middle of its scale (3 of 1 to 5), given as 0
  to 1; essential from 4, "very important"; the level, 0 to 7, becomes 1 to 5. What O*NET advises to suppress is left
  out
- occupation_traits: interests (1 to 7) and work styles (1 to 5) as 0 to 1; the style "Achievement/Effort" is the value
  achievement, "Independence" is independence, the others have names of their own. The set has no work values
- related_occupations: rank is O*NET's index, 1 to 20
Each rating is known when the month of its date has ended; an occupation with its job zone. What has no date is known
with the latest job zone, as is what a later update replaced: the set holds only the last rating of each.
"""

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.sources.streams import (
    occupation_skills,
    occupation_traits,
    occupations,
    related_occupations,
    skills,
)

CODE = "O*NET-SOC Code"
DATE = FileColumn("Date", "time", required=True, template="%m/%Y")
MIDDLE_IMPORTANCE, ESSENTIAL_IMPORTANCE = 3.0, 4.0
ACHIEVEMENT = {"achievement/effort": "achievement"}
MAJOR_GROUPS = {
    "11": "Management",
    "13": "Business and Financial Operations",
    "15": "Computer and Mathematical",
    "17": "Architecture and Engineering",
    "19": "Life, Physical, and Social Science",
    "21": "Community and Social Service",
    "23": "Legal",
    "25": "Educational Instruction and Library",
    "27": "Arts, Design, Entertainment, Sports, and Media",
    "29": "Healthcare Practitioners and Technical",
    "31": "Healthcare Support",
    "33": "Protective Service",
    "35": "Food Preparation and Serving Related",
    "37": "Building and Grounds Cleaning and Maintenance",
    "39": "Personal Care and Service",
    "41": "Sales and Related",
    "43": "Office and Administrative Support",
    "45": "Farming, Fishing, and Forestry",
    "47": "Construction and Extraction",
    "49": "Installation, Maintenance, and Repair",
    "51": "Production",
    "53": "Transportation and Material Moving",
    "55": "Military Specific",
}


def _rated(name: str, scales: tuple[str, ...], *more: FileColumn) -> DataFile:
    """A file of ratings: a row for each occupation, element and scale."""
    code, element = FileColumn(CODE, required=True), FileColumn("Element Name", required=True)
    scale = FileColumn("Scale ID", required=True, allowed=scales)
    rating = FileColumn("Data Value", "number", required=True, minimum=0, maximum=7)
    return DataFile(name, (code, element, scale, rating, DATE, *more))


NEEDED = (FileColumn("Element ID", required=True), FileColumn("Recommend Suppress"))
SKILLS = _rated("skills.parquet", ("IM", "LV"), *NEEDED)
KNOWLEDGE = _rated("knowledge.parquet", ("IM", "LV"), *NEEDED)
INTERESTS = _rated("interests.parquet", ("OI", "IH"))
STYLES = _rated("work_styles.parquet", ("IM",))
OCCUPATIONS = DataFile(
    "occupation_data.parquet",
    (FileColumn(CODE, required=True), FileColumn("Title", required=True), FileColumn("Description")),
)
ZONES = DataFile(
    "job_zones.parquet",
    (
        FileColumn(CODE, required=True),
        FileColumn("Job Zone", "whole", required=True, minimum=1, maximum=5),
        DATE,
    ),
)
WAGES = DataFile(
    "occupations_aggregated_wages.parquet",
    (FileColumn("onetsoc_code", required=True), FileColumn("A_MEDIAN", "number", minimum=0)),
)
RELATED = DataFile(
    "related_occupations.parquet",
    (
        FileColumn(CODE, required=True),
        FileColumn("Related O*NET-SOC Code", required=True),
        FileColumn("Index", "whole", required=True, minimum=1),
    ),
)


def rows(files: Files) -> Rows:
    """Occupations first, then what they need, offer and lead to."""
    zones = files.frame(ZONES).with_columns(recorded_at=_month_after())
    released = pl.lit(zones["recorded_at"].max())
    yield occupations, _occupations(files, zones, released)
    for file, kind in ((SKILLS, "SKILL"), (KNOWLEDGE, "KNOWLEDGE")):
        ratings = files.frame(file)
        yield skills, _elements(ratings, kind)
        yield occupation_skills, _needs(ratings, kind)
    for file, scale, highest in ((INTERESTS, "OI", 7), (STYLES, "IM", 5)):
        for batch in files.batches(file):
            yield occupation_traits, _traits(batch.filter(pl.col("Scale ID") == scale), highest)
    for batch in files.batches(RELATED):
        related = _id(pl.col("Related O*NET-SOC Code"))
        yield (
            related_occupations,
            batch.select(occupation_id=_id(pl.col(CODE)), related_id=related, rank="Index", recorded_at=released),
        )


def _id(name: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("onet/"), name)


def _skill_id(kind: str) -> pl.Expr:
    return _id(pl.concat_str(pl.lit(f"{kind.lower()}/"), pl.col("Element Name").str.to_lowercase()))


def _month_after() -> pl.Expr:
    return pl.col("Date").dt.offset_by("1mo")


def _occupations(files: Files, zones: pl.DataFrame, released: pl.Expr) -> pl.DataFrame:
    wages = files.frame(WAGES).rename({"onetsoc_code": CODE}).unique(CODE, keep="first", maintain_order=True)
    joined = files.frame(OCCUPATIONS).join(zones, on=CODE, how="left").join(wages, on=CODE, how="left")
    return joined.sort(CODE).select(
        occupation_id=_id(pl.col(CODE)),
        title="Title",
        text="Description",
        cluster=pl.col(CODE).str.slice(0, 2).replace_strict(MAJOR_GROUPS, default="Other"),
        job_zone=pl.col("Job Zone").cast(pl.Float64),
        wage="A_MEDIAN",
        source=pl.lit("onet"),
        recorded_at=pl.coalesce("recorded_at", released),
    )


def _elements(ratings: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The skills themselves, each under its branch of O*NET's content model, such as 2.A.1."""
    return (
        ratings.group_by("Element Name")
        .agg(branch=pl.col("Element ID").first().str.replace(r"\.[a-z0-9]+$", ""), recorded_at=_month_after().min())
        .sort("Element Name")
        .select(
            skill_id=_skill_id(kind),
            name="Element Name",
            skill_type=pl.lit(kind),
            parent_id=_id(pl.col("branch")),
            recorded_at="recorded_at",
        )
    )


def _needs(ratings: pl.DataFrame, kind: str) -> pl.DataFrame:
    """A row for each occupation and element that matters there: both ratings scaled, known with the later one."""
    is_fit = pl.col("Recommend Suppress").fill_null("N") != "Y"
    of_pair = ratings.filter(is_fit).group_by(CODE, "Element Name")
    found = of_pair.agg(
        importance=pl.col("Data Value").filter(pl.col("Scale ID") == "IM").first(),
        level=pl.col("Data Value").filter(pl.col("Scale ID") == "LV").first(),
        recorded_at=_month_after().max(),
    )
    return (
        found.drop_nulls()
        .filter(pl.col("importance") >= MIDDLE_IMPORTANCE)
        .sort(CODE, "Element Name")
        .select(
            occupation_id=_id(pl.col(CODE)),
            skill_id=_skill_id(kind),
            level=1 + 4 * pl.col("level") / 7,
            importance=(pl.col("importance") - 1) / 4,
            essential=pl.col("importance") >= ESSENTIAL_IMPORTANCE,
            recorded_at="recorded_at",
        )
    )


def _traits(ratings: pl.DataFrame, highest: int) -> pl.DataFrame:
    return ratings.select(
        occupation_id=_id(pl.col(CODE)),
        trait_id=pl.col("Element Name").str.to_lowercase().replace(ACHIEVEMENT).str.replace_all("[ /]", "-"),
        value=((pl.col("Data Value") - 1) / (highest - 1)).clip(0, 1),
        recorded_at=_month_after(),
    )


ONET = Dataset(
    name="onet",
    folder="onet",
    licence="CC BY 4.0, O*NET, U.S. Department of Labor, Employment and Training Administration",
    parts=(Part((OCCUPATIONS, ZONES, WAGES, SKILLS, KNOWLEDGE, INTERESTS, STYLES, RELATED), rows),),
)
