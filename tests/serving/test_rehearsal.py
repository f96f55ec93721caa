"""A snapshot has answered every route before callers do."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from feature_repo.publish import publish
from feature_repo.settings import Settings
from serving.answering.features import Features
from serving.answering.published import Published
from serving.answering.rehearsal import rehearse
from tests.serving import world
from tests.serving.conftest import Service, promote, promoted
from training.product import Product
from training.products import PRODUCTS
from training.route import Answered, Extra

Serve = Callable[[Path], Service]
CAREER = PRODUCTS["career"]


def saying(value: Callable[[Answered], object]) -> Product:
    """A product whose route says one thing beside scores."""
    return replace(CAREER, routes=(replace(CAREER.route, extras=(Extra("said", str, value, "Something."),)),))


def test_a_later_snapshot_is_rehearsed_before_it_is_taken_up_the_first_one_after(home: Path) -> None:
    rehearsed: list[tuple[Published, Published | None]] = []
    features = Features(home, PRODUCTS.values(), lambda published: rehearsed.append((published, features.current)))
    assert features.refresh()
    publish(Settings(home=home, _env_file=None), world.AS_OF + world.DAY, products=PRODUCTS.values())
    assert features.refresh()
    assert not features.refresh()
    (first, by_then), (later, until_then) = rehearsed
    assert by_then is until_then is first
    assert features.current is later
    assert later is not first


def test_every_route_is_rehearsed_without_a_failure(home: Path, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    promote(home, promoted(home, 3))
    running = serve(home).running
    assert running.features.current
    caplog.clear()  # what it said when it began
    rehearse(running.answers, PRODUCTS, running.features.current)
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_rehearsal_says_all_that_an_answer_does_and_is_neither_counted_nor_logged(home: Path, serve: Serve) -> None:
    service, said = serve(home), list[Answered]()
    running, published = service.running, service.running.features.current
    assert published
    rehearse(running.answers, {"career": saying(said.append)}, published)
    assert [(each.published, each.outputs.columns) for each in said] == [(published, list(CAREER.outputs))]
    assert service.metric('talentml_answers_total{product="career",source="fallback"}') == 0
    running.journal.close()
    assert service.metric("prediction_log_written_total") == 0


def test_a_route_that_cannot_be_rehearsed_is_named_and_keeps_no_other_from_it(
    home: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[Answered] = []

    def fail(_: Answered) -> None:
        raise ValueError("nothing to say")

    running = serve(home).running
    assert running.features.current
    rehearse(running.answers, {"one": saying(fail), "other": saying(said.append)}, running.features.current)
    assert (len(said), caplog.messages) == (1, [f"{CAREER.route.path}: not rehearsed"])
