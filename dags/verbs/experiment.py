"""Verbs on experiments: let a challenger answer a share of the units beside the champion, and see who does better."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.border import verb
from dags.output import Record, progress
from dags.verbs.options import MaybeProduct, ProductName, product
from feature_repo.errors import DataError, RegistryError

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from feature_repo.settings import Settings
    from monitoring.experiment import Experiment

app = typer.Typer(help="A challenger beside the champion, and who does better.", no_args_is_help=True)
Number = Annotated[int | None, typer.Option("--version", help="The challenger's number.", show_default="the newest")]
Share = Annotated[
    float | None, typer.Option(help="Of the units, the challenger's.", show_default="0.5; 1 in the shadow")
]
ALPHA = "The chance at which equal models are told apart, over all looks."


@verb(app)
def start(
    settings: "Settings",
    name: ProductName,
    version: Number = None,
    share: Share = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="It scores along, and nobody sees it.")] = False,
    alpha: Annotated[float, typer.Option(help=ALPHA)] = 0.05,
) -> Record:
    """Begin an experiment; the service follows by itself. It ends with `stop`, or when the champion changes.

    Raises RegistryError without a champion or a challenger that loads, DataError where one of the product runs.
    """
    from monitoring import experiment
    from monitoring.experiment import DEFAULT_SHARES, Mode
    from training.model import load_model
    from training.registry import Registry

    declared, registry = product(name).name, Registry(settings)
    mode = Mode.SHADOW if shadow else Mode.SPLIT
    with progress(f"experiment {name}") as say, registry.lock(f"promote-{declared}"):
        registry.settle(declared)
        champion = registry.champion(declared)
        challenger = registry.version(declared, version) if version else registry.challenger(declared)
        if champion is None or challenger is None:
            missing, first = ("champion", "promote") if champion is None else ("challenger", "train")
            raise RegistryError(f"{name}: there is no {missing}, `talentml {first} {name}` comes first")
        wanted = DEFAULT_SHARES[mode] if share is None else share
        planned = experiment.planned(declared, champion.number, challenger.number, mode, wanted, alpha, _who())
        say(f"loading version {challenger.number}")
        load_model(registry.fetch(challenger))
        _settle(registry.engine, declared)
        experiment.start(registry.engine, planned)
    return _facts(planned)


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()[:128]
    except (KeyError, OSError):  # a user without a name, as in containers
        return "unknown"


def status_view(record: Record, out: "Console") -> None:
    """Each experiment in sentences."""
    for each in record["experiments"]:
        for sentence in each["words"]:
            out.print(sentence, markup=False)
        out.print()
    if not record["experiments"]:
        out.print("No experiment so far: `talentml experiment start PRODUCT`.", markup=False)


@verb(app, view=status_view)
def status(settings: "Settings", name: MaybeProduct = None) -> Record:
    """What the last experiment of each product has shown. Looking often costs nothing: the test allows for it."""
    from feature_repo.platform import database
    from monitoring import experiment
    from training.products import PRODUCTS

    engine = database(settings)
    names = [product(name).name] if name else list(PRODUCTS)
    for each in names:
        _settle(engine, each)
    found = [last for each in names if (last := experiment.latest(engine, each))]
    return {"experiments": [_assessed(engine, each) for each in found]}


def one_view(record: Record, out: "Console") -> None:
    """An experiment in sentences."""
    status_view({"experiments": [record]}, out)


@verb(app, view=one_view)
def stop(settings: "Settings", name: ProductName) -> Record:
    """End the product's experiment: the champion answers all again. Raises DataError where none runs."""
    from feature_repo.platform import database
    from monitoring import experiment

    engine, declared = database(settings), product(name).name
    _settle(engine, declared)
    running = experiment.running(engine).get(declared)
    if running is None:
        raise DataError(f"{name}: no experiment runs, `talentml experiment start {name}` begins one")
    found = _assessed(engine, running)
    experiment.stop(engine, running, f"stopped by {_who()}: {found['decision']}")
    return _assessed(engine, experiment.latest(engine, declared) or running)


def _settle(engine: "Engine", name: str) -> None:
    """End the product's experiment where the champion is another one by now."""
    from monitoring import experiment
    from training import history

    running, champion = experiment.running(engine).get(name), history.active(engine, name)
    if running:
        experiment.end_overtaken(engine, running, champion.number if champion else None)


def _facts(running: "Experiment") -> dict[str, Any]:
    """All but the salt: who knows it can foresee each unit's arm."""
    from dataclasses import asdict

    return {name: value for name, value in asdict(running).items() if name != "salt"}


def _assessed(engine: "Engine", running: "Experiment") -> dict[str, Any]:
    from dataclasses import asdict

    from monitoring.assessment import assess
    from monitoring.findings import findings

    found = assess(engine, running)
    facts = {name: value for name, value in asdict(found).items() if name != "experiment"}
    return {**_facts(running), **facts, "words": findings(found)}
