"""A real MLflow server on a free loopback port, one per test session, started when it is first asked for."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.ports import free_port

SECONDS_TO_ANSWER = 240
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # for the server and for programs that import mlflow early


@cache
def folder() -> Path:
    """Where the server keeps everything; artefacts lie under artifacts/."""
    return Path(tempfile.mkdtemp(prefix="talentml-mlflow-"))


@cache
def server() -> str:
    """Its address. It ends with the session."""
    place = folder()
    port = free_port()
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{place}/mlflow.db", "--artifacts-destination", str(place / "artifacts")),
    ]
    # As dags.plans: a server for jobs nobody sends is eight processes more, 26 s of processor time and 2 GB.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (place / "log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)
    atexit.register(_stop, started, place)
    url = f"http://127.0.0.1:{port}"
    _wait(url, started, place / "log")
    return url


def _wait(url: str, started: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < until and started.poll() is None:
        try:
            urlopen(f"{url}/health", timeout=10).close()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"mlflow server did not come up: {log.read_text()[-2000:]}")


def _stop(started: subprocess.Popen[bytes], place: Path) -> None:
    os.killpg(started.pid, signal.SIGTERM)
    started.wait(SECONDS_TO_ANSWER)
    shutil.rmtree(place, ignore_errors=True)
