"""Fifty promotions at the same time, of versions that are all good: one wins, all are told, the trail is complete (17).

tests/faults/test_promotion.py has fifty promotions of one version, and kills.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from feature_repo.platform.tables import champion_moves
from feature_repo.platform.tables import verdicts as verdict_table
from feature_repo.settings import Settings, load
from tests.feature_repo.postgres import fresh_database
from tests.training import tiny, tracking
from tests.training.stage import champion
from training import verdicts
from training.gate import Verdict
from training.product import Product
from training.promotion import promote
from training.registry import Registry

pytestmark = pytest.mark.slow
VERSIONS, EACH = 5, 10
"""Versions of one model by different code; each is asked to be promoted so many times."""


@pytest.fixture(params=["one home on SQLite", "two homes on PostgreSQL"])
def homes(request: pytest.FixtureRequest, tmp_path: Path) -> list[Settings]:
    """Two homes on one database are two machines: the file locks of neither help."""
    url = fresh_database() if "PostgreSQL" in request.param else None
    names = ("one", "two") if url else ("one",)
    return [load(home=tmp_path / name, mlflow_url=tracking.server(), database_url=url) for name in names]


def test_of_50_promotions_of_equal_versions_one_wins_and_the_others_are_told_why(homes: list[Settings]) -> None:
    product, registry = tiny.named("crowd"), Registry(homes[0])
    trained = tiny.candidate(product=product)
    numbers = [registry.register(trained, product.name, f"code {turn}").number for turn in range(VERSIONS)]
    turns = [(homes[turn % len(homes)], numbers[turn % VERSIONS]) for turn in range(VERSIONS * EACH)]
    with ThreadPoolExecutor(len(turns)) as pool:
        told = list(pool.map(lambda turn: asked(product, *turn), turns))

    (winner,) = (each for each in told if each.promote)
    assert champion(registry, product) == winner.version
    assert Counter(kind(each, winner) for each in told if not each.promote) == {
        "the champion already": EACH - 1,
        "a tie": (VERSIONS - 1) * EACH,
    }
    check_trail(registry, product, told, winner)


def asked(product: Product, settings: Settings, number: int) -> Verdict:
    return promote(product, settings, tiny.AS_OF, number, unseen=tiny.unseen)


def kind(verdict: Verdict, winner: Verdict) -> str:
    """Why it was refused; the champion in the verdict is the winner, never one before it."""
    assert verdict.champion == winner.version
    if verdict.reason == f"refused: version {winner.version} is the champion already":
        return "the champion already"
    return "a tie" if "is a tie" in verdict.reason else verdict.reason


def check_trail(registry: Registry, product: Product, told: list[Verdict], winner: Verdict) -> None:
    """Every verdict that was told is stored, the winner's alone as applied; one move; what was scored replays."""
    table: Any = verdict_table.c
    with registry.engine.connect() as connection:
        stored = connection.execute(select(table.id, table.applied_at).where(table.product == product.name)).all()
        moved = connection.execute(select(champion_moves).where(champion_moves.c.product == product.name)).all()
    assert {row.id for row in stored} == {each.id for each in told}
    assert [row.id for row in stored if row.applied_at is not None] == [winner.id]
    assert [(row.kind, row.version, row.previous, row.verdict_id) for row in moved] == [
        ("promote", winner.version, None, winner.id)
    ]
    scored = [each for each in told if each.numbers]
    assert len(scored) == (VERSIONS - 1) * EACH + 1
    for each in scored[:: len(scored) // 5]:
        assert verdicts.replay(registry.engine, each.id).reason == each.reason
