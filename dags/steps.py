"""What the DAGs are made of: one task runs one verb of the command line, as a hand run or CI would."""

import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param

from feature_repo.settings import Settings, load

FEATURES = Asset("talentml_features")
FEATURES_SCHEDULE = "0 2 * * 0"
CHECK_SCHEDULE = "0 2 * * *"
TASK_LIMIT = timedelta(minutes=30)
RUN_LIMIT = timedelta(hours=2)
RETRIES = 2
RETRY_DELAY = timedelta(seconds=15)

# A run triggered over REST has no data interval: it is as of the moment it was asked for.
AS_OF = "{{ params.until or (dag_run.data_interval_end or dag_run.run_after).isoformat() }}"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def workflow(dag_id: str, cron: str, title: str, doc: str, tags: list[str], **params: Param) -> DAG:
    """An empty weekly or daily DAG: one run at a time, aware windows, limits on time, retries.

    Unpausing runs nothing by itself: the first scheduled interval begins after the home was made.
    """
    return DAG(
        dag_id,
        schedule=CronDataIntervalTimetable(cron, timezone="UTC"),
        start_date=began(load()),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=RUN_LIMIT,
        default_args={"retries": RETRIES, "retry_delay": RETRY_DELAY, "execution_timeout": TASK_LIMIT},
        params={"until": Param(None, type=["null", "string"], description="ISO date: run as of then"), **params},
        dag_display_name=title,
        doc_md=doc,
        tags=["talentml", *tags],
    )


def step(verb: str, *arguments: str, task_id: str = "", **options: Any) -> BashOperator:
    """A task that runs `talentml VERB ARGUMENTS`; "$AS_OF" in an argument is the run's as-of date.

    The date goes through the environment, since what a REST call sends must not become shell code.
    """
    return BashOperator(
        task_id=task_id or verb,
        bash_command=" ".join((_command(), verb, *arguments)),
        env=environment(load()),
        append_env=True,
        do_xcom_push=False,
        cwd=str(Path(__file__).parents[1]),
        **options,
    )


def environment(settings: Settings) -> Mapping[str, str]:
    """What a verb needs to find the same home and the run's date."""
    return {"TALENTML_HOME": str(settings.root), "AS_OF": AS_OF, "OMP_NUM_THREADS": "2"}


def began(settings: Settings) -> datetime:
    """When the home was made (see `mark`); a fixed past date where it was not yet."""
    try:
        return datetime.fromisoformat((settings.root / "made_at").read_text().strip())
    except OSError:
        return _EPOCH


def _command() -> str:
    """The command of this environment, so that a task needs no PATH."""
    beside = Path(sys.executable).with_name("talentml")
    return str(beside) if beside.exists() else shutil.which("talentml") or "talentml"
