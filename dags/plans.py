"""How the platform's own servers start: MLflow, Airflow with its real scheduler, and the prediction service."""

import json
import os
import sys
from collections.abc import Callable
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
from feature_repo.sources.processes import children, free_ports

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


def environment(settings: Settings) -> dict[str, str]:
    """What every platform server inherits: this environment and these settings, the commands of this Python first.

    Another Airflow's variables are left out, and so is PYTHONDONTWRITEBYTECODE, which doubles the time to start.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHONDONTWRITE"))}
    folders = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, **settings.variables(), "PATH": folders, "PYTHONUNBUFFERED": "1"}


def mlflow(settings: Settings) -> Plan:
    """MLflow over SQLite and a folder of artifacts; it refuses pickles."""
    folder = settings.root / "mlflow"

    def prepare(port: int) -> Launch:
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(folder / "artifacts")]
        variables = environment(settings) | {
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # Eight idle processes, 830 MB, for jobs nobody sends.
        }
        return Launch(command, f"http://127.0.0.1:{port}", folder, environment=variables)

    called = f"MLflow {version('mlflow')} server on SQLite"
    return Plan("mlflow", "platform", called, prepare, is_well, 120, error=RegistryError)


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
        variables = environment(settings) | airflow_environment(settings, port, dags)
        return Launch([sys.executable, "-m", "airflow", "standalone"], url, folder, environment=variables)

    def is_ready(server: Server) -> bool:
        return is_well(server) and beats(json.loads(said(server) or "{}"), began)

    called = f"Airflow {version('apache-airflow')} standalone, its real scheduler on SQLite"
    return Plan("airflow", "platform", called, prepare, is_ready, seconds=240, error=ServingError)


def airflow_environment(settings: Settings, port: int, dags: Path) -> dict[str, str]:
    """Airflow's own settings for a home, as environment variables: lean, on loopback, on free ports, no examples."""
    folder = settings.root / "airflow"
    log_port, trigger_port = free_ports(2)
    own = {
        "core__executor": "LocalExecutor",
        "core__parallelism": 4,  # The default of 32 forks as many workers: 5.6 GB.
        "core__dags_folder": dags,
        "core__load_examples": False,
        "core__dags_are_paused_at_creation": False,
        "core__execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
        "core__simple_auth_manager_users": f"{AIRFLOW_USER}:admin",
        "core__simple_auth_manager_passwords_file": folder / "passwords.json",
        "api__host": "127.0.0.1",
        "api__port": port,
        "api__base_url": f"http://127.0.0.1:{port}",
        "dag_processor__parsing_processes": 1,
        "logging__worker_log_server_port": log_port,
        "logging__trigger_log_server_port": trigger_port,
        "scheduler__orphaned_tasks_check_interval": 30,
        "scheduler__task_instance_heartbeat_timeout": 90,
        "usage_data_collection__enabled": False,
    }
    return {"AIRFLOW_HOME": str(folder)} | {f"AIRFLOW__{name.upper()}": str(value) for name, value in own.items()}


def beats(health: dict[str, Any], since: datetime) -> bool:
    """Whether Airflow's scheduler and DAG processor have both given a sign of life since then.

    Without the time a restart would take the killed ones' last beat, good for 30 seconds, for the new ones'.
    """
    marks = [health[name].get(f"latest_{name}_heartbeat") for name in ("scheduler", "dag_processor")]
    return all(mark is not None and datetime.fromisoformat(mark) >= since for mark in marks)


def service(settings: Settings) -> Plan:
    """The prediction service, which needs none of the others to start."""
    from serving import launch

    def prepare(port: int) -> Launch:
        variables = {**launch.environment(settings), **environment(settings)}
        return Launch(launch.command(settings, port), f"http://127.0.0.1:{port}", REPOSITORY, environment=variables)

    called = f"BentoML {version('bentoml')}, TalentService"
    return Plan("service", "platform", called, prepare, is_well, 120, error=ServingError)


PLANS: dict[str, Callable[[Settings], Plan]] = {"mlflow": mlflow, "airflow": airflow, "service": service}
