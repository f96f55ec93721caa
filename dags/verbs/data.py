"""Verbs on data: seed the sources, ingest, check, materialize."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dags.border import verb
from dags.collection import Collection, of_manifests, remember
from dags.output import Record, progress
from dags.verbs.options import AsOf, Since, Until, as_of_store, moment
from feature_repo.errors import DataError

if TYPE_CHECKING:
    from feature_repo.settings import Settings

app = typer.Typer()
seed = typer.Typer(help="Write a world into the source databases.", no_args_is_help=True)
SEEDED = "seeded_at"


@verb(seed)
def synthetic(
    settings: "Settings",
    people: Annotated[int, typer.Option(min=10, help="How many people.")] = 300,
    tasks: Annotated[int | None, typer.Option(min=10, help="How many tasks.", show_default="5 a person")] = None,
    random_seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same world.")] = 42,
    until: Annotated[str, typer.Option(help="The day after the world's last.")] = "2026-01-01",
) -> Record:
    """The synthetic world, then its four quality checks."""
    from feature_repo.seed.quality import quality
    from feature_repo.seed.synthetic import seed_synthetic

    with progress("seed synthetic") as say:
        counts = seed_synthetic(settings, people, tasks, random_seed, moment(until), progress=say)
        _mark_seeded(settings)
        checks = quality(settings, say)
    failed = [
        f"{check.name} {check.score:.2f}, at least {check.floor:.2f} is needed" for check in checks if not check.passed
    ]
    if failed:
        raise DataError(f"synthetic world: {'; '.join(failed)}")
    return {"until": moment(until), "written": counts, "quality": checks}


@verb(seed)
def sip(
    settings: "Settings",
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="SiP's CSV files.", show_default=False)],
) -> Record:
    """Real tasks of a software company, added to what is there; the same file twice changes nothing."""
    from feature_repo.seed.sip import seed_sip

    with progress("seed sip") as say:
        counts = seed_sip(settings, paths, say)
    _mark_seeded(settings)
    return {"files": paths, "written": counts}


def _add_set(name: str, about: str) -> None:
    """Add the verb that seeds a published data set: the Dataset NAME of feature_repo.seed.name."""

    def seed_set(
        settings: "Settings",
        path: Annotated[Path, typer.Argument(help="The set's folder, or one of its files.", show_default=False)],
    ) -> Record:
        from importlib import import_module

        from feature_repo.seed.dataset import seed_dataset

        module = name.replace("-", "_")
        dataset = getattr(import_module(f"feature_repo.seed.{module}"), module.upper())
        with progress(f"seed {name}") as say:
            found = seed_dataset(settings, dataset, path, say)
        _mark_seeded(settings)
        return {"licence": found.licence, "files": found.files, "written": found.written, "until": found.until}

    seed_set.__doc__ = f"{about}, added to what is there; the same files twice change nothing."
    verb(seed, name)(seed_set)


for _name, _about in {
    "so-survey": "Developers, their technologies and occupations, from Stack Overflow's surveys",
    "esco": "Europe's occupations and the skills that they need",
    "onet": "Occupations of the United States with their ratings",
    "jira": "Issues of six Apache projects and who was given them",
    "job-views": "People who looked at jobs (measure with it, publish nothing)",
    "trends": "Demand for skills by month and quarter",
}.items():
    _add_set(_name, _about)


@verb(app)
def ingest(settings: "Settings", since: Since = None, until: Until = None) -> Record:
    """Extract what the sources recorded in a window; it starts where the last one ended unless --since is given."""
    from feature_repo.extract import extract
    from feature_repo.sources.streams import STREAMS
    from feature_repo.window import Window, instant

    started, end = moment(None), moment(until)
    window = Window(instant(since) if since else _next_start(settings, end), end)
    with progress(f"ingest {window}") as say:
        manifests = extract(settings, list(STREAMS), window, say)
    remember(settings, of_manifests(manifests, started))
    shown = ("stream", "store", "server", "rows", "sha256")
    return {
        "since": window.since,
        "until": window.until,
        "streams": [{name: getattr(manifest, name) for name in shown} for manifest in manifests],
    }


def _next_start(settings: "Settings", end: datetime) -> datetime:
    """Where the next window starts: where all streams' windows end, or at the beginning.

    At the beginning also when a seed wrote rows since then, as their recorded_at may lie before that end, and where
    the windows reach past `end` already, as a rerun of a past week must extract the same.
    """
    from feature_repo.extract import manifests
    from feature_repo.sources.streams import STREAMS
    from feature_repo.window import BEGINNING

    published = [manifests(settings, stream) for stream in STREAMS]
    seeded = _seeded(settings)
    ends = [max((m.until for m in found if m.finished_at > seeded), default=BEGINNING) for found in published]
    start = min(ends, default=BEGINNING)
    return start if start < end else BEGINNING


def _mark_seeded(settings: "Settings") -> None:
    settings.root.mkdir(parents=True, exist_ok=True)
    (settings.root / SEEDED).write_text(datetime.now(UTC).isoformat())


def _seeded(settings: "Settings") -> datetime:
    from feature_repo.window import BEGINNING

    path = settings.root / SEEDED
    return datetime.fromisoformat(path.read_text()) if path.exists() else BEGINNING


@verb(app)
def check(settings: "Settings", as_of: AsOf = None) -> Record:
    """Split the rows by their declarations, compute the columns, validate, and write Data Docs."""
    from expectations.check import check as checked

    with progress("check") as say:
        return checked(settings, moment(as_of) if as_of else None, say).summary()


@verb(app)
def materialize(
    settings: "Settings",
    until: Until = None,
    back: Annotated[bool, typer.Option("--back", help="Even where the store is as of a later date.")] = False,
) -> Record:
    """Publish what passed the check to Feast's offline and online stores, as of --until."""
    from feature_repo.publish import publish, staged_as_of
    from training.products import PRODUCTS

    started = moment(None)
    as_of = moment(until) if until else staged_as_of(settings.root) or started
    later = _published_after(settings, as_of)
    if later and not back:
        return {
            "as_of": later,
            "published": False,
            "reason": f"the store is as of {later:%F %T} already; --back goes back",
        }
    with progress("materialize") as say:
        found = publish(settings, as_of, say, products=PRODUCTS.values())
    features = len({column.qualified for product in PRODUCTS.values() for column in product.columns})
    remember(
        settings,
        Collection("materialize", found.offline, as_of, sum(found.rows.values()), started, feature_count=features),
    )
    return {"as_of": as_of, "published": True, "offline": found.offline, "online": found.online, "rows": found.rows}


def _published_after(settings: "Settings", as_of: datetime) -> datetime | None:
    """The store's date where it is later: a backfilled week must not take serving back."""
    try:
        store = as_of_store(None, settings)
    except DataError:
        return None
    return store if store > as_of else None
