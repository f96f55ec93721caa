"""`make demo`: the whole weekly job on one machine, from empty databases to a served, explained answer."""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from dags import doctor, servers
from dags.output import console, table
from dags.status import product_status
from dags.verbs.data import sip, synthetic
from dags.verbs.platform import mark_made
from dags.verbs.tokens import keep_secret
from feature_repo.errors import ServingError, TalentError
from feature_repo.platform import database
from feature_repo.settings import Settings, load
from feature_repo.sources.servers import SOURCES, address
from serving.airflow import Airflow, Run, dag_of
from training.products import PRODUCTS

Say = Callable[[str], None]
RUN_SECONDS, LOOK_SECONDS = 1200.0, 15.0
USAGE = "demo: `synthetic`, or `sip FILE...`"


def main(words: Sequence[str] | None = None) -> int:
    """Run the demo; its exit status is that of the error class that ended it."""
    world, *files = (sys.argv[1:] if words is None else words) or ["synthetic"]
    if world not in ("synthetic", "sip") or (world == "sip") != bool(files):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        demo(load(), world, [Path(file) for file in files], console(sys.stdout))
    except TalentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def demo(settings: Settings, world: str, files: Sequence[Path], out: Console) -> None:
    """Each step says what it does; the platform's servers come up while the world is written."""
    began = time.monotonic()
    say = _clock(out, began)
    with ThreadPoolExecutor(1) as pool:
        say(f"1/6 home {settings.root}, and what this machine lacks")
        doctor.install_missing(say)
        mark_made(settings)
        keep_secret(settings)
        say("2/6 servers: the sources, MLflow, Airflow with its scheduler, the prediction service")
        servers.start(settings, SOURCES, say)
        servers.stop(settings, ["service"])  # one that still runs may have been started from older code
        platform = pool.submit(servers.start, settings, servers.PLATFORM, say)
        say(f"3/6 the {world} world into MySQL, Neo4j and MongoDB, over their wire protocols")
        until = _seeded(settings, world, files, out)
        platform.result()
    say(f"4/6 the weekly job as of {until:%F}, run by Airflow")
    _weekly(settings, until, say)
    say("5/6 real requests to the service")
    servers.start(settings, ["service"])
    _ask(settings, out)
    say("6/6 what came of it, and where to look")
    _products(settings, out)
    _pages(settings, out)
    say(f"done in {time.monotonic() - began:.0f} s")


def _clock(out: Console, began: float) -> Say:
    return lambda line: out.print(f"{time.monotonic() - began:4.0f} s  {line}", markup=False, soft_wrap=True)


def _seeded(settings: Settings, world: str, files: Sequence[Path], out: Console) -> datetime:
    """Write the world; returns the date to run the weekly job as of."""
    if world == "sip":
        sip(settings, list(files))
        return _month_after_the_last_request(files)
    found = synthetic(settings)
    checks = [vars(check) for check in found["quality"]]
    out.print(table("Data quality checks of the synthetic world", checks, ("name", "score", "floor", "passed")))
    until: datetime = found["until"]
    return until


def _month_after_the_last_request(files: Sequence[Path]) -> datetime:
    """The first day of the month that follows the last estimate: 2013-01-01 for the tasks to 2012."""
    from feature_repo.seed.sip_file import read_files

    last = read_files(files)["EstimateOn"].max()
    assert isinstance(last, datetime)
    return (last.replace(day=1) + timedelta(days=31)).replace(day=1)


def _weekly(settings: Settings, until: datetime, say: Say) -> None:
    """Features first, then every product at once; each a run of its DAG, triggered over REST."""
    _run_all(settings, ["talentml_features"], until, say)
    _run_all(settings, [dag_of(name) for name in PRODUCTS], until, say)


def _run_all(settings: Settings, dags: Sequence[str], until: datetime, say: Say) -> None:
    airflow = Airflow.of(settings)
    for dag in dags:
        airflow.unpause(dag)
    names = {dag: airflow.trigger(dag, {"until": until.isoformat()}) for dag in dags}
    with ThreadPoolExecutor(len(dags)) as pool:
        runs = list(pool.map(lambda dag: _ended(settings, dag, names[dag], say), dags))
    for run in runs:
        states = ", ".join(f"{task.name} {task.state}" for task in run.tasks)
        say(f"{run.dag}: {run.state} ({states})")
        if not run.is_green:
            raise ServingError(_failure(Airflow.of(settings), run))


def _ended(settings: Settings, dag: str, name: str, say: Say) -> Run:
    """The run once it has ended. Servers that die meanwhile are started again, and Airflow takes up where it was."""
    told = _changes(say)
    last = time.monotonic() + RUN_SECONDS
    while True:
        try:
            return Airflow.of(settings).wait(dag, name, LOOK_SECONDS, told)
        except TalentError:
            if time.monotonic() > last:
                raise
            servers.start(settings, say=lambda line: say(line) if "starting" in line else None)


def _changes(say: Say) -> Say:
    """Say only what is new of each task: waiting again tells all states again."""
    known: dict[str, str] = {}

    def told(line: str) -> None:
        task, _, state = line.rpartition(": ")
        if known.get(task) != state:
            known[task] = state
            say(line)

    return told


def _failure(airflow: Airflow, run: Run) -> str:
    """Which task failed, and the end of its log."""
    failed = next((task for task in run.tasks if task.state == "failed"), None)
    if failed is None:
        return f"{run.dag} {run.name}: {run.state}"
    lines = airflow.log(run, failed).splitlines()[-15:]
    return "\n".join(
        [f"{run.dag} {run.name}: task {failed.name} failed after {failed.tries} tries; its log ends:", *lines]
    )


def _ask(settings: Settings, out: Console) -> None:
    """A question to every product, with the answer and why."""
    from dags.questions import client_of, told
    from dags.status import store_as_of

    as_of = store_as_of(settings)
    assert as_of is not None, "the features DAG has just published"
    with client_of(settings, "demo", timeout=30) as client:
        for each in told(settings, as_of, client):
            out.print(table(each.title, each.rows, each.columns))
            for sentence in each.why:
                out.print(f"  - {sentence}", markup=False, soft_wrap=True)


def _products(settings: Settings, out: Console) -> None:
    engine = database(settings)
    found = [product_status(engine, product) for product in PRODUCTS.values()]
    columns = ("product", "serves", "champion", "metric", "value", "baseline", "baseline_value", "verdict")
    out.print(table("Products", found, columns))
    for one in found:
        drift = one["drift"] or {}
        out.print(f"{one['product']}: {one['reason'] or 'no verdict yet, the rule answers'}", markup=False)
        out.print(f"  drift: {drift.get('verdict', '-')}, {drift.get('reason', 'no report')}", markup=False)


def _pages(settings: Settings, out: Console) -> None:
    """Where to look, with Airflow's login, and how to stop it all."""
    airflow = urlsplit(address(settings, "airflow"))
    pages = {
        "Airflow": f"http://{airflow.hostname}:{airflow.port}  (user {airflow.username}, password {airflow.password})",
        "MLflow": address(settings, "mlflow"),
        "Service": f"{address(settings, 'service')}/docs",
        "Data Docs": (settings.root / "docs" / "gx" / "site" / "index.html").as_uri(),
        "Logs": str(settings.root / "logs"),
        "By hand": f".venv/bin/talentml status --home {settings.home}",
        "A token": f".venv/bin/talentml token issue me --role service --home {settings.home}",
        "Stop": "make down",
    }
    for name, place in pages.items():
        out.print(f"{name:10}{place}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
