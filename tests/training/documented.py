"""Runs the Python blocks of a page of the documentation as if they stood in the files that they name.

    python -m tests.training.documented PAGE HOME

Runs in a process of its own, as it adds to modules. Prints what became of the documented product, as JSON.
"""

import importlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

BLOCK = re.compile(r"^```python\n# (\S+\.py)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """(file, code) of each block, in order."""
    return BLOCK.findall(page.read_text())


def run(file: str, code: str) -> ModuleType:
    """The module of that file with the code at its end; a new one where there is none yet."""
    name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        module = sys.modules[name] = ModuleType(name)
        parent, _, own = name.rpartition(".")
        setattr(importlib.import_module(parent), own, module)
    exec(compile(code, file, "exec"), module.__dict__)
    return module


def specify(module: ModuleType, code: str, columns: ModuleType) -> list[str]:
    """Run the block's tests, which name columns of the other module."""
    module.__dict__.update({name: value for name, value in vars(columns).items() if not name.startswith("__")})
    names = re.findall(r"^def (test_\w+)", code, re.MULTILINE)
    for name in names:
        getattr(module, name)()
    return names


def outcome(product: Any, home: Path, as_of: datetime) -> dict[str, Any]:
    """The candidate's metrics beside the rule's, its page's headings, and its routes."""
    from serving.routes.api import application
    from training.fit import fit_candidate
    from training.report.card import card
    from training.report.insight import importance

    candidate = fit_candidate(product, home, as_of)
    weights = importance(candidate)
    return {
        "metrics": candidate.metrics,
        "rule": candidate.baselines[product.fallback],
        "columns": list(weights),
        "card": card(candidate, weights, product.name, "none"),
        "paths": list(application({product.name: product}).openapi()["paths"]),
    }


def main(page: Path, home: Path) -> None:
    """Run every block, the tests among them, then train the product."""
    from feature_repo.seed import synthetic

    specified, modules = [], {}
    for file, code in blocks(page):
        modules[file] = run(file, code)
        if file.startswith("tests/"):
            specified += specify(modules[file], code, modules["feature_repo/features/fit.py"])
    product = modules["training/products/__init__.py"].interview  # type: ignore[attr-defined]
    found = outcome(product, home, synthetic.UNTIL)
    print(json.dumps({"files": list(modules), "specified": specified, **found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
