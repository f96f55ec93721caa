"""Verbs on the platform itself: doctor, servers, status, due, products, config."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dags.border import REFUSED, verb
from dags.output import Answer, Record, plain, progress, table
from dags.verbs.options import AsOf, ProductName, as_of_store, product

if TYPE_CHECKING:
    from rich.console import Console

    from feature_repo.settings import Settings

app = typer.Typer()
servers = typer.Typer(help="The servers that this home runs: sources, MLflow, Airflow, service.", no_args_is_help=True)
config = typer.Typer(help="What the settings are.", no_args_is_help=True)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Which ones; all if none is named.", show_default=False)
]


@verb(app)
def doctor(
    settings: "Settings",
    install: Annotated[bool, typer.Option("--install", help="Install what is missing, where that is allowed.")] = False,
) -> Record:
    """What this machine has, what is missing, and how to get it."""
    from dags import doctor as examined

    if install:
        with progress("doctor") as say:
            examined.install_missing(say)
    return {"findings": examined.examine(settings)}


@verb(servers)
def start(settings: "Settings", names: Names = None) -> Record:
    """Start what does not run yet, detached, on free loopback ports; says by name what each one is."""
    from dags import servers as running

    mark_made(settings)
    with progress("servers start") as say:
        started = running.start(settings, names or running.ALL, say)
    return {"servers": [{"name": one.name, "what": str(one), "at": one.place, "log": one.log} for one in started]}


@verb(servers)
def stop(settings: "Settings", names: Names = None) -> Record:
    """Stop what this home started, with all its processes."""
    from dags import servers as running

    with progress("servers stop") as say:
        stopped = running.stop(settings, names or running.ALL)
        say(f"{len(stopped)} stopped")
    return {"stopped": [str(one) for one in stopped]}


@verb(servers, name="status")
def servers_status(settings: "Settings") -> Record:
    """What each server is, where, and whether it is up."""
    from dags import servers as running

    return {
        "servers": [
            {"name": one.name, "up": is_up, "what": str(one), "at": one.place, "log": one.log}
            for one, is_up in running.status(settings)
        ]
    }


def mark_made(settings: "Settings") -> None:
    """Note when the home was made: no DAG is scheduled for a week that began before."""
    path = settings.root / "made_at"
    if not path.exists():
        settings.root.mkdir(parents=True, exist_ok=True)
        path.write_text(datetime.now(UTC).isoformat())


def status_view(record: Record, out: "Console") -> None:
    """Products, then the data's date, then the servers."""
    found = plain(record)
    rows = [{**one, "drift": (one["drift"] or {}).get("verdict")} for one in found["products"]]
    columns = ("product", "champion", "serves", "metric", "value", "baseline", "baseline_value", "verdict", "drift")
    out.print(table("Products", rows, columns))
    for one in rows:
        out.print(f"{one['product']}: {one['reason'] or 'no verdict yet'}", markup=False)
    out.print(f"Feature store as of {found['data_as_of'] or 'never: nothing is published'}", markup=False)
    out.print(table("Servers", found["servers"], ("name", "up", "what", "at")))


@verb(app, view=status_view)
def status(settings: "Settings") -> Record:
    """Products with champion, metric, baseline, last verdict and drift; the data's date; the servers."""
    from dags import servers as running
    from dags.collection import latest
    from dags.status import product_status, store_as_of
    from feature_repo.platform import database
    from training.products import PRODUCTS

    engine = database(settings)
    ingested = latest(settings, "ingest")
    return {
        "home": settings.root,
        "data_as_of": store_as_of(settings),
        "ingested_until": ingested["until"] if ingested else None,
        "products": [product_status(engine, each) for each in PRODUCTS.values()],
        "servers": [
            {"name": one.name, "up": is_up, "what": str(one), "at": one.place}
            for one, is_up in running.status(settings)
        ],
    }


@verb(app)
def due(
    settings: "Settings",
    name: ProductName,
    as_of: AsOf = None,
    force: Annotated[bool, typer.Option("--force", help="Retrain whatever the reasons.")] = False,
) -> Answer:
    """Whether the product should be trained again; exits 99 where there is no reason to."""
    from dags.drifting import is_new
    from dags.due import Reasons, feedback_since_training, labelled_since, last_trained
    from feature_repo.platform import database
    from feature_repo.window import instant

    declared, when = product(name), instant(as_of) if as_of else as_of_store(None, settings)
    engine = database(settings)
    trained = last_trained(engine, name)
    drifted = is_new(engine, name, trained)
    feedback = feedback_since_training(engine, name)
    labelled = feedback + (labelled_since(declared, settings.root, trained, when) if trained else 0)
    reasons = Reasons().found(when, trained, labelled, drifted, force)
    record = {"product": name, "due": bool(reasons), "reasons": reasons, "trained": trained, "labelled": labelled}
    return Answer({**record, "feedback": feedback}, 0 if reasons else REFUSED)


def products_view(record: Record, out: "Console") -> None:
    """What fits on a line of each product."""
    columns = ("product", "entities", "columns", "metric", "beats", "fallback", "schedule")
    out.print(table("Products", record["products"], columns))
    for one in record["products"]:
        out.print(f"{one['product']}: {one['title']}, served at {one['route']}", markup=False)


@verb(app, view=products_view)
def products(_settings: "Settings") -> Record:
    """The declared products."""
    from training.products import PRODUCTS

    return {
        "products": [
            {
                "product": each.name,
                "title": each.title,
                "entities": [entity.name for entity in each.entities],
                "columns": len(each.columns),
                "metric": each.gate.metric,
                "beats": each.gate.beats,
                "fallback": each.fallback,
                "route": each.route.path,
                "schedule": each.schedule,
            }
            for each in PRODUCTS.values()
        ]
    }


@verb(config, name="show")
def show_settings(settings: "Settings") -> Record:
    """Where things are; secrets are masked."""
    return {name: _masked(getattr(settings, name)) for name in type(settings).model_fields}


def _masked(value: object) -> object:
    """A login in a URL stays hidden also where the whole setting is no secret."""
    return re.sub(r"(?<=://)[^/@]+@", "***@", value) if isinstance(value, str) else value
