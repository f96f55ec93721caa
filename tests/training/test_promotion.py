"""The steps of a promotion, with MLflow in a file: quick enough to be run on mutated code."""

from pathlib import Path

import pytest

from feature_repo.settings import load
from tests.training import tiny
from training.promotion import promote
from training.registry import Registry


def test_a_promotion_moves_the_alias_and_a_second_one_of_the_same_version_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no dry run: what the verdict says is done."""
    monkeypatch.chdir(tmp_path)  # MLflow puts artefacts there when it has no server
    settings = load(home=tmp_path, mlflow_url=f"sqlite:///{tmp_path}/mlflow.db")
    registry = Registry(settings)
    version = registry.register(tiny.candidate(), "tiny", "code")
    verdict = promote(tiny.PRODUCT, settings, tiny.AS_OF, unseen=tiny.unseen)
    assert (verdict.promote, verdict.serves) == (True, True)
    assert registry.champion("tiny") == registry.recorded("tiny") == version
    again = promote(tiny.PRODUCT, settings, tiny.AS_OF, unseen=tiny.unseen)
    assert (again.promote, again.serves, again.evidence) == (False, True, None)


def test_a_model_that_the_gate_refuses_does_not_become_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(home=tmp_path, mlflow_url=f"sqlite:///{tmp_path}/mlflow.db")
    registry = Registry(settings)
    registry.register(tiny.candidate(factor=1.5), "tiny", "code")
    assert not promote(tiny.PRODUCT, settings, tiny.AS_OF, unseen=tiny.unseen).promote
    assert registry.champion("tiny") is registry.recorded("tiny") is None
