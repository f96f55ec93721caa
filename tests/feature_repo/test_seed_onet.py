"""O*NET: ratings on their scales become levels, importances and traits."""

from pathlib import Path

import polars as pl
import pytest

from feature_repo.seed import onet
from feature_repo.seed.onet import CODE, ONET
from tests.feature_repo.sets import cells, made

RATED = (CODE, "Element ID", "Element Name", "Scale ID", "Data Value", "Date", "Recommend Suppress")
SKILLS = [
    ("15-1252.00", "2.B.3.e", "Programming", "IM", 4.0, "08/2023", "N"),
    ("15-1252.00", "2.B.3.e", "Programming", "LV", 3.5, "08/2023", "N"),
    ("15-1252.00", "2.A.1.e", "Mathematics", "IM", 3.0, "08/2023", "N"),
    ("15-1252.00", "2.A.1.e", "Mathematics", "LV", 7.0, "07/2024", "N"),
    ("15-1252.00", "2.B.3.k", "Repairing", "IM", 2.9, "08/2023", "N"),
    ("15-1252.00", "2.B.3.k", "Repairing", "LV", 1.0, "08/2023", "N"),
    ("15-1252.00", "2.B.3.l", "Installation", "IM", 3.5, "08/2023", "Y"),
    ("15-1252.00", "2.B.3.l", "Installation", "LV", 2.0, "08/2023", "N"),
]
KNOWLEDGE = [
    ("15-1252.00", "2.C.4.a", "Mathematics", "IM", 5.0, "08/2023", "N"),
    ("15-1252.00", "2.C.4.a", "Mathematics", "LV", 0.0, "08/2023", "N"),
]
INTERESTS = [
    ("15-1252.00", "1.B.1.b", "Investigative", "OI", 7.0, "11/2023"),
    ("15-1252.00", "1.B.1.h", "First Interest High-Point", "IH", 2.0, "11/2023"),
]
STYLES = [
    ("15-1252.00", "1.C.1.a", "Achievement/Effort", "IM", 3.0, "08/2023"),
    ("15-1252.00", "1.C.5.b", "Attention to Detail", "IM", 5.0, "08/2023"),
]


def columns(rows: list[tuple[object, ...]]) -> dict[str, list[object]]:
    return dict(zip(RATED, map(list, zip(*rows, strict=True)), strict=False))


TABLES = {
    onet.OCCUPATIONS: {
        CODE: ["15-1252.00", "55-9999.00"],
        "Title": ["Software Developers", "All Other"],
        "Description": ["Develop software.", None],
    },
    onet.ZONES: {CODE: ["15-1252.00"], "Job Zone": [4], "Date": ["08/2021"]},
    onet.WAGES: {"onetsoc_code": ["15-1252.00"], "A_MEDIAN": [132270.0]},
    onet.SKILLS: columns(SKILLS),
    onet.KNOWLEDGE: columns(KNOWLEDGE),
    onet.INTERESTS: columns(INTERESTS),
    onet.STYLES: columns(STYLES),
    onet.RELATED: {CODE: ["15-1252.00"], "Related O*NET-SOC Code": ["15-1251.00"], "Index": [1]},
}


@pytest.fixture
def found(tmp_path: Path) -> dict[str, pl.DataFrame]:
    return made(ONET.parts[0], tmp_path, TABLES)


def test_an_occupation_is_known_with_its_job_zone_and_else_with_the_latest(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["occupations"], "occupation_id", "cluster", "job_zone", "wage", "recorded_at") == [
        ("onet/15-1252.00", "Computer and Mathematical", "4.0", "132270.0", "2021-09-01"),
        ("onet/55-9999.00", "Military Specific", None, None, "2021-09-01"),
    ]


def test_only_what_matters_and_is_not_to_be_suppressed_is_needed(found: dict[str, pl.DataFrame]) -> None:
    # level 3.5 of 0 to 7 is the middle of 1 to 5; importance 4 of 1 to 5 is 3/4, and very important
    assert cells(found["occupation_skills"], "skill_id", "level", "importance", "essential", "recorded_at") == [
        ("onet/skill/mathematics", "5.0", "0.5", "false", "2024-08-01"),
        ("onet/skill/programming", "3.0", "0.75", "true", "2023-09-01"),
        ("onet/knowledge/mathematics", "1.0", "1.0", "true", "2023-09-01"),
    ]


def test_a_skill_lies_under_its_branch_of_the_content_model(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["skills"], "skill_id", "name", "skill_type", "parent_id")[1:3] == [
        ("onet/skill/mathematics", "Mathematics", "SKILL", "onet/2.A.1"),
        ("onet/skill/programming", "Programming", "SKILL", "onet/2.B.3"),
    ]


def test_interests_and_styles_become_traits_from_0_to_1(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["occupation_traits"], "trait_id", "value", "recorded_at") == [
        ("investigative", "1.0", "2023-12-01"),
        ("achievement", "0.5", "2023-09-01"),
        ("attention-to-detail", "1.0", "2023-09-01"),
    ]


def test_related_occupations_keep_their_rank(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["related_occupations"], "occupation_id", "related_id", "rank") == [
        ("onet/15-1252.00", "onet/15-1251.00", "1")
    ]
