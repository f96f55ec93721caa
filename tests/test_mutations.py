"""Each way in which the gate could be wrong turns its tests red: run on a copy of the code with that mistake in it."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(3600)  # the first test waits for all mutations
ROOT = Path(__file__).parents[1]
GATE, PROMOTION = "training/gate.py", "training/promotion.py"
RULES, EVIDENCE, STEPS = (f"tests/training/test_{name}.py" for name in ("gate", "gate_evidence", "promotion"))


@dataclass(frozen=True)
class Mutation:
    """A mistake: in file, `right` becomes `wrong`; tests is the file of those that must notice."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str = RULES


RIVAL = "rival = evidence.baseline if evidence.champion is None else evidence.champion"
MUTATIONS = (
    Mutation("the candidate is compared with itself", GATE, RIVAL, "rival = evidence.candidate"),
    Mutation("the champion is ignored", GATE, RIVAL, "rival = evidence.baseline"),
    Mutation(
        "the sign is flipped",
        GATE,
        "sign = 1.0 if evidence.higher_is_better",
        "sign = -1.0 if evidence.higher_is_better",
    ),
    Mutation("less is better is forgotten", GATE, "if evidence.higher_is_better else -1.0", "if True else -1.0"),
    Mutation("the bound is ignored", GATE, 'numbers["gain_lower_bound"] <= 0', "False"),
    Mutation("the bound is the upper one", GATE, "(means), 1 - confidence)", "(means), confidence)"),
    Mutation(
        "the improvement is not asked for", GATE, 'numbers["relative_gain"] < gate.improvement - ROUNDING', "False"
    ),
    Mutation("a tie passes", GATE, 'if numbers["gain"] == 0:', "if False:"),
    Mutation("the baseline is not asked for", GATE, 'numbers["gain_over_baseline"] <= 0', "False"),
    Mutation("the floor of slices is ignored", GATE, "if gain < part.floor - ROUNDING:", "if False:"),
    Mutation(
        "missing values pass", GATE, "if missing := int((~np.isfinite(values[known])).sum()):", "if missing := 0:"
    ),
    Mutation("tiny samples pass", GATE, "if units < evidence.gate.minimum_units:", "if False:"),
    Mutation(
        "rows of a group count alone", GATE, "(len(differences)) if clusters is None", "(len(differences)) if True"
    ),
    Mutation("the draw has no seed", GATE, "np.random.default_rng(seed)", "np.random.default_rng()"),
    Mutation("everything is promoted", GATE, "Verdict(not refusals,", "Verdict(True,"),
    Mutation("nothing is promoted", GATE, "Verdict(not refusals,", "Verdict(False,"),
    Mutation(
        "the challenger answers for the champion",
        PROMOTION,
        "_answers(product, frame, champion)",
        "_answers(product, frame, challenger)",
        EVIDENCE,
    ),
    Mutation(
        "the champion answers for the challenger",
        PROMOTION,
        "ours = _answers(product, frame, challenger)",
        "ours = _answers(product, frame, champion or challenger)",
        EVIDENCE,
    ),
    Mutation("slices hold all rows", PROMOTION, "ours.filter(rows)", "ours", EVIDENCE),
    Mutation(
        "rows that one has seen count",
        PROMOTION,
        "return max(version.trained_until",
        "return min(version.trained_until",
        EVIDENCE,
    ),
    Mutation("rows are not checked", PROMOTION, "    if outside:", "    if False:", EVIDENCE),
    Mutation(
        "a dry run is on", PROMOTION, "        if verdict.promote:", "        if verdict.promote and False:", STEPS
    ),
    Mutation("refusals are promoted", PROMOTION, "        if verdict.promote:", "        if True:", STEPS),
    Mutation(
        "a champion meets itself", PROMOTION, "champion is not None and champion.number == number", "False", STEPS
    ),
)


def copied(place: Path) -> Path:
    """The packages that the gate's tests need."""
    for name in ("feature_repo", "training", "tests/__init__.py", "tests/training"):
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def passes(place: Path, *tests: str) -> bool:
    """Run tests on the code in place, and make sure that it is that code. Raises where they could not be run."""
    environment = {**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    # 1: tests ran and failed. Anything else that is not 0 is a mistake of this file's own.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert done.returncode == 0 or "failed" in done.stdout, done.stdout
    return done.returncode == 0


def mutated(place: Path, mutation: Mutation) -> Path:
    code = copied(place) / mutation.file
    text = code.read_text()
    assert text.count(mutation.right) == 1, f"{mutation.name}: `{mutation.right}` is not in {mutation.file} once"
    code.write_text(text.replace(mutation.right, mutation.wrong))
    return place


@pytest.fixture(scope="module")
def survivors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Whether the tests pass on each mutation, several at a time."""

    def survives(mutation: Mutation) -> bool:
        return passes(mutated(tmp_path_factory.mktemp("mutated"), mutation), mutation.tests)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip([each.name for each in MUTATIONS], pool.map(survives, MUTATIONS), strict=True))


def test_the_tests_pass_on_the_code_as_it_is_and_run_on_the_copy(tmp_path: Path) -> None:
    assert passes(copied(tmp_path), RULES, EVIDENCE, STEPS)
    (tmp_path / GATE).write_text("raise ImportError('the copy is what runs')")
    done = subprocess.run(
        [sys.executable, "-c", "import training.gate"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert "the copy is what runs" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", [each.name for each in MUTATIONS])
def test_the_suite_turns_red_when(survivors: dict[str, bool], name: str) -> None:
    assert not survivors[name]
