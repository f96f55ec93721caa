"""What a check stages, what it refuses, and what it leaves for people to read."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import select

from expectations.check import check
from expectations.report import CheckReport
from feature_repo.errors import DataError
from feature_repo.features import person, task
from feature_repo.platform import database, tables
from feature_repo.settings import Settings, load
from feature_repo.sources.streams import STREAMS, stream
from tests.expectations import raw

VIEWS = (task.view, person.profile, person.skill_set)
LATER = raw.Window(raw.YEAR.until, datetime(2022, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Checked:
    settings: Settings
    extracted: dict[str, pl.DataFrame]
    report: CheckReport


def bad_tasks() -> pl.DataFrame:
    """The tasks with one row that is too long, one with NUL bytes, one twice, and two that only look odd."""
    frame = raw.rows(stream("tasks"))
    titles = pl.Series(["\U0001f680 launch", "\u05e9\u05dc\u05d5\u05dd", "N\x00UL", *frame["title"][3:]])
    hours = pl.Series([1.0, 1.0, 1.0, 20_000.0, *frame["estimate_hours"][4:]])
    changed = frame.with_columns(title=titles, estimate_hours=hours)
    return pl.concat([changed, changed[10:11]])


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    settings = load(home=tmp_path_factory.mktemp("checked") / "home")
    extracted = raw.world(settings, tasks=bad_tasks(), feedback=raw.rows(stream("feedback")).clear())
    return Checked(settings, dict(extracted), check(settings, views=VIEWS))


def staged(checked: Checked, name: str) -> pl.DataFrame:
    return pl.read_parquet(checked.settings.root / "staged" / f"{name}.parquet")


def test_accepted_and_rejected_rows_are_the_extracted_ones(checked: Checked):
    for part in checked.report.parts:
        assert part.accepted + part.rejected == part.extracted, part.declared.title
        assert part.accepted == staged(checked, f"{part.declared.folder}/{part.declared.name}").height
        if part.declared.kind == "stream":
            assert part.extracted == checked.extracted[part.declared.name].height
    assert checked.report.summary()["rejected"] == 3


def test_rejected_rows_are_kept_with_their_reasons(checked: Checked):
    kept = pl.read_parquet(checked.report.quarantine / "streams" / "tasks.parquet")
    assert dict(kept.select("task_id", "rule").iter_rows()) == {
        "task2": "title: broken text",
        "task3": "estimate_hours: above maximum",
        "task10": "task_id, recorded_at: duplicate",
    }
    assert "estimate_hours: 20000.0 h, allowed 0.001 to 10000 h" in kept["reason"].to_list()


def test_the_platform_has_a_sample_of_the_rejected_rows(checked: Checked):
    with database(checked.settings).connect() as connection:
        rows = connection.execute(select(tables.quarantine).order_by(tables.quarantine.c.row_key)).all()
    assert [(row.run, row.kind, row.name) for row in rows] == [(checked.report.run, "stream", "tasks")] * 3
    long = next(row for row in rows if row.rule == "estimate_hours: above maximum")
    assert long.row_key.startswith("task3, 2020-01-04")
    assert long.content["estimate_hours"] == 20_000.0


def test_the_collection_history_has_the_check(checked: Checked):
    with database(checked.settings).connect() as connection:
        [row] = connection.execute(select(tables.collection_history)).all()
    assert (row.verb, row.run, row.rejected_count) == ("check", checked.report.run, 3)
    assert row.row_count == sum(frame.height for frame in checked.extracted.values())
    assert row.sources["stream tasks"]["reasons"] == checked.report.summary()["parts"][2]["reasons"]


def test_views_are_staged_in_order_with_times_in_microseconds(checked: Checked):
    frame = staged(checked, "views/skill_set")
    assert frame.height == raw.TASKS
    assert frame.columns == ["person_id", "event_timestamp", "created_timestamp", "skills", "levels"]
    assert frame.schema["event_timestamp"] == frame.schema["created_timestamp"] == pl.Datetime("us", "UTC")
    assert frame.equals(frame.sort("person_id", "event_timestamp", "created_timestamp"))


def test_a_rejected_task_is_in_no_view(checked: Checked):
    found = set(staged(checked, "views/task")["task_id"])
    assert "task0" in found
    assert not found & {"task2", "task3"}


def test_a_source_without_rows_is_no_fault(checked: Checked):
    part = next(part for part in checked.report.parts if part.declared.name == "feedback")
    assert (part.extracted, part.outcome.failed) == (0, ())
    assert staged(checked, "streams/feedback").columns == list(stream("feedback").names)


def test_every_expectation_was_evaluated_by_great_expectations_and_holds(checked: Checked):
    for part in checked.report.parts:
        assert part.outcome.evaluated > len(part.declared.fields)
        assert part.outcome.failed == ()


def test_the_data_docs_can_be_read_without_a_network(checked: Checked):
    site = checked.report.docs.parent
    index = checked.report.docs.read_text()
    assert "Data checks" in index
    assert "estimate_hours: above maximum: 1" in index
    for part in checked.report.parts:
        assert f'href="{part.outcome.page}"' in index
        page = (site / part.outcome.page).read_text()
        assert f"<title>{part.declared.title}</title>" in page
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert "<script" not in text, page
        assert not [word for word in ('src="http', 'link rel="stylesheet" href="http', "url('http") if word in text], (
            page
        )


def test_the_summary_is_strict_json(checked: Checked):
    assert json.loads(json.dumps(checked.report.summary(), allow_nan=False))["run"] == checked.report.run


# --- Refusals


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path / "home")


def test_nothing_extracted_is_an_error(settings: Settings):
    with pytest.raises(DataError, match="talentml ingest"):
        check(settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.col("estimate_hours").cast(pl.String) + " hours", "column estimate_hours is String, such as '1.0 hours'"),
        (pl.lit("soon").alias("estimated_at"), "column estimated_at is String, such as 'soon'"),
    ],
)
def test_a_retyped_column_is_named_before_anything_is_computed(settings: Settings, change, message):
    retyped = raw.rows(stream("tasks")).with_columns(change)
    raw.publish(settings, stream("tasks"), retyped)
    with pytest.raises(DataError, match=f"mysql task_service.tasks: {message}"):
        check(settings)
    assert not (settings.root / "staged").exists()


def test_too_many_rejected_rows_are_refused_and_what_was_staged_stays(settings: Settings):
    raw.world(settings)
    check(settings, views=())
    before = (settings.root / "staged").resolve()
    worklogs = stream("worklogs")
    later = raw.rows(worklogs).with_columns(recorded_at=pl.lit(LATER.since), hours=pl.lit(-1.0))
    raw.publish(settings, worklogs, later, LATER)

    with pytest.raises(
        DataError, match=r"stream worklogs: 60 of 120 rows rejected \(hours: below minimum 60\)"
    ) as told:
        check(settings, views=())
    assert "allowed: a share of 0.2" in str(told.value)
    assert (settings.root / "staged").resolve() == before
    assert "Failed: nothing was staged" in (settings.root / "docs/gx/site/index.html").read_text()
    assert list((settings.root / "quarantine").glob("*/streams/worklogs.parquet"))

    # As of a date before, nothing is wrong, and the rows are those of then.
    report = check(settings, as_of=LATER.since, views=())
    assert report.rejected == 0
    assert (settings.root / "staged").resolve() != before


def test_bad_rows_of_the_latest_window_do_not_hide_among_years_of_good_ones(settings: Settings):
    worklogs = stream("worklogs")
    numbered = [
        raw.rows(worklogs).with_columns(worklog_id=pl.lit(f"w{part}-") + pl.col("task_id")) for part in range(20)
    ]
    raw.world(settings, worklogs=pl.concat(numbered))
    recent = pl.concat(numbered[:2]).with_columns(recorded_at=pl.lit(LATER.since))
    half = pl.when(pl.int_range(pl.len()) % 2 == 0).then(None).otherwise("hours")
    raw.publish(settings, worklogs, recent.with_columns(hours=half), LATER)
    with pytest.raises(DataError, match="60 of 120 rows rejected in the latest window"):
        check(settings, views=())


def test_more_nulls_than_declared_fail_the_check(settings: Settings):
    titles = pl.when(pl.int_range(pl.len()) < 6).then(None).otherwise("title")
    raw.world(settings, tasks=raw.rows(stream("tasks")).with_columns(title=titles))
    with pytest.raises(DataError, match="stream tasks: title: expected column values to not be null") as told:
        check(settings, views=())
    assert "found 10% of the values" in str(told.value)


def test_every_stream_is_checked(checked: Checked):
    names = [part.declared.name for part in checked.report.parts]
    assert names == [*(each.name for each in STREAMS), *(view.name for view in VIEWS)]
