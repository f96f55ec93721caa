"""The reports on models: who may read them, what they say, and that they are calm without a database."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert

from feature_repo.platform import database
from feature_repo.platform.tables import drift_reports, model_training_history, model_versions, verdicts
from serving.access.caller import Caller, Role
from serving.schemas.reports import ModelMetrics, TrainingHistory
from tests.patience import LONG
from tests.serving.asked import Passed, Site, site
from training.products import PRODUCTS
from training.split import cut

NAME = "task_assignment"
PRODUCT = PRODUCTS[NAME]
METRIC, RULE = PRODUCT.gate.metric, PRODUCT.gate.beats
METRICS, HISTORY = "/api/v1/ml/metrics", "/api/v1/ml/training-history"
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "home") as found:
        yield found


@pytest.fixture
def engine(asked: Site) -> Engine:
    return database(asked.running.settings)


def get(asked: Site, path: str, role: Role = Role.ENGINEER, **query: Any) -> Any:
    answer = asked.ask(role).get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def trained(engine: Engine, number: int, product: str = NAME, active: bool = False) -> None:
    """A version trained `number` weeks after the first Monday; its metric is 0.5 + number / 100."""
    as_of = MONDAY + number * WEEK
    same = {
        "product": product, "key": f"{product} {number}", "run_id": f"run {number}", "as_of": as_of,
        "metrics": {METRIC: 0.5 + number / 100, "mrr": float("nan")}, "data_hash": "d", "code_revision": "c",
    }  # fmt: skip
    version = {"number": number, "trained_until": as_of - WEEK, "feature_service": product, "sha256": "s"}
    training = {
        "version": number, "seconds": 1.5, "row_count": 500, "baselines": {RULE: {METRIC: 0.25}}, "confusion": {},
        "hyperparameters": {"trees": 20}, "importance": {"pair__skill_overlap": 0.5}, "cross_validation": {},
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**same, **version, active=active, registered_at=as_of))
        connection.execute(insert(model_training_history).values(**same, **training, trained_at=as_of))


def judged(engine: Engine, number: int, promote: bool, numbers: dict[str, float]) -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(verdicts).values(
                id=f"v{number}", product=NAME, version=number, promote=promote, reason=f"reason {number}",
                numbers=numbers, rows=60, decided_at=MONDAY + number * WEEK,
            )
        )  # fmt: skip


def drifted(engine: Engine, verdict: str, until: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(drift_reports).values(
                product=NAME, version=1, since=until - WEEK, until=until, share=0.25, drifted=["task__effort_hours"],
                verdict=verdict, reason="a reason", reported_at=MONDAY,
            )
        )  # fmt: skip


@pytest.mark.parametrize("path", [METRICS, HISTORY])
@pytest.mark.parametrize(
    ("role", "status"), [(Role.ENGINEER, 200), (Role.ADMIN, 200), (Role.SERVICE, 403), (Role.TALENT, 403)]
)
def test_reports_are_for_engineers_and_admins(asked: Site, path: str, role: Role, status: int) -> None:
    assert asked.ask(role).get(path).status_code == status


def test_a_product_that_was_never_trained_is_served_by_its_rule(asked: Site) -> None:
    found = {one["product"]: one for one in get(asked, METRICS)["products"]}
    assert set(found) == set(PRODUCTS)
    one = found[NAME]
    assert (one["champion"], one["serves"], one["metrics"]) == (None, PRODUCT.fallback, {})
    assert (one["metric"], one["baseline"]) == (METRIC, RULE)
    assert [one[name] for name in ("value", "baseline_value", "verdict", "drift", "trained_since")] == [None] * 5
    assert one["answers"] == {"count": 0, "fallback_share": None}


def test_a_champion_is_shown_beside_its_baseline_with_its_window_and_the_last_verdicts(
    asked: Site, engine: Engine
) -> None:
    trained(engine, 1, active=True)
    trained(engine, 2)
    judged(engine, 1, True, {"candidate": 0.51, "baseline": 0.25})
    judged(engine, 2, False, {"candidate": 0.52, "champion": 0.51})
    judged(engine, 3, False, {})  # a rerun, refused before anything was scored
    drifted(engine, "none", MONDAY + WEEK)
    drifted(engine, "drift", MONDAY + 2 * WEEK)
    answer = get(asked, METRICS)
    ModelMetrics.model_validate_json(asked.ask(Role.ADMIN).get(METRICS).content)
    one = next(each for each in answer["products"] if each["product"] == NAME)
    assert (one["champion"], one["serves"], one["row_count"]) == (1, "model", 500)
    assert one["metrics"] == {METRIC: 0.51, "mrr": None}
    assert (one["value"], one["baseline_value"]) == (0.51, 0.25)
    learned = cut(PRODUCT.split, MONDAY + WEEK).train.since
    assert datetime.fromisoformat(one["trained_since"]) == learned
    assert datetime.fromisoformat(one["trained_until"]) == MONDAY
    assert (one["verdict"]["version"], one["verdict"]["promote"], one["verdict"]["reason"]) == (2, False, "reason 2")
    assert (one["drift"]["verdict"], one["drift"]["drifted"]) == ("drift", ["task__effort_hours"])


def test_answers_are_counted_since_the_start_over_all_workers(asked: Site) -> None:
    for source, count in (("model", 3), ("fallback", 1)):
        asked.running.metrics.answers.labels(NAME, source).inc(count)
    one = next(each for each in get(asked, METRICS)["products"] if each["product"] == NAME)
    assert one["answers"] == {"count": 4, "fallback_share": 0.25}
    assert asked.running.metrics.given()[NAME] == {"model": 3.0, "fallback": 1.0}


def test_others_are_answered_while_the_metrics_of_all_workers_are_read(asked: Site) -> None:
    """They are held up here, and were read on the event loop."""
    held = asked.running.metrics._sharing

    async def story() -> bool:
        app = Passed(asked.app, Caller("ada", Role.ADMIN))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            reads = asyncio.create_task(client.get(METRICS))
            for _ in range(20):
                await client.get(HISTORY)
                await asyncio.sleep(0.05)
            waits = not reads.done()
            if held.locked():
                held.release()
            assert (await reads).status_code == 200
        return waits

    held.acquire()
    late = threading.Timer(LONG / 4, held.release)
    late.start()
    try:
        assert asyncio.run(story())
    finally:
        late.cancel()


def test_feedback_is_summed_up(asked: Site) -> None:
    one = next(each for each in get(asked, METRICS)["products"] if each["product"] == NAME)
    assert one["feedback"] == {
        "judged": 0, "subjects": 0, "accepted": None, "rating": None, "accuracy": None, "largest_share": None,
    }  # fmt: skip


def test_the_training_history_is_newest_first_of_one_product_or_of_all(asked: Site, engine: Engine) -> None:
    for number in (1, 2, 3):
        trained(engine, number)
    trained(engine, 4, "career")
    whole = get(asked, HISTORY)
    TrainingHistory.model_validate_json(asked.ask(Role.ADMIN).get(HISTORY).content)
    assert [(row["product"], row["version"]) for row in whole["trainings"]] == [
        ("career", 4), (NAME, 3), (NAME, 2), (NAME, 1),
    ]  # fmt: skip
    assert [row["version"] for row in get(asked, HISTORY, product=NAME, limit=2)["trainings"]] == [3, 2]
    row = whole["trainings"][1]
    assert row["baselines"] == {RULE: {METRIC: 0.25}}
    assert row["metrics"] == {METRIC: 0.53, "mrr": None}
    assert (row["seconds"], row["row_count"], row["importance"]) == (1.5, 500, {"pair__skill_overlap": 0.5})


def test_twenty_rows_come_unless_more_are_asked_for(asked: Site, engine: Engine) -> None:
    for number in range(1, 23):
        trained(engine, number)
    assert len(get(asked, HISTORY)["trainings"]) == 20
    assert len(get(asked, HISTORY, limit=200)["trainings"]) == 22


WRONG = (
    ({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"limit": "many"}, "limit"), ({"limit": [1, 2]}, "limit"),
    ({"since": "yesterday"}, "since"),
)  # fmt: skip


@pytest.mark.parametrize(("query", "field"), WRONG)
def test_a_wrong_query_is_a_422_that_names_the_field(asked: Site, query: dict[str, Any], field: str) -> None:
    answer = asked.ask(Role.ENGINEER).get(HISTORY, params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("name", ["x", "' or 1=1 --"])
def test_the_history_of_a_product_that_there_is_not_is_a_404(asked: Site, name: str) -> None:
    answer = asked.ask(Role.ENGINEER).get(HISTORY, params={"product": name})
    assert (answer.status_code, "task_assignment" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize("path", [METRICS, HISTORY])
def test_without_the_database_a_report_is_a_503_that_says_when_to_come_back(tmp_path: Path, path: str) -> None:
    with site(tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none") as asked:
        answer = asked.ask(Role.ENGINEER).get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def test_the_examples_in_the_documentation_are_true_answers() -> None:
    for reply in (ModelMetrics, TrainingHistory):
        (example,) = reply.model_json_schema()["examples"]
        reply.model_validate(example)
