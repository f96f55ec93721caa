"""The platform tables on SQLite and on PostgreSQL: migrations, the rules that they keep, concurrent first use."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from feature_repo.errors import SettingsError, SourceError
from feature_repo.platform import database
from feature_repo.platform.database import REVISION, alembic_config
from feature_repo.platform.tables import (
    match_feedback,
    metadata,
    model_versions,
    prediction_log,
    quarantine,
    user_interactions,
    verdicts,
)
from feature_repo.platform.tables.types import strict_json, written
from feature_repo.settings import Settings, load
from tests.feature_repo.postgres import fresh_database
from tests.patience import LONG

NOW = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
STORES = ("sqlite", "postgresql")


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = fresh_database() if request.param == "postgresql" else None
    return load(home=tmp_path, database_url=url)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    found = database(settings)
    yield found
    found.dispose()


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def version(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "product": "tiny", "number": number, "key": f"key {number}", "run_id": "run", "as_of": NOW,
        "trained_until": NOW, "data_hash": "d", "code_revision": "c", "feature_service": "tiny", "sha256": "s",
        "metrics": {}, "registered_at": NOW, **facts,
    }  # fmt: skip


def test_migrations_from_empty_make_exactly_the_declared_tables(engine: Engine) -> None:
    assert differences(engine) == []
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_newest_migration_is_the_one_that_first_use_compares_with() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_current_head() == REVISION


def test_migrations_can_be_undone_and_redone(engine: Engine) -> None:
    config = alembic_config()
    for direction, revision in ((command.downgrade, "base"), (command.upgrade, "head")):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            direction(config, revision)
    assert differences(engine) == []


def test_a_second_use_migrates_nothing_and_keeps_the_rows(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(1)))
    with database(settings).connect() as connection:
        assert connection.scalar(select(model_versions.c.number)) == 1


FIRST_USE = """
import sys
from feature_repo.platform import database
from feature_repo.settings import load
from sqlalchemy import insert
from feature_repo.platform.tables import user_interactions
from datetime import UTC, datetime
flags = dict(home=sys.argv[1], database_url=sys.argv[2] or None)
sys.stdin.read(1)
with database(load(**flags)).begin() as connection:
    row = dict(person_id="P", item_id=sys.argv[3], item_kind="task", kind="shown", context={})
    row["happened_at"] = datetime.now(UTC)
    connection.execute(insert(user_interactions).values(**row))
"""


def test_processes_that_come_first_together_migrate_once_and_all_write(settings: Settings) -> None:
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    arguments = [sys.executable, "-c", FIRST_USE, str(settings.home), url]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([*arguments, f"T{number}"], **pipes) for number in range(4)]
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=LONG)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    with database(settings).connect() as connection:
        assert len(connection.execute(select(user_interactions)).all()) == 4
    assert differences(database(settings)) == []


def test_a_migration_that_is_killed_halfway_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction: DDL too. The kill is an exception from the last migration, after the tables were created."""
    from alembic import command as alembic_command

    whole = alembic_command.upgrade

    def killed(config: Any, revision: str) -> None:
        whole(config, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(alembic_command, "upgrade", killed)
    with pytest.raises(KeyboardInterrupt):
        database(settings)
    monkeypatch.undo()
    assert differences(database(settings)) == []


def test_a_database_from_a_newer_release_is_refused(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SourceError, match="revision 9999, this release knows 0001"):
        database(settings)


def test_one_version_per_product_is_active(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(1, active=True)))
        connection.execute(insert(model_versions).values(**version(2)))
        connection.execute(insert(model_versions).values(**version(1, product="other", active=True)))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(model_versions).where(model_versions.c.number == 2).values(active=True))


def test_one_version_per_training_run(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(1)))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(2, key="key 1")))


FEEDBACK = {"person_id": "P1", "item_id": "T1", "kind": "task_assignment", "rating": 4, "given_at": NOW}


def test_feedback_is_unique_per_person_item_and_kind(engine: Engine) -> None:
    changes = ({}, {"person_id": "P2"}, {"item_id": "T2"}, {"kind": "other"})
    with engine.begin() as connection:
        connection.execute(insert(match_feedback), [{**FEEDBACK, **change} for change in changes])
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(match_feedback).values(**{**FEEDBACK, "rating": 1}))


@pytest.mark.parametrize("rating", [0, 6])
def test_a_rating_lies_between_1_and_5(engine: Engine, rating: int) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(match_feedback).values(**{**FEEDBACK, "rating": rating}))


