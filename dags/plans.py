"""How the platform's own servers start: MLflow, Airflow with its real scheduler, and the prediction service."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from feature_repo.errors import RegistryError, ServingError
from feature_repo.settings import Settings
from feature_repo.sources.launches import Launch, Plan
from feature_repo.sources.ledger import Server, password, private
from feature_repo.sources.processes import children

REPOSITORY = Path(__file__).parents[1]
AIRFLOW_USER = "admin"
AIRFLOW_PROCESSES = 4  # Scheduler, DAG processor, API server, triggerer.
HEALTH = {"mlflow": "/health", "airflow": "/api/v2/monitor/health", "service": "/readyz"}


def said(server: Server) -> str | None:
    """What a platform server answers when asked for its health; None when it does not, or says that it is ill."""
    try:
        with urlopen(f"http://{server.place}{HEALTH[server.name]}", timeout=5) as answer:
            return str(answer.read().decode())
    except (URLError, OSError, ValueError):
        return None


def is_well(server: Server) -> bool:
    """Whether a platform server works; of Airflow, all of its processes: `standalone` restarts none that dies."""
    health = said(server)
    if server.name != "airflow" or health is None:
        return health is not None
    parts = [part["status"] for name, part in json.loads(health).items() if part["status"] is not None]
    return set(parts) == {"healthy"} and (server.pid is None or len(children(server.pid)) >= AIRFLOW_PROCESSES)


def ill(server: Server) -> str:
    """Why a platform server cannot work yet; "" when it can."""
    return "" if is_well(server) else f"{HEALTH[server.name]} says {said(server) or 'nothing'}"


def inherited(given: Mapping[str, str]) -> dict[str, str]:
    """What a platform server inherits of these variables: the commands of this Python come first on its PATH.

    Another Airflow's variables are left out, and so is PYTHONDONTWRITEBYTECODE, which doubles the time to start.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(("AIRFLOW", "PYTHONDONTWRITE"))}
    folders = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": folders, "PYTHONUNBUFFERED": "1"}


def mlflow(settings: Settings) -> Plan:
    """MLflow over SQLite and a folder of artifacts; it refuses pickles."""
    folder = settings.root / "mlflow"

    def prepare(port: int) -> Launch:
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(folder / "artifacts")]
        variables = inherited(os.environ) | {
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # Eight idle processes, 830 MB, for jobs nobody sends.
        }
        return Launch(command, f"http://127.0.0.1:{port}", folder, environment=variables)

    called = f"MLflow {version('mlflow')} server on SQLite"
    return Plan("mlflow", "platform", called, prepare, ill, 120, error=RegistryError)


def airflow(settings: Settings, dags: Path = REPOSITORY / "dags") -> Plan:
    """Airflow over a folder of DAGs, with SQLite, a login of the home's own, and these settings for its tasks."""
    folder = settings.root / "airflow"
    began = datetime.now(UTC)

    def prepare(port: int) -> Launch:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # airflow.cfg holds keys.
        login = password(settings, "airflow")
        private(folder / "passwords.json", json.dumps({AIRFLOW_USER: login}))
        url = f"http://{AIRFLOW_USER}:{login}@127.0.0.1:{port}"
        variables = inherited({**os.environ, **settings.variables()}) | airflow_environment(settings, port, dags)
        variables["PATH"] = os.pathsep.join([str(_without_log_servers(folder / "bin")), variables["PATH"]])
        return Launch([sys.executable, "-m", "airflow", "standalone"], url, folder, environment=variables)

    def complaint(server: Server) -> str:
        is_ready = is_well(server) and beats(json.loads(said(server) or "{}"), began)
        return "" if is_ready else ill(server) or "its scheduler has not run yet"

    called = f"Airflow {version('apache-airflow')} standalone, its real scheduler on SQLite"
    return Plan("airflow", "platform", called, prepare, complaint, seconds=240, error=ServingError)


def _without_log_servers(folder: Path) -> Path:
    """A folder with the `airflow` that `standalone` calls, less its two log servers.

    Those listen on every interface, whatever api__host says, and on one machine the logs are read from the disk.
    """
    folder.mkdir(exist_ok=True)
    script = folder / "airflow"
    script.write_text(
        '#!/bin/sh\ncase "$1" in scheduler|triggerer) set -- "$@" --skip-serve-logs ;; esac\n'
        f'exec {shlex.quote(sys.executable)} -m airflow "$@"\n'
    )
    script.chmod(0o700)
    return folder


def airflow_environment(settings: Settings, port: int, dags: Path) -> dict[str, str]:
    """Airflow's own settings for a home, as environment variables: lean, on loopback, no examples."""
    folder = settings.root / "airflow"
    own = {
        # The stock 5 s wait for a lock is too short while DAGs are first written: the API answers 500.
        "database__sql_alchemy_conn": f"sqlite:///{folder / 'airflow.db'}?timeout=60",
        "core__executor": "LocalExecutor",
        "core__parallelism": 4,  # The default of 32 forks as many workers: 5.6 GB.
        "core__dags_folder": dags,
        "core__load_examples": False,
        "core__dags_are_paused_at_creation": False,
        "core__execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
        "logging__worker_log_server_port": 1,  # No log server runs; a default port could be another Airflow's.
        "core__simple_auth_manager_users": f"{AIRFLOW_USER}:admin",
        "core__simple_auth_manager_passwords_file": folder / "passwords.json",
        "api__host": "127.0.0.1",
        "api__port": port,
        "api__base_url": f"http://127.0.0.1:{port}",
        "dag_processor__parsing_processes": 1,
        "scheduler__orphaned_tasks_check_interval": 30,
        "scheduler__task_instance_heartbeat_timeout": 90,
    }
    return {"AIRFLOW_HOME": str(folder)} | {f"AIRFLOW__{name.upper()}": str(value) for name, value in own.items()}


def beats(health: dict[str, Any], since: datetime) -> bool:
    """Whether Airflow's scheduler and DAG processor have both given a sign of life since then.

    Without the time a restart would take the killed ones' last beat, good for 30 seconds, for the new ones'.
    """
    marks = [health[name].get(f"latest_{name}_heartbeat") for name in ("scheduler", "dag_processor")]
    return all(mark is not None and datetime.fromisoformat(mark) >= since for mark in marks)


def service(settings: Settings) -> Plan:
    """The prediction service, which needs none of the others to start, but a key for its callers' tokens."""
    from serving import launch

    launch.check(settings)

    def prepare(port: int) -> Launch:
        variables = inherited(launch.environment(settings))
        return Launch(launch.command(port), f"http://127.0.0.1:{port}", REPOSITORY, environment=variables)

    called = f"BentoML {version('bentoml')}, TalentService"
    return Plan("service", "platform", called, prepare, ill, 120, error=ServingError)


PLANS: dict[str, Callable[[Settings], Plan]] = {"mlflow": mlflow, "airflow": airflow, "service": service}
