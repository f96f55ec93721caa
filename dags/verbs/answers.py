"""Verbs on answers: score in batch, watch drift, serve, and see that a promotion is served."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.border import verb
from dags.output import Record, progress, table
from dags.verbs.options import AsOf, ProductName, Since, as_of_store, product
from feature_repo.errors import DataError, ServingError

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl
    from rich.console import Console

    from feature_repo.settings import Settings

app = typer.Typer()
SHOWN = 10
ROOT = Path(__file__).parents[2]


@verb(app)
def score(settings: "Settings", name: ProductName, as_of: AsOf = None) -> Record:
    """Answer all that is due as of a date, such as every open task, into a parquet file under the home."""
    from dags.verbs.models import predictor
    from training.batch import batch_score

    declared, when = product(name), as_of_store(as_of, settings)
    with progress(f"score {name} as of {when:%F}") as say:
        predict, found = predictor(settings, declared, None, say)
        version = found.number if found else None
        answers = batch_score(declared, settings.root, when, predict).with_columns(version=version)
    return {
        "product": name,
        "as_of": when,
        "version": version,
        "rows": answers.height,
        "groups": answers["group"].n_unique(),
        "file": _published(answers, settings.root / "scores" / name, when),
        "first": answers.head(SHOWN).to_dicts(),
    }


def _published(answers: "pl.DataFrame", folder: Path, as_of: "datetime") -> Path:
    """Write the file beside its place, then rename: a reader never meets half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{as_of:%Y%m%dT%H%M%SZ}.parquet"
    draft = path.with_suffix(".draft")
    answers.write_parquet(draft)
    return draft.replace(path)


def drift_view(record: Record, out: "Console") -> None:
    """The verdict, what moved furthest, and where the report is."""
    out.print(f"{record['product']} version {record['version']}: {record['verdict']}, {record['reason']}", markup=False)
    moved = [{"column": name, **shift} for name, shift in record["columns"].items() if shift["drift"]]
    furthest = sorted(moved, key=lambda one: -one["score"])[:SHOWN]
    if furthest:
        out.print(table("What moved furthest", furthest, ("column", "score", "limit")))
    out.print(f"report: {record['html'] or record['json']}", markup=False, soft_wrap=True)


@verb(app, view=drift_view)
def drift(settings: "Settings", name: ProductName, as_of: AsOf = None) -> Record:
    """Compare what the champion learned from with what came last, as HTML and JSON, also in MLflow."""
    from dags.drifting import remember
    from monitoring.watch import watch
    from training.registry import Registry

    declared, when = product(name), as_of_store(as_of, settings)
    with progress(f"drift {name} as of {when:%F}") as say:
        watched = watch(settings, declared, when, say)
        report = watched.report
        run = Registry(settings).log_report(name, f"drift as of {when:%F}", report.files, report.numbers())
    remember(settings, watched, run)
    return {"product": name, "as_of": when, "version": watched.number, "run_id": run, **report.to_dict()}


@verb(app)
def parity(settings: "Settings", since: Since = None) -> Record:
    """Read what requests read again as training would, and compare every value bit for bit.

    Raises DataError, exit status 4, where any differs. Without --since all that is logged is compared.
    """
    from datetime import UTC, datetime

    from feature_repo.window import instant
    from monitoring.parity import parity as replayed

    start = instant(since) if since else datetime.fromtimestamp(0, UTC)
    with progress("parity") as say:
        say(f"replaying the requests logged since {start:%F}" if since else "replaying every logged request")
        found = replayed(settings, start)
    if found.mismatches:
        shown = "; ".join(found.examples[:SHOWN])
        raise DataError(f"parity: {found.mismatches} of {found.values} values differ, allowed: none. {shown}")
    return {name: getattr(found, name) for name in ("requests", "rows", "values", "mismatches")}


@verb(app)
def serve(
    settings: "Settings",
    port: Annotated[int, typer.Option(help="A loopback port; a free one if 0.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
) -> Record:
    """Answer requests in the foreground until interrupted; `talentml servers start service` does it detached.

    Raises SettingsError for settings that it could not start with. Its exit status is BentoML's.
    """
    from feature_repo.sources.processes import free_port
    from serving.launch import check, command, environment

    check(settings)  # without a key it would not start
    chosen = port or free_port()
    with progress("serve") as say:
        say(f"http://127.0.0.1:{chosen}/docs")
    os.chdir(ROOT)
    words = command(chosen)
    # In place of this process: what ends it by a signal ends the service, which writes what waits.
    os.execve(words[0], words, environment(settings, workers))


@verb(app)
def deploy(
    settings: "Settings",
    name: ProductName,
    seconds: Annotated[float, typer.Option(help="How long to wait for the service.")] = 60.0,
) -> Record:
    """Wait until the service answers with the champion, which it picks up by itself.

    Raises ServingError where it does not in time.
    """
    from feature_repo.platform import database
    from training import history

    declared = product(name)
    champion = history.active(database(settings), name)
    if champion is None:
        raise ServingError(f"{name}: there is no champion to serve, `talentml promote {name}` comes first")
    with progress(f"deploy {name}") as say:
        say(f"waiting for version {champion.number}")
        found = _served(settings, declared.name, champion.number, seconds)
    return {"product": name, "version": found["version"], "loaded_at": found["loaded_at"], "source": found["source"]}


def _served(settings: "Settings", name: str, number: int, seconds: float) -> Mapping[str, Any]:
    """What the service says of a product once it serves this version."""
    from dags.questions import client_of

    last: Mapping[str, Any] = {}
    end = time.monotonic() + seconds
    with client_of(settings, f"deploy {name}", timeout=seconds) as client:
        while time.monotonic() < end:
            last = next(one for one in client.models()["models"] if one["product"] == name)
            if last["version"] == number:
                return last
            time.sleep(1.0)  # the limit of 100 a minute is for us too
    refused = f", {last['refused']}" if last.get("refused") else ""
    raise ServingError(
        f"{name}: the service answers with version {last.get('version')} after {seconds:.0f} s, not {number}{refused}"
    )
