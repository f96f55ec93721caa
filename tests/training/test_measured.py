"""A registered version is measured on the rows that it was measured on when it was made."""

from pathlib import Path

import pytest

from feature_repo.seed import synthetic
from tests.training.homes import published
from training.candidate import Candidate
from training.fit import fit_candidate
from training.products import PRODUCTS
from training.report.measured import measured
from training.version import Version

CAREER = PRODUCTS["career"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def fitted(home: Path) -> Candidate:
    return fit_candidate(CAREER, home, synthetic.UNTIL)


def version(of: Candidate) -> Version:
    return Version("career", 1, "run", of.data_hash, "code", of.as_of, of.trained_until, "sha256", "career")


def test_it_has_the_candidates_numbers_windows_and_rows(home, fitted):
    found = measured(CAREER, home, version(fitted), fitted.model)
    assert found.metrics == pytest.approx(fitted.metrics)
    assert found.baselines["rule"] == pytest.approx(fitted.baselines["rule"])
    assert (found.train_window, found.test_window) == (fitted.train_window, fitted.test_window)
    assert (found.rows, found.test_frame.height) == (fitted.rows, fitted.test_frame.height)


def test_its_parameters_are_those_that_the_candidate_names(home, fitted):
    found = measured(CAREER, home, version(fitted), fitted.model)
    assert {**found.parameters, "seed": 42} == fitted.parameters
