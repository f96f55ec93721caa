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
_ASKED = "(dag_run.data_interval_end or dag_run.run_after)"
AS_OF = f"{{{{ params.until or {_ASKED}.isoformat() }}}}"
# Products are as of the features' last cut before that, so that a rerun after the next cut uses the same rows.
AS_OF_CUT = f"{{{{ params.until or features_cut({_ASKED}).isoformat() }}}}"
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
        user_defined_macros={"features_cut": features_cut},
        params={"until": Param(None, type=["null", "string"], description="ISO date: run as of then"), **params},
        dag_display_name=title,
        doc_md=doc,
        tags=["talentml", *tags],
    )


def features_cut(asked: datetime) -> datetime:
    """The last Sunday 02:00 UTC at or before an instant, when FEATURES_SCHEDULE published the features."""
    sunday = asked.astimezone(UTC) - timedelta(days=(asked.astimezone(UTC).weekday() + 1) % 7)
    cut = sunday.replace(hour=2, minute=0, second=0, microsecond=0)
    return cut if cut <= asked else cut - timedelta(days=7)


def step(verb: str, *arguments: str, task_id: str = "", as_of: str = AS_OF_CUT, **options: Any) -> BashOperator:
    """A task that runs `talentml VERB ARGUMENTS`; "$AS_OF" in an argument is the run's as-of date.

    The date goes through the environment, since what a REST call sends must not become shell code.
    """
    return BashOperator(
        task_id=task_id or verb,
        bash_command=" ".join((_command(), verb, *arguments)),
        env=environment(load(), as_of),
        append_env=True,
        do_xcom_push=False,
        cwd=str(Path(__file__).parents[1]),
        **options,
    )


def environment(settings: Settings, as_of: str) -> Mapping[str, str]:
    """What a verb needs to find the same home and the run's date.

    SHLVL: a shell whose input is a socket, as Airflow's tasks have, reads ~/.bashrc unless it is within another shell;
    what stands there took .3 s of each task, and a minute where it waited for a lock that a killed one had left.
    """
    return {"TALENTML_HOME": str(settings.root), "AS_OF": as_of, "OMP_NUM_THREADS": "2", "SHLVL": "1"}


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
