"""The demo's questions: every product is asked, and what a reader sees is told whatever there is to tell."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from dags.output import table
from dags.questions import client_of, newest_open_task, told
from feature_repo.errors import ServingError
from feature_repo.retrieval import facts
from feature_repo.settings import Settings
from feature_repo.versions import current
from serving.access.auth import Caller, Role, Tokens
from tests.serving import tiny, world
from tests.serving.conftest import Service, promote, promoted, started
from tests.serving.scripted import patient, says, scripted
from training.products import PRODUCTS


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The small world."""
    tiny.install()
    return world.copy(tmp_path / "home")


def page(home: Path, service: Service) -> str:
    """All that is told, as the demo prints it."""
    out = Console(file=io.StringIO(), width=160, highlight=False)
    for each in told(service.running.settings, world.AS_OF, patient("http://service", http=service.http)):
        out.print(table(each.title, each.rows, each.columns))
        out.print(*each.why, sep="\n", markup=False)
    service.running.journal.close()
    assert isinstance(out.file, io.StringIO)
    assert home == service.home
    return out.file.getvalue()


def test_every_product_tells_who_answered_and_why(home: Path) -> None:
    promote(home, promoted(home, 3))
    text = page(home, started(home))
    for name in PRODUCTS:
        assert f"model {name} version 3, " in text
    assert "This raises the score." in text
    assert "Job of " in text  # titles, not ids


def test_without_models_the_rules_are_told_with_the_reason(home: Path) -> None:
    text = page(home, started(home))
    for product in PRODUCTS.values():
        assert f"fallback {product.fallback} (no model), " in text


def test_the_demo_asks_as_a_service_with_a_token_of_the_home(tmp_path: Path) -> None:
    with scripted(says(200, {"models": []})) as found:
        settings = Settings(home=tmp_path, service_url=found.url, jwt_secret="s" * 32, _env_file=None)
        with client_of(settings, "demo") as client:
            client.models()
        assert Tokens.of(settings).caller(found.got[0].authorization) == Caller("demo", Role.SERVICE)


def test_with_public_keys_only_it_asks_with_the_token_of_the_settings(tmp_path: Path) -> None:
    with scripted(says(200, {"models": []})) as found:
        given = {"service_url": found.url, "jwt_jwks": tmp_path / "keys.json", "service_token": "of.our.issuer"}
        with client_of(Settings(home=tmp_path, _env_file=None, **given), "deploy") as client:  # type: ignore[arg-type]
            client.models()
        assert found.got[0].authorization == "Bearer of.our.issuer"


def empty_market(home: Path) -> None:
    """A home as SiP's tasks give it: no talents, jobs, occupations or series."""
    for name in ("talents", "talent_skills", "jobs", "occupations", "contents", "person_traits", "skill_demand"):
        for path in (current(home / "offline") / "streams").glob(f"{name}.parquet"):
            pl.read_parquet(path).clear().write_parquet(path)


def test_of_a_home_without_a_market_only_the_task_is_told(home: Path) -> None:
    empty_market(home)
    promote(home, promoted(home, 3))
    text = page(home, started(home))
    assert "Who should take task T6" in text
    assert "What to expect of it" in text
    assert not [title for title in ("Jobs for", "study", "Occupations", "Demand") if title in text]


def test_where_no_task_is_open_that_is_said(home: Path) -> None:
    known: Callable[..., object] = partial(facts, home, known_before=world.START)
    with pytest.raises(ServingError, match="no task is open as of 2011-01-01"):
        newest_open_task(known, world.START)  # type: ignore[arg-type]
