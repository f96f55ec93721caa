"""sentence-transformers beside ours: its environment, and the process that embedding_peer.py runs in there."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.embedding_bound import Seconds, Turn
from feature_repo.embedding import packaged_model

PEER = ("torch==2.13.0", "sentence-transformers>=6.2")


class Peer:
    """sentence-transformers in another process."""

    def __init__(self, python: Path, threads: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        program = [str(python), str(Path(__file__).with_name("embedding_peer.py"))]
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.ask(model=str(packaged_model()), threads=threads)

    def ask(self, **task: Any) -> Seconds:
        assert self._process.stdin and self._process.stdout  # noqa: PT018
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: Seconds = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def turn(self, texts: list[str], batch: int | None = None, vectors: Path | None = None) -> Turn:
        return lambda: self.ask(texts=texts, batch=batch, vectors=vectors and str(vectors))


def peer_python(folder: Path) -> Path | None:
    """The interpreter of an environment with sentence-transformers and torch for CPUs; None, and why, without."""
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.exists():
        return python
    pip, uv = shutil.which("pip"), shutil.which("uv")
    asked = subprocess.run([pip, "config", "get", "global.find-links"], capture_output=True, text=True) if pip else None
    links = os.environ.get("PIP_FIND_LINKS") or (asked.stdout.strip() if asked else "")
    if not (uv and links):
        print("no sentence-transformers beside ours: pip knows no folder with torch for CPUs (find-links), or no uv")
        return None
    install = [uv, "pip", "install", "-q", "--python", str(python), "--find-links", links, *PEER]
    made = subprocess.run(
        [uv, "venv", "-q", "--clear", "--python", "3.11", str(folder)], capture_output=True, text=True
    )
    if made.returncode == 0:  # elsewhere than here, where pyproject.toml overrides sentence-transformers away
        made = subprocess.run(install, capture_output=True, text=True, cwd=folder)
    if made.returncode:
        print(f"no sentence-transformers beside ours: {made.stderr.strip().splitlines()[-1]}")
        return None
    ready.touch()
    return python
