"""ESCO v1.2: occupations of Europe and the skills that each needs.

Licence: EU 2011/833: "This service uses the ESCO classification of the European Commission".
- occupations: `esco/<uuid>`, source esco; the cluster is ISCO's major group; no job zone, no pay
- occupation_skills: an essential skill has importance 1, an optional one 1/2. ESCO knows no levels: all are the middle
  of the scale. 17 pairs are named twice, as ESCO has different skills of one name: essential counts
- skills: `esco/<name>`. Parents stay empty: the set's hierarchy and its relations between skills name them by address,
  the links by label alone, and of 13,492 labels 9 are also the name of a group
All is known from the day on which v1.2 was presented.
"""

from datetime import UTC, datetime

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.sources.streams import occupation_skills, occupations, skills

PRESENTED = datetime(2024, 5, 21, tzinfo=UTC)
UNKNOWN_LEVEL = 3.0
IMPORTANCE = {"optional": 0.5, "essential": 1.0}  # in this order: what is both is written as essential last

OCCUPATIONS = DataFile(
    "occupations.parquet",
    (
        FileColumn("occupation_uri", required=True),
        FileColumn("occupation_name", required=True),
        FileColumn("occupation_description"),
        FileColumn("isco_level_1_label", required=True),
    ),
)
LINKS = DataFile(
    "occupation_skill.parquet",
    (
        FileColumn("occupation_uri", required=True),
        FileColumn("relation", required=True, allowed=tuple(IMPORTANCE)),
        FileColumn("skill", required=True),
    ),
)


def rows(files: Files) -> Rows:
    """Occupations, skills, and the links between them."""
    for batch in files.batches(OCCUPATIONS):
        yield occupations, _occupations(batch)
    yield skills, _skills(files.frame(LINKS, ["skill"]))
    for relation in IMPORTANCE:
        for batch in files.batches(LINKS):
            yield occupation_skills, _links(batch, relation)


def _occupations(batch: pl.DataFrame) -> pl.DataFrame:
    unknown = pl.lit(None, pl.Float64)
    found = batch.select(
        occupation_id=_occupation_id(),
        title="occupation_name",
        text="occupation_description",
        cluster="isco_level_1_label",
        job_zone=unknown,
        wage=unknown,
        source=pl.lit("esco"),
    )
    return _known(found)


def _skills(named: pl.DataFrame) -> pl.DataFrame:
    once = named.unique().sort("skill")
    no_parent = pl.lit(None, pl.String)
    return _known(once.select(skill_id=_skill_id(), name="skill", skill_type=pl.lit("SKILL"), parent_id=no_parent))


def _links(batch: pl.DataFrame, relation: str) -> pl.DataFrame:
    found = batch.filter(pl.col("relation") == relation).select(
        occupation_id=_occupation_id(),
        skill_id=_skill_id(),
        level=pl.lit(UNKNOWN_LEVEL),
        importance=pl.lit(IMPORTANCE[relation]),
        essential=pl.lit(relation == "essential"),
    )
    return _known(found)


def _occupation_id() -> pl.Expr:
    return pl.concat_str(pl.lit("esco/"), pl.col("occupation_uri").str.split("/").list.last())


def _skill_id() -> pl.Expr:
    return pl.concat_str(pl.lit("esco/"), "skill")


def _known(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(recorded_at=pl.lit(PRESENTED).cast(pl.Datetime("us", "UTC")))


ESCO = Dataset(
    name="esco",
    folder="esco",
    licence='EU 2011/833: "This service uses the ESCO classification of the European Commission"',
    parts=(Part((OCCUPATIONS, LINKS), rows),),
)
