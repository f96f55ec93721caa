"""One journey through every verb on the synthetic world, with real servers; many tests look at what it left."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from feature_repo.settings import Settings, load
from tests.dags.command import Done, talentml
from training.products import PRODUCTS

EARLY, UNTIL = "2025-10-01", "2026-01-01"
SERVERS = ("mysql", "neo4j", "mongodb", "mlflow", "service")
STAGES = (
    {"seed": "seed synthetic"},
    {"seed again": "seed synthetic"},
    {"ingest early": f"ingest --until {EARLY}"},
    {"check early": f"check --as-of {EARLY}"},
    {"materialize early": f"materialize --until {EARLY}"},
    {"train early": f"train task_performance --as-of {EARLY}"},
    {"ingest": f"ingest --until {UNTIL}"},
    {"ingest again": f"ingest --since {EARLY} --until {UNTIL}"},
    {"check": f"check --as-of {UNTIL}"},
    {"materialize": f"materialize --until {UNTIL}"},
    {"train early again": f"train task_performance --as-of {EARLY}"},
    {f"train {name}": f"train {name} --as-of {UNTIL}" for name in PRODUCTS},
    {f"promote {name}": f"promote {name} --as-of {UNTIL}" for name in PRODUCTS},
    {
        "promote again": f"promote task_performance --as-of {UNTIL}",
        "deploy": "deploy task_assignment --seconds 600",
        **{f"evaluate {name}": f"evaluate {name} --since 2025-07-01 --until {UNTIL}" for name in PRODUCTS},
        **{f"score {name}": f"score {name}" for name in PRODUCTS},
        "drift": "drift task_performance",
        "due": "due task_assignment",
        "due later": "due task_assignment --as-of 2026-01-09",
        "products": "products",
        "doctor": "doctor",
        "config": "config show",
    },
    {"promote worse": f"promote task_performance --version 1 --as-of {UNTIL}"},
    {"rollback": "rollback task_assignment"},
    {"status": "status"},
)
"""Step -> the verb; those of one stage run side by side. `worse` is an older model than the champion."""
STEPS = {step: words for stage in STAGES for step, words in stage.items()}
SIDE_BY_SIDE = 3


@dataclass
class Journey:
    """What each step answered, and the home that is left."""

    settings: Settings
    done: dict[str, Done] = field(default_factory=dict)

    def answer(self, step: str) -> Any:
        """The JSON that a step printed."""
        return self.done[step].answer

    def take(self, step: str, words: str) -> None:
        self.done[step] = talentml(*words.split(), "--json", home=self.settings.root)


@pytest.fixture(scope="package")
def journey() -> Iterator[Journey]:
    # Not pytest's own folder, which only its owner may enter: MariaDB runs as another user.
    with TemporaryDirectory(prefix="journey-") as folder:
        Path(folder).chmod(0o755)
        found = Journey(load(home=Path(folder) / "home"))
        try:
            found.take("token secret", "token secret")
            found.take("servers start", f"servers start {' '.join(SERVERS)}")
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                for stage in STAGES:
                    list(pool.map(found.take, stage, stage.values()))
            yield found
        finally:
            talentml("servers", "stop", home=found.settings.root)


def strict(line: str) -> Any:
    """The JSON of a line, refusing NaN and Infinity."""

    def refused(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(line, parse_constant=refused)