@pytest.mark.parametrize("table", ["match_feedback", "user_interactions"])
def test_people_and_items_are_indexed_with_time(engine: Engine, table: str) -> None:
    found = {tuple(index["column_names"][:2]) for index in inspect(engine).get_indexes(table)}
    time = "given_at" if table == "match_feedback" else "happened_at"
    assert {("person_id", time), ("item_id", time)} <= found


def test_instants_come_back_aware_in_utc_to_the_microsecond(engine: Engine) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with engine.begin() as connection:
        connection.execute(insert(match_feedback).values(**{**FEEDBACK, "given_at": local}))
        found = connection.scalar(select(match_feedback.c.given_at).where(match_feedback.c.given_at <= NOW))
    assert found == NOW
    assert found.tzinfo is UTC


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="no time zone"), engine.begin() as connection:
        connection.execute(insert(match_feedback).values(**{**FEEDBACK, "given_at": NOW.replace(tzinfo=None)}))


def test_numbers_that_json_lacks_are_stored_as_null(engine: Engine) -> None:
    metrics = {"mae": 0.1 + 0.2, "quality": float("nan"), "deep": [float("inf"), {"x": float("-inf")}], "when": NOW}
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(1, metrics=metrics)))
        found = connection.scalar(select(model_versions.c.metrics))
    assert found == {"mae": 0.1 + 0.2, "quality": None, "deep": [None, {"x": None}], "when": NOW.isoformat()}


NASTY = "NUL \x00, lone \ud800, emoji \U0001f600, שלום, '; drop table quarantine; --"


def test_any_text_of_a_source_can_be_quarantined(engine: Engine) -> None:
    row = {"run": "r", "name": "tasks", "row_key": NASTY, "rule": "x", "reason": NASTY, "recorded_at": NOW}
    with engine.begin() as connection:
        connection.execute(insert(quarantine).values(**row, content={"title": NASTY}))
        found = connection.execute(select(quarantine.c.row_key, quarantine.c.content)).one()
    assert found.row_key == NASTY.replace("\x00", "�").replace("\ud800", "�")
    assert found.content == {"title": NASTY}


def test_a_prediction_comes_from_a_model_or_from_the_rule(engine: Engine) -> None:
    row = {
        "prediction_id": "1",
        "product": "tiny",
        "request": {},
        "answer": {},
        "milliseconds": 1.0,
        "predicted_at": NOW,
    }
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(prediction_log).values(**row, source="oracle"))


def test_evidence_comes_back_byte_for_byte(engine: Engine) -> None:
    blob = bytes(range(256)) * 100
    facts = {
        "id": "v",
        "product": "tiny",
        "version": 1,
        "promote": True,
        "reason": "",
        "numbers": {},
        "decided_at": NOW,
    }
    with engine.begin() as connection:
        connection.execute(insert(verdicts).values(**facts, evidence=blob))
        assert connection.scalar(select(verdicts.c.evidence)) == blob


def test_sqlite_lets_readers_read_beside_a_writer_keeps_foreign_keys_and_has_large_pages(tmp_path: Path) -> None:
    names = ("journal_mode", "foreign_keys", "page_size")
    with database(load(home=tmp_path)).connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert found == ["wal", 1, 16_384]


@pytest.mark.parametrize("url", ["mysql://u:secret@h/db", "mssql+pyodbc://u:secret@h/db", "nonsense"])
def test_another_kind_of_database_is_refused_without_telling_the_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        database(load(home=tmp_path, database_url=url))
    assert "secret" not in str(refused.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="platform database postgresql") as refused:
        database(load(home=tmp_path, database_url="postgresql://u:secret@127.0.0.1:1/db"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        {"as_of": NOW, "score": 0.1 + 0.2, "none": None, "rows": [{"n": 2**70, "is": True}], "pair": (1, 2)},
        {"deep": [float("inf"), {"x": float("nan")}], "number": np.float64(0.1), "count": np.int64(3)},
        {"title": NASTY.replace("\x00", ""), "ü": "שלום"},
        {},
    ],
)
def test_an_answer_is_written_as_any_other_json(engine: Engine, said: dict[str, object]) -> None:
    assert json.loads(written(said)) == json.loads(strict_json(said))
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**version(1, metrics=written(said))))
        assert connection.scalar(select(model_versions.c.metrics)) == json.loads(strict_json(said))
