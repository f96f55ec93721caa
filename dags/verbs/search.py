"""The verb search: better settings of a product's trainer, found on periods before the unseen one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.border import verb
from dags.output import Record, plain, progress, table
from dags.verbs.options import AsOf, ProductName, as_of_store, product
from feature_repo.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from feature_repo.settings import Settings
    from training.tuning.space import Search
    from training.tuning.trials import Searched, Trial

app = typer.Typer()


def trials_view(record: Record, out: "Console") -> None:
    """What was found in two lines, and a line for each trial."""
    whole: Mapping[str, Any] = plain(record)
    facts = {name: value for name, value in whole.items() if name not in ("trials", "declared", "best", "folds")}
    out.print("  ".join(f"{name}: {value}" for name, value in facts.items()), markup=False)
    lines = [{**trial, **trial["parameters"]} for trial in whole["trials"]]
    columns = ("trial", *whole["best"]["parameters"], "mean", "scores", "seconds", "state")
    out.print(table(f"{whole['metric']} on {', '.join(whole['folds'])}", lines, columns))


@verb(app, view=trials_view)
def search(
    settings: "Settings",
    name: ProductName,
    as_of: AsOf = None,
    trials: Annotated[int | None, typer.Option(help="At most 50.", show_default="as declared")] = None,
    seconds: Annotated[float | None, typer.Option(help="For all trials.", show_default="as declared")] = None,
    random_seed: Annotated[int, typer.Option("--seed", help="The same seed tries the same settings.")] = 42,
) -> Record:
    """Look for better settings of a product's trainer, within the declared budget, and log the trials in MLflow.

    Settings are compared on periods before the unseen one. `talentml train PRODUCT --searched` uses what was found.
    """
    declared = product(name)
    if declared.search is None:
        raise SettingsError(f"search {name}: nothing of its trainer is declared to be searched")
    budget = _budget(declared.search, trials, seconds)
    from training.registry import Registry
    from training.tracking import address, check_reachable
    from training.tuning.search import search as search_within

    check_reachable(address(settings))  # before hours are spent on what could not be logged
    when = as_of_store(as_of, settings)
    with progress(f"search {name} as of {when:%F}") as say:
        say(f"at most {budget.trials} trials and {budget.seconds:g} s")
        found = search_within(declared, settings.root, when, budget, random_seed)
        say("logging the trials")
        run = Registry(settings).log_search(found)
    return {**facts(found), "run": run}


def _budget(declared: "Search", trials: int | None, seconds: float | None) -> "Search":
    """The declared budget, or what was asked for in its place."""
    return replace(declared, trials=trials or declared.trials, seconds=seconds or declared.seconds)


def facts(found: "Searched") -> Record:
    """A search as the verb answers."""
    return {
        "product": found.product,
        "search": found.name,
        "as_of": found.as_of,
        "metric": found.metric,
        "higher_is_better": found.higher_is_better,
        "gain": found.gain,
        "ended": found.ended,
        "seconds": found.seconds,
        "folds": found.folds,
        "declared": _trial(found.trials[0]),
        "best": _trial(found.best),
        "trials": [_trial(trial) for trial in found.trials],
    }


def _trial(trial: "Trial") -> Record:
    return {
        "trial": trial.number,
        "parameters": trial.parameters,
        "mean": trial.mean,
        "scores": trial.scores,
        "seconds": trial.seconds,
        "state": trial.state,
    }
