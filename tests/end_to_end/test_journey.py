"""The weekly job by hand: every verb, once, on the synthetic world and real servers."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from dags.border import REFUSED
from dags.questions import client_of, told
from feature_repo.window import instant
from serving.client import Answer
from tests.dags.command import talentml
from tests.end_to_end.conftest import SERVERS, STEPS, UNTIL, Journey, strict
from tests.patience import LONG
from tests.serving.process import until
from training.products import PRODUCTS

pytestmark = pytest.mark.timeout(3600)  # the first test waits for the whole journey: seven products
EXIT = {"promote worse": REFUSED, "due": REFUSED, "rollback": 5}
"""Steps that end otherwise than with 0: nothing to gain, nothing due, no champion before the first."""


@pytest.mark.parametrize("step", STEPS)
def test_each_verb_ends_as_expected_with_one_line_of_strict_json(journey: Journey, step: str) -> None:
    done = journey.done[step]
    assert done.code == EXIT.get(step, 0), done.stderr[-2000:]
    assert done.stdout.count("\n") == 1
    assert isinstance(strict(done.stdout), dict)


def test_servers_say_by_name_what_they_are(journey: Journey) -> None:
    started = {one["name"]: one["what"] for one in journey.answer("servers start")["servers"]}
    assert list(started) == list(SERVERS)
    assert all(what.startswith(f"{name}: ") and len(what) > len(name) + 5 for name, what in started.items())


def test_the_synthetic_world_passes_its_quality_checks(journey: Journey) -> None:
    checks = {check["name"]: check["score"] for check in journey.answer("seed")["quality"]}
    assert set(checks) == {"skills", "assignments", "outcomes", "coverage", "career_honesty"}
    assert min(checks.values()) >= 0.7


def test_seeding_the_same_world_again_changes_nothing(journey: Journey) -> None:
    assert journey.answer("seed again")["written"] == journey.answer("seed")["written"]
    assert len(facts(journey, "tasks")) == journey.answer("seed")["written"]["task_service.tasks"]


def test_the_second_window_begins_where_the_first_one_ended(journey: Journey) -> None:
    assert journey.answer("ingest early")["since"].startswith("1970-01-01")
    assert journey.answer("ingest")["since"] == journey.answer("ingest early")["until"]


def test_extracting_a_window_again_gives_the_same_bytes(journey: Journey) -> None:
    first, second = ({one["stream"]: one["sha256"] for one in journey.answer(step)["streams"]}
                     for step in ("ingest", "ingest again"))  # fmt: skip
    assert first == second


def test_rows_are_accepted_or_rejected_and_none_is_lost(journey: Journey) -> None:
    parts = journey.answer("check")["parts"]
    assert all(part["accepted"] + part["rejected"] == part["extracted"] for part in parts)
    extracted = sum(one["rows"] for step in ("ingest early", "ingest") for one in journey.answer(step)["streams"])
    assert sum(part["extracted"] for part in parts if part["kind"] == "stream") == extracted
    assert Path(journey.answer("check")["docs"]).is_file()


def test_a_model_of_a_past_date_does_not_notice_that_later_data_have_come(journey: Journey) -> None:
    """Same rows, same features, same model: the registry even recognises it as the version that it has."""
    before, after = journey.answer("train early"), journey.answer("train early again")
    assert before["data_hash"] == after["data_hash"]
    assert before["version"] == after["version"] == 1
    assert before["metrics"] == pytest.approx(after["metrics"], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", PRODUCTS)
def test_evaluate_answers_in_the_promised_shape(journey: Journey, name: str) -> None:
    found, product = journey.answer(f"evaluate {name}"), PRODUCTS[name]
    assert list(found) == ["product", "since", "until", "rows", "champion", "baselines", "slices"]
    assert found["product"] == name
    assert found["rows"] > 50
    assert list(found["champion"]) == [metric.name for metric in product.metrics]
    assert set(found["baselines"]) == {rule.name for rule in product.baselines}
    assert all(set(numbers) == set(found["champion"]) for numbers in found["baselines"].values())
    assert set(found["slices"]) == {part.name for part in product.slices}
    for part in found["slices"].values():
        assert list(part) == ["rows", "champion", "baselines"]


def test_the_promised_metrics_are_there(journey: Journey) -> None:
    ranked, forecast = (journey.answer(f"evaluate task_{name}")["champion"] for name in ("assignment", "performance"))
    assert {"hit_at_1", "hit_at_3", "hit_at_5", "mrr", "ndcg_at_10"} <= set(ranked)
    assert {"mae_log_hours", "mae_hours", "r2_log_hours", "interval_coverage"} <= set(forecast)


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_first_model_is_promoted_because_it_beats_its_baseline(journey: Journey, name: str) -> None:
    verdict = journey.answer(f"promote {name}")
    assert verdict["promote"]
    assert verdict["serves"]
    assert PRODUCTS[name].gate.metric in verdict["reason"]
    assert PRODUCTS[name].gate.beats in verdict["reason"]


def test_promoting_the_champion_again_is_a_success_that_changes_nothing(journey: Journey) -> None:
    again = journey.answer("promote again")
    assert again["serves"]
    assert again["version"] == journey.answer("promote task_performance")["version"]


def test_a_verdict_is_reached_again_from_what_was_stored(journey: Journey) -> None:
    stored = journey.answer("promote task_performance")
    home = journey.settings.root
    replayed = talentml("promote", "--replay", stored["id"], "--json", home=home)
    assert replayed.code == 0
    assert talentml("promote", "task_assignment", "--replay", stored["id"], "--json", home=home).code == 5
    assert {name: replayed.answer[name] for name in ("promote", "reason", "numbers")} == {
        name: stored[name] for name in ("promote", "reason", "numbers")
    }


def test_the_service_answers_with_the_promoted_models(journey: Journey) -> None:
    tasks = pl.read_parquet(journey.answer("score task_assignment")["file"])["task_id"].unique().sort()
    with client_of(journey.settings, "journey", timeout=LONG) as client:
        ranked = explained(lambda: client.rank(task_id=tasks[-1], limit=3, fresh=True))
        person = ranked["candidates"][0]["person_id"]
        estimated = explained(lambda: client.estimate([(person, tasks[-1])], fresh=True))
    for answer, name in ((ranked, "task_assignment"), (estimated, "task_performance")):
        assert answer["source"] == "model"
        assert answer["model"] == {"name": name, "version": journey.answer(f"promote {name}")["version"]}
    assert [one["rank"] for one in ranked["candidates"]] == [1, 2, 3]
    assert ranked["candidates"][0]["factors"]


def explained(ask: Callable[[], Answer]) -> Answer:
    """An answer by a model with its explanation, as it comes from a service that is not slowed down by other work."""
    found: list[Answer] = []

    def is_whole() -> bool:
        found.append(ask())
        return found[-1]["source"] == "model" and found[-1]["explanation"] is not None

    until(is_whole)
    return found[-1]


def test_every_product_answers_a_question_with_its_promoted_model(journey: Journey) -> None:
    promoted = {name: journey.answer(f"promote {name}")["version"] for name in PRODUCTS}

    def answering() -> set[str]:
        """The products whose promoted model answers; of a service that has been slow it is the rule for a moment."""
        titles = [each.title for each in told(journey.settings, instant(UNTIL), client)]
        said = {name: f": model {name} version {version}, " for name, version in promoted.items()}
        return {name for name in said if any(said[name] in title for title in titles)}

    with client_of(journey.settings, "journey", timeout=LONG) as client:
        until(lambda: answering() == set(PRODUCTS))
        assert {name: model["version"] for name, model in client.health()["models"].items()} == promoted


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_batch_scores_each_row_that_is_due_once(journey: Journey, name: str) -> None:
    found, product = journey.answer(f"score {name}"), PRODUCTS[name]
    frame = pl.read_parquet(found["file"])
    keys = [entity.key for entity in product.entities if entity.key in frame.columns]
    assert frame.height == found["rows"] > 0
    assert frame.select(keys).is_unique().all()
    assert set(product.outputs) <= set(frame.columns)
    assert set(frame["version"]) == {journey.answer(f"promote {name}")["version"]}


def test_a_batch_leaves_out_tasks_that_have_ended(journey: Journey) -> None:
    ended = facts(journey, "completions")["task_id"]
    for name in ("task_assignment", "task_performance"):
        assert not set(pl.read_parquet(journey.answer(f"score {name}")["file"])["task_id"]) & set(ended)


def facts(journey: Journey, stream: str) -> pl.DataFrame:
    """The published rows of a stream that were known at the journey's end."""
    from feature_repo import retrieval

    return retrieval.facts(journey.settings.root, stream, instant(UNTIL)).collect()


def test_status_tells_products_data_and_servers(journey: Journey) -> None:
    found = journey.answer("status")
    assert found["data_as_of"].startswith(UNTIL)
    by_name = {one["product"]: one for one in found["products"]}
    for name, product in PRODUCTS.items():
        assert by_name[name]["champion"] == journey.answer(f"promote {name}")["version"]
        assert by_name[name]["metric"] == product.gate.metric
        assert by_name[name]["baseline_value"] is not None
        assert by_name[name]["reason"]
    assert by_name["task_performance"]["drift"]["verdict"] == journey.answer("drift")["verdict"]
    assert all(one["up"] for one in found["servers"])


def test_retraining_is_not_due_on_the_day_of_training_but_a_week_later(journey: Journey) -> None:
    assert journey.answer("due")["reasons"] == []
    assert journey.answer("due later")["reasons"] == ["trained 8 days ago, 7 are allowed"]
