"""ESCO: occupations under their major group, essential and optional skills."""

from pathlib import Path

from feature_repo.seed import esco
from feature_repo.seed.esco import ESCO
from tests.feature_repo.sets import cells, made

URI = "http://data.europa.eu/esco/occupation/"
TABLES = {
    esco.OCCUPATIONS: {
        "occupation_uri": [f"{URI}a-1"],
        "occupation_name": [" baker "],
        "occupation_description": ["Bakers make bread."],
        "isco_level_1_label": ["Craft and related trades workers"],
    },
    esco.LINKS: {
        "occupation_uri": [f"{URI}a-1"] * 3,
        "relation": ["essential", "optional", "optional"],
        "skill": ["knead", "knead", "train employees"],
    },
}


def test_an_occupation_is_known_by_its_group_and_text(tmp_path: Path) -> None:
    found = made(ESCO.parts[0], tmp_path, TABLES)["occupations"]
    assert cells(found, "occupation_id", "title", "text", "cluster", "source", "recorded_at") == [
        ("esco/a-1", "baker", "Bakers make bread.", "Craft and related trades workers", "esco", "2024-05-21")
    ]


def test_what_is_essential_is_written_last_so_that_it_counts(tmp_path: Path) -> None:
    found = made(ESCO.parts[0], tmp_path, TABLES)["occupation_skills"]
    assert cells(found, "occupation_id", "skill_id", "level", "importance", "essential") == [
        ("esco/a-1", "esco/knead", "3.0", "0.5", "false"),
        ("esco/a-1", "esco/train employees", "3.0", "0.5", "false"),
        ("esco/a-1", "esco/knead", "3.0", "1.0", "true"),
    ]


def test_every_skill_is_named_once(tmp_path: Path) -> None:
    found = made(ESCO.parts[0], tmp_path, TABLES)["skills"]
    assert cells(found, "skill_id", "name", "parent_id") == [
        ("esco/knead", "knead", None),
        ("esco/train employees", "train employees", None),
    ]
