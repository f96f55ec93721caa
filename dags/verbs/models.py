"""Verbs on models: train, evaluate, promote, rollback."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.border import REFUSED, verb
from dags.output import Answer, Progress, Record, plain, progress, table
from dags.verbs.options import AsOf, MaybeProduct, ProductName, Since, Until, as_of_store, product
from dags.verbs.suite import LINE, lines
from feature_repo.errors import RegistryError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.console import Console

    from feature_repo.settings import Settings
    from training.evaluation import Predict
    from training.gate import Verdict
    from training.product import Product
    from training.version import Version

app = typer.Typer()
Number = Annotated[int | None, typer.Option("--version", help="A version's number.", show_default=False)]


def scoreboard(record: Record, out: "Console") -> None:
    """Metrics of a model and its baselines side by side; the other facts before them."""
    whole = plain(record)
    model = whole.pop("champion", None) or whole.pop("metrics", {})
    rules, parts = whole.pop("baselines"), whole.pop("slices")
    out.print("  ".join(f"{name}: {value}" for name, value in whole.items()), markup=False)
    for name, part in {"": {"champion": model, "baselines": rules}, **parts}.items():
        answers = {"model": part["champion"], **part["baselines"]}
        title = f"{name}, {part['rows']} groups" if name else record["product"]
        out.print(
            table(title, [{"metric": one, **{k: v.get(one) for k, v in answers.items()}} for one in part["champion"]])
        )


@verb(app, view=scoreboard)
def train(
    settings: "Settings",
    name: ProductName,
    as_of: AsOf = None,
    random_seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same model.")] = 42,
    searched: Annotated[bool, typer.Option("--searched", help="With what `talentml search` found last.")] = False,
) -> Record:
    """Fit a candidate as of a date, measure it on unseen rows, and register it."""
    from dags.revision import code_revision
    from training.fit import fit_candidate
    from training.registry import Registry
    from training.tuning.trials import newest

    declared, revision = product(name), code_revision()
    when = as_of_store(as_of, settings)
    if searched:
        found = newest(settings.root, declared, when)
        declared, revision = found.applied(declared), f"{revision}+search-{found.digest}"
    with progress(f"train {name} as of {when:%F}") as say:
        say("fitting")
        candidate = fit_candidate(declared, settings.root, when, random_seed)
        say(f"registering, {candidate.rows} rows, {candidate.seconds:.0f} s")
        version = Registry(settings).register(candidate, declared.name, revision)
    return {
        "product": name,
        "version": version.number,
        "as_of": when,
        "trained_until": candidate.trained_until,
        "rows": candidate.rows,
        "data_hash": candidate.data_hash,
        "code_revision": version.code_revision,
        "metrics": candidate.metrics,
        "baselines": candidate.baselines,
        "slices": candidate.slices,
    }


def suite_view(record: Record, out: "Console") -> None:
    """A line for each check and metric of a suite, or the scoreboard of a product."""
    if "suite" not in record:
        scoreboard(record, out)
        return
    found = plain(record)
    out.print(table(f"Suite {found['suite']}, {found['measured_at']}", [*lines(found["checks"])], LINE))
    for path in found["missing"]:
        out.print(f"left out, as it is not there: {path}", markup=False)
    for failure in found["failed"]:
        out.print(f"not measured: {failure['error']}", markup=False)


@verb(app, view=suite_view)
def evaluate(
    settings: "Settings",
    name: MaybeProduct = None,
    suite: Annotated[str | None, typer.Option("--suite", help="real: every check on a public data set.")] = None,
    check: Annotated[list[str] | None, typer.Option("--check", help="Only this check of the suite.")] = None,
    since: Since = None,
    until: Until = None,
    version: Number = None,
    candidate: Annotated[
        bool, typer.Option("--candidate", help="The version trained as of --until, not the champion.")
    ] = False,
) -> Record | Answer:
    """The champion's metrics and those of each naive baseline on the same rows of a period.

    Without --since the period is as long as the product's unseen one. Where there is no champion the rule that is
    served in its place is measured. With --suite real our learners on the public data sets, beside plain models.
    """
    if suite is not None:
        return _suite(settings, suite, check or ())
    if name is None:
        raise SettingsError("evaluate: no product, allowed: a PRODUCT, or --suite real")
    from feature_repo.window import Window, instant
    from training.evaluation import evaluation

    declared, store = product(name), as_of_store(None, settings)
    end = min(instant(until), store) if until else store
    window = Window(instant(since) if since else end - declared.split.test, end)
    with progress(f"evaluate {name} {window}") as say:
        if until and end < instant(until):
            say(f"the feature store is as of {store:%F %T}: later outcomes are not known")
        number = version or (trained_as_of(settings, name, end) if candidate else None)
        predict, found = predictor(settings, declared, number, say)
        if found and window.since < found.trained_until:
            say(f"the model has learned from rows until {found.trained_until:%F}: part of this period is not unseen")
        say("scoring")
        return evaluation(declared, settings.root, window, predict)


def _suite(settings: "Settings", suite: str, names: "Sequence[str]") -> Answer:
    """Measure the checks of those names, or all, one after the other; exit status 4 where one cannot be measured."""
    from datetime import UTC, datetime

    from feature_repo.errors import DataError, TalentError
    from training.suite import CHECKS
    from training.suite.check import row

    wanted = [each for each in CHECKS if not names or each.name in names]
    unknown = set(names) - {each.name for each in CHECKS}
    if suite != "real" or unknown:
        asked = f"--check {sorted(unknown)[0]}" if unknown else f"--suite {suite}"
        raise SettingsError(f"{asked}: unknown, allowed: real, with {', '.join(each.name for each in CHECKS)}")
    folder = settings.real_data.expanduser().resolve()
    missing = [str(path) for each in wanted for path in each.missing(folder)]
    rows, failed = [], []
    with progress("evaluate --suite real") as say:
        for each in wanted:
            if each.missing(folder):
                continue
            say(each.title)
            try:
                rows.append(row(each, folder))
            except TalentError as error:  # the other checks are worth having
                failed.append({"check": each.name, "error": str(error)})
    found = {"suite": suite, "measured_at": f"{datetime.now(UTC):%F}", "checks": rows, "failed": failed}
    return Answer({**found, "missing": missing}, DataError.exit_code if failed else 0)


def predictor(
    settings: "Settings", declared: "Product", number: int | None, say: Progress
) -> "tuple[Predict, Version | None]":
    """What predicts, and its version: the one asked for, else the champion, else the rule that is served (None)."""
    from training.model import load_model
    from training.registry import Registry

    registry = Registry(settings)
    found = registry.version(declared.name, number) if number else registry.champion(declared.name)
    if found:
        say(f"version {found.number}")
        return load_model(registry.fetch(found)).predict, found
    say(f"no champion: {declared.fallback} is served in its place")
    return next(rule.predict for rule in declared.baselines if rule.name == declared.fallback), None


def trained_as_of(settings: "Settings", name: str, as_of: "datetime") -> int:
    """The newest version that was trained as of a date. Raises RegistryError when there is none."""
    from training.registry import Registry

    numbers = [found.number for found in Registry(settings).versions(name) if found.as_of == as_of]
    if not numbers:
        raise RegistryError(
            f"{name}: no version as of {as_of:%F}, `talentml train {name} --as-of {as_of:%F}` comes first"
        )
    return max(numbers)


def verdict_view(record: Record, out: "Console") -> None:
    """A verdict in one line and its numbers."""
    whole: Mapping[str, Any] = plain(record)
    out.print(f"{whole['product']} version {whole['version']} {whole['reason']}", markup=False)
    out.print(table(f"verdict {whole['id']}", [{"name": k, "value": v} for k, v in whole["numbers"].items()]))


@verb(app, view=verdict_view)
def promote(
    settings: "Settings",
    name: MaybeProduct = None,
    version: Number = None,
    as_of: AsOf = None,
    replay: Annotated[str | None, typer.Option(metavar="VERDICT", help="Decide again from a stored verdict.")] = None,
) -> Answer:
    """Let the gate decide on a version, the newest unless given, and make it champion if it is better."""
    if replay:
        return _replayed(settings, name, replay)
    if name is None:
        raise SettingsError("promote: no product, allowed: a PRODUCT, or --replay VERDICT")
    declared = product(name)
    from training.promotion import promote as decided

    with progress(f"promote {name}") as say:
        say("scoring candidate and champion on the same unseen rows")
        verdict = decided(declared, settings, as_of_store(as_of, settings), version)
    return Answer(_facts(verdict), 0 if verdict.serves else REFUSED)


def _replayed(settings: "Settings", name: str | None, verdict_id: str) -> Answer:
    """The stored verdict, decided again from its inputs. Raises RegistryError when it is another product's."""
    from feature_repo.platform import database
    from training import verdicts

    found = verdicts.replay(database(settings), verdict_id)
    if name not in (None, found.product):
        raise RegistryError(f"verdict {verdict_id}: is of {found.product}, not of {name}")
    return Answer(_facts(found), 0 if found.promote else REFUSED)


def _facts(verdict: "Verdict") -> Record:
    """All of a verdict but the values that it rests upon."""
    return {name: value for name, value in vars(verdict).items() if name != "evidence"}


@verb(app)
def rollback(settings: "Settings", name: ProductName) -> Record:
    """Make the champion before this one champion again."""
    from training.promotion import rollback as rolled_back

    found = rolled_back(product(name), settings)
    return {"product": name, "version": found.number, "as_of": found.as_of, "trained_until": found.trained_until}
