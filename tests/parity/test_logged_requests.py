"""What requests read online is what training would read offline, bit for bit."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select, update

from feature_repo.errors import DataError
from feature_repo.platform import database
from feature_repo.platform.tables import prediction_log
from feature_repo.publish import publish
from feature_repo.retrieval import historical_frame
from feature_repo.settings import Settings
from monitoring import parity as parities
from monitoring.parity import parity
from monitoring.prediction_log import packed, unpacked
from tests.dags.command import talentml
from tests.serving import tiny, world
from tests.serving.conftest import Service, promote, promoted, started
from tests.serving.questions import ASKED
from training.products import PRODUCTS

TASKS = "/api/v1/recommendations/task-"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
NEW_TASK = {
    "priority": 3,
    "project_id": "J1",
    "raiser_id": "P4",
    "estimate_hours": 4.5,
    "skills": ["sql"],
    "skill_levels": [2.0],
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose service has answered requests of every kind."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("asked") / "home")
    promote(home, promoted(home, 3))
    service = started(home)
    ask(service)
    service.running.journal.close()
    return home


def ask(service: Service) -> None:
    for number in range(40, 69):
        service.rank(task_id=f"T{number}", explain=number % 2 == 0)
    service.rank(task_id="T60", candidates=["P7", "nobody"])
    service.rank(task=NEW_TASK)
    service.rank(task={"priority": 1, "project_id": "unheard-of", "estimate_hours": 0.5})
    service.estimate(person_id="P1", task_id="T44")
    service.estimate(pairs=[{"person_id": "P2", "task": NEW_TASK}, {"person_id": "P3", "task_id": "T50"}])


def ask_the_market(service: Service) -> int:
    """Every route with known, unknown, unnamed and no items, and every option; how many requests that were."""
    count = 0
    for asked in [each for each in ASKED if not each.route.path.startswith(TASKS)]:
        named, optional = asked.route.named, dict.fromkeys(asked.route.optional)
        bodies: list[dict[str, Any]] = [{}, {"explain": False}]
        bodies += [{named: None}, {named: ["nothing", *asked.body[named]]}] if named else []
        bodies += [optional] if optional else []
        bodies += [{entity.key: "nobody"} for entity in asked.route.subject]
        bodies += [{"horizon": horizon} for horizon in (1, 12)] if asked.route.inputs else []
        for body in bodies:
            asked.answer(service, **body)
        count += len(bodies)
    unread = service.http.request("GET", "/api/v1/trends/forecast/sql", content=b"no JSON: of a GET nobody reads it")
    assert unread.status_code == 200
    return count + 1


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A home whose service has answered requests of every route of the market, and how many."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("market") / "home")
    promote(home, promoted(home, 3))
    service = started(home)
    count = ask_the_market(service)
    service.running.journal.close()
    return home, count


def settings(home: Path) -> Settings:
    return Settings(home=home, _env_file=None)


def test_every_logged_request_replayed_offline_gives_bit_equal_features(asked: Path) -> None:
    found = parity(settings(asked), SINCE)
    assert (found.mismatches, found.examples) == (0, ())
    assert found.rows == 29 * 7 + 2 + 7 + 7 + 1 + 2
    assert found.values > 50 * found.rows / 2


def test_requests_of_every_other_route_are_replayed_whatever_they_name_and_leave_out(market: tuple[Path, int]) -> None:
    home, count = market
    found = parity(settings(home), SINCE)
    assert (found.mismatches, found.examples) == (0, ())
    assert found.requests == count > 40


def test_requests_stay_equal_after_a_later_snapshot_is_published(asked: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(asked, tmp_path / "home", symlinks=True))
    publish(settings(home), world.AS_OF + 30 * world.DAY, products=PRODUCTS.values())
    assert parity(settings(home), SINCE).mismatches == 0


def test_a_value_that_differs_in_its_last_bit_is_named(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def skewed(*given: object) -> pl.DataFrame:
        frame = historical_frame(*given)  # type: ignore[arg-type]
        changed = frame["pair__log_estimate"].to_numpy().copy()
        changed[0] = np.nextafter(changed[0], np.inf)
        return frame.with_columns(pair__log_estimate=pl.Series(changed))

    monkeypatch.setattr(parities, "historical_frame", skewed)
    found = parity(settings(asked), SINCE)
    assert found.mismatches > 0
    assert found.examples[0].startswith("pair__log_estimate of ")


def test_the_command_says_how_much_it_compared(asked: Path) -> None:
    done = talentml("parity", "--json", home=asked)
    found = parity(settings(asked), SINCE)
    assert done.code == 0, done.stderr
    assert done.answer == {"requests": found.requests, "rows": found.rows, "values": found.values, "mismatches": 0}


def test_the_command_looks_no_further_back_than_it_is_told(asked: Path) -> None:
    assert talentml("parity", "--since", "2100-01-01", "--json", home=asked).answer["rows"] == 0


def test_the_command_fails_on_a_logged_value_that_differs_and_names_it(asked: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(asked, tmp_path / "home", symlinks=True))
    logged, changed = skew(settings(home))
    done = talentml("parity", "--json", home=home)
    assert done.code == DataError.exit_code
    assert "parity: 1 of " in done.answer["message"]
    assert "pair__log_estimate of P" in done.answer["message"]
    assert f"online {changed!r}, offline {logged!r}" in done.answer["message"]


def skew(of: Settings) -> tuple[float, float]:
    """Move the last bit of one value that was logged; the value before and after."""
    table = prediction_log.c
    with database(of).begin() as connection:
        row = connection.execute(select(table.prediction_id, table.features).where(table.row_count == 7)).first()
        assert row is not None
        frame = unpacked(row.features)
        values = frame["pair__log_estimate"].to_numpy().copy()
        before, values[0] = float(values[0]), np.nextafter(values[0], np.inf)
        changed = packed(frame.with_columns(pair__log_estimate=pl.Series(values)))
        connection.execute(
            update(prediction_log).where(table.prediction_id == row.prediction_id).values(features=changed)
        )
    return before, float(values[0])


def test_null_equals_null_and_zero_is_not_minus_zero() -> None:
    left, right = pl.Series([None, 0.0, 1.0, None]), pl.Series([None, -0.0, 1.0, 2.0])
    assert parities.different(left, right).tolist() == [False, True, False, True]


def test_nothing_logged_compares_nothing(asked: Path) -> None:
    assert parity(settings(asked), datetime(2100, 1, 1, tzinfo=UTC)).rows == 0
