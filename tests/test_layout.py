"""The shape of the tree: names that collide with nobody's, small rooms, and light declarations."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("feature_repo", "expectations", "training", "monitoring", "serving", "dags")
FILES = sorted(path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py"))
HEAVY = {
    "airflow", "bentoml", "evidently", "feast", "great_expectations", "implicit", "lightgbm", "matplotlib", "mlflow",
    "pandas", "scipy", "sentence_transformers", "shap", "sklearn", "skops", "torch",
}  # fmt: skip


def imported_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after the statement."""
    code = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", PACKAGES)
def test_no_package_of_ours_has_the_name_of_an_installed_one(name: str) -> None:
    owners = set(packages_distributions().get(name, [])) - {"talentml"}
    assert not owners
    assert name not in sys.stdlib_module_names


def test_no_module_in_airflows_folder_hides_another_one() -> None:
    """Airflow appends dags/ to sys.path, so `import features` would find ours where nothing else has the name."""
    taken = set(packages_distributions()) | set(sys.stdlib_module_names)
    ours = {path.stem for path in (ROOT / "dags").iterdir() if path.suffix == ".py" or path.is_dir()} - {"__init__"}
    assert not ours & taken


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_under_300_lines_and_bodies_under_40(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    assert not {name: lines for name, lines in bodies(ast.parse(text)) if lines > 40}


def bodies(tree: ast.Module) -> list[tuple[str, int]]:
    """Each function and the lines of its body, the docstring left out."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.name, (node.end_lineno or 0) - first_line(node) + 1) for node in found]


def first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0].lineno


def test_declaring_the_products_imports_no_library_that_learns() -> None:
    assert not imported_by("import training.products") & HEAVY


def test_the_command_line_shows_its_help_without_anything_heavy() -> None:
    light = imported_by("import dags.cli")
    assert not light & (HEAVY | {"numpy", "polars", "duckdb", "ibis", "pydantic", "sqlalchemy", "pyarrow"})


def test_a_scribe_imports_nothing_that_only_answers_need() -> None:
    """There is one beside every worker."""
    light = imported_by("import serving.answering.scribe")
    assert not light & (HEAVY | {"duckdb", "fastapi", "ibis", "numba", "prometheus_client"})
