"""Runs the installed command, as a user would."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import LONG

TALENTML = Path(sys.executable).with_name("talentml")


@dataclass(frozen=True)
class Done:
    """How a command ended; `answer` is its stdout as JSON."""

    code: int
    stdout: str
    stderr: str

    @property
    def answer(self) -> Any:
        return json.loads(self.stdout, parse_constant=lambda _: 1 / 0)


def talentml(*words: str | Path, home: Path | None = None, limit: float = 10 * LONG, **environment: str) -> Done:
    """Run a verb. Settings of the machine that runs the tests do not reach it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALENTML_")}
    homes = {"TALENTML_HOME": str(home)} if home else {}
    done = subprocess.run(
        [TALENTML, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=limit,
        env={**kept, **homes, **environment},
    )
    return Done(done.returncode, done.stdout, done.stderr)
