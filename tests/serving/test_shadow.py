"""A shadow scores along after the answer, bounded, and its scores are a record of their own."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select

from feature_repo.platform import database
from feature_repo.platform.tables import prediction_log
from feature_repo.window import Window
from monitoring.prediction_log import Record, append, logged_frames, read
from serving.answering.features import read_for
from serving.answering.scoring import score
from serving.answering.shadow import Beside, Shadow, compared, record
from serving.limits import LIMITS
from serving.versions.loading import Champion
from tests.serving.conftest import Service, promote, promoted
from tests.serving.process import until
from tests.serving.tiny import tiny
from training.products import PRODUCTS

PRODUCT = PRODUCTS["task_assignment"]
NAN = float("nan")
NOW = datetime(2012, 1, 1, tzinfo=UTC)
LEFT_OUT = f'talentml_shadow_left_out_total{{product="{PRODUCT.name}"}}'


@pytest.fixture
def third(home: Path, serve: Callable[[Path], Service]) -> Service:
    """A service with champion 3."""
    promote(home, promoted(home, 3))
    found = serve(home)
    found.running.journal.start()
    return found


def beside(service: Service, number: int) -> Beside:
    """An answer of champion 3 to some rows, and version `number` to score them too."""
    champion = service.running.models.active[PRODUCT.name]
    asked = service.running.warm_up(PRODUCT)
    version = champion.version.model_copy(update={"number": number})
    challenger = Champion(PRODUCT, version, tiny(PRODUCT, number), NOW)
    answered = Record(
        prediction_id=f"beside {number}", request_id="r1", product=PRODUCT.name, model_version=3, source="model",
        snapshot="v1", as_of=NOW, request=b'{"task_id": "T60"}', features=asked.features, answer=b'{"candidates": []}',
        milliseconds=9.0, predicted_at=NOW, experiment="e1", arm="champion", unit="T60",
    )  # fmt: skip
    return Beside(challenger, asked, score(PRODUCT, champion, asked), answered)


def test_the_record_names_the_answer_the_version_and_the_scores_of_every_row(third: Service) -> None:
    found = record(beside(third, 4))
    assert (found.arm, found.experiment, found.unit, found.model_version) == ("shadow", "e1", "T60", 4)
    said = json.loads(found.answer)
    assert said["beside"] == "beside 4" != found.prediction_id
    assert set(said["outputs"][PRODUCT.outputs[-1]]) == {0.04}
    assert found.features is None


def test_a_shadow_of_the_same_model_agrees_entirely(third: Service) -> None:
    said = json.loads(record(beside(third, 3)).answer)
    assert (said["same_first"], said["distance"]) == (True, 0.0)


# first outputs of both, NaN where the model has none; rows that the rule scores instead are .5
SCORES: list[tuple[list[float], list[float], bool | None, float | None]] = [
    ([0.9, 0.1], [0.8, 0.4], True, 0.2),  # (.1 + .3) / 2
    ([0.9, 0.1], [0.1, 0.9], False, 0.8),
    ([], [], None, None),
    ([0.9, NAN], [0.9, 0.1], None, None),
    ([NAN, NAN], [NAN, NAN], None, None),
    ([0.1, NAN, 0.3], [0.2, NAN, 0.1], False, 0.15),  # a stranger, highest by the rule
]


@pytest.mark.parametrize(("ours", "theirs", "same_first", "distance"), SCORES)
def test_agreement_by_hand(
    third: Service, ours: list[float], theirs: list[float], same_first: bool | None, distance: float | None
) -> None:
    whole, models = beside(third, 3).scored, [np.array(each, np.float64) for each in (ours, theirs)]
    one, other = (replace(whole, outputs={"score": np.nan_to_num(x, nan=0.5)}, by_model=~np.isnan(x)) for x in models)
    assert compared(one, other) == {"same_first": same_first, "distance": pytest.approx(distance)}


def test_where_features_cannot_be_read_and_rules_score_for_both_nothing_agrees(third: Service) -> None:
    each = beside(third, 4)
    unread = read_for(None, each.read.asked, PRODUCT.asked_columns)
    ruled = score(PRODUCT, third.running.models.active[PRODUCT.name], unread)
    said = json.loads(record(replace(each, read=unread, scored=ruled)).answer)
    assert (said["same_first"], said["distance"]) == (None, None)


class Failing:
    """A model that answers nothing."""

    explains = scale = "score"

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        raise RuntimeError("no answer")

    contributions = predict

    def save(self, folder: Path) -> None:
        raise NotImplementedError


def test_a_shadow_that_fails_is_recorded_as_the_rule_s_and_the_next_one_is_scored(third: Service) -> None:
    good = beside(third, 4)
    bad = replace(good, challenger=replace(good.challenger, model=Failing()))
    shadow = Shadow(third.running.journal, third.running.metrics)
    shadow.start()
    for each in (bad, good):
        shadow.add(each)
    engine = database(third.running.settings)
    chosen = select(prediction_log.c.source).where(prediction_log.c.arm == "shadow").order_by(prediction_log.c.source)

    def sources() -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(chosen))

    until(lambda: sources() == ["fallback", "model"])
    shadow.close()


def test_what_finds_no_room_is_left_out_and_nobody_waits(third: Service) -> None:
    """Nothing empties the queue: who waited for room would wait for ever."""
    shadow, each = Shadow(third.running.journal, third.running.metrics), beside(third, 4)
    for _ in range(LIMITS.shadow_waiting + 5):
        shadow.add(each)
    assert third.metric(LEFT_OUT) == 5
    shadow.close()


def test_what_cannot_be_compared_is_left_out_too_and_the_next_one_is_scored(third: Service) -> None:
    shadow, good = Shadow(third.running.journal, third.running.metrics), beside(third, 4)
    for each in (replace(good, scored=replace(good.scored, outputs={})), good):
        shadow.add(each)
    shadow.start()
    until(lambda: shadow.waits == 0)
    shadow.close()
    assert third.metric(LEFT_OUT) == 1


def test_what_reads_the_log_sees_answers_only(tmp_path: Path, third: Service) -> None:
    """Drift and parity would else count each request twice."""
    each = beside(third, 4)
    engine = database(third.running.settings)
    append(engine, [each.answered, record(each)])
    window = Window(NOW, NOW + timedelta(days=1))
    assert set(read(engine, PRODUCT.name, window)["prediction_id"]) == {"beside 4"}
    assert len(list(logged_frames(engine, NOW))) >= 1
