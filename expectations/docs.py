"""Great Expectations over parquet files: one checkpoint a run, its results kept, its Data Docs built.

All that Great Expectations is told is derived from the declarations on each run, so that its context lives in memory;
only results and pages are files, under the home's docs/gx.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from expectations import pages
from expectations.report import CheckReport, Outcome
from expectations.suite import Declaration, Present, suite

RUNS_KEPT = 10
SITE, RESULTS = "site", "results"
_FOUND = {"observed_value": "", "unexpected_percent": "% of the values breaking it"}


def validate(
    declarations: Mapping[Declaration, Present], folder: Path, root: Path, run: str
) -> dict[Declaration, Outcome]:
    """Validate folder/{streams,views}/<name>.parquet of each declaration and add the run to the Data Docs under root.

    declarations: each with what its source has of it.
    """
    import great_expectations as gx

    _prune(root)
    context = gx.get_context(mode="ephemeral", project_config=_configuration(root))
    sources = {kind: _source(context, folder / kind) for kind in sorted({each.folder for each in declarations})}
    definitions = [_definition(context, sources, declared, present) for declared, present in declarations.items()]
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name="check", validation_definitions=definitions, result_format="BASIC")
    )
    results = checkpoint.run(run_id=gx.RunIdentifier(run_name=run)).run_results
    suites = [identifier.expectation_suite_identifier for identifier in results]
    context.build_data_docs(resource_identifiers=[*results, *suites])
    found = zip(declarations, results.items(), strict=True)
    return {declared: _outcome(context, root, identified) for declared, identified in found}


def publish(report: CheckReport, root: Path) -> None:
    """Make the pages of a run readable without a network, and renew the first one."""
    pages.publish(report, root / SITE)


def index(root: Path) -> Path:
    """The page of the Data Docs under root to begin with."""
    return root / SITE / "index.html"


def _configuration(root: Path) -> Any:
    from great_expectations.data_context.types.base import DataContextConfig

    memory = {"class_name": "InMemoryStoreBackend"}
    stores = {
        "expectations_store": {"class_name": "ExpectationsStore", "store_backend": memory},
        "checkpoint_store": {"class_name": "CheckpointStore", "store_backend": memory},
        "validation_definition_store": {"class_name": "ValidationDefinitionStore", "store_backend": memory},
        "validation_results_store": {"class_name": "ValidationResultsStore", "store_backend": _files(root / RESULTS)},
    }
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": _files(root / SITE),
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return DataContextConfig(
        expectations_store_name="expectations_store",
        checkpoint_store_name="checkpoint_store",
        validation_results_store_name="validation_results_store",
        stores=stores,
        data_docs_sites={SITE: site},
        progress_bars={"globally": False},
    )


def _files(folder: Path) -> dict[str, str]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}


def _source(context: Any, folder: Path) -> Any:
    return context.data_sources.add_pandas_filesystem(name=folder.name, base_directory=folder)


def _definition(context: Any, sources: Mapping[str, Any], declared: Declaration, present: Present) -> Any:
    """The suite of a declaration, tied to its file.

    Arrow types keep lists and integers with nulls, and are fast: 3.4 million rows of 12 columns took 10 s, with
    numpy's nullable types 41 s.
    """
    import great_expectations as gx

    asset = sources[declared.folder].add_parquet_asset(declared.name, dtype_backend="pyarrow")
    batch = asset.add_batch_definition_path("all rows", f"{declared.name}.parquet")
    made = context.suites.add(suite(declared, present))
    return context.validation_definitions.add(gx.ValidationDefinition(name=declared.title, data=batch, suite=made))


def _outcome(context: Any, root: Path, identified: tuple[Any, Any]) -> Outcome:
    identifier, result = identified
    failed = tuple(_sentence(each) for each in result.results if not each.success)
    url = context.get_docs_sites_urls(resource_identifier=identifier)[0]["site_url"]
    page = Path(unquote(urlsplit(url).path)).relative_to(root / SITE)
    return Outcome(len(result.results), failed, str(page))


def _sentence(failed: Any) -> str:
    """What an expectation asked for and what was found, in a line."""
    allowed = {name: value for name, value in failed.expectation_config.kwargs.items() if name != "batch_id"}
    column = f"{allowed.pop('column')}: " if "column" in allowed else ""
    rule = failed.expectation_config.type.removeprefix("expect_").replace("_", " ")
    found = [_shown(failed.result[name]) + unit for name, unit in _FOUND.items() if name in failed.result]
    given = ", ".join(f"{name} {value}" for name, value in allowed.items())
    return f"{column}expected {rule} ({given}), found {', '.join(found) or _complaint(failed.exception_info)}"


def _complaint(information: Mapping[str, Any]) -> str:
    """The first line of each error that Great Expectations caught, such as a column that is not there."""
    caught = [each for each in information.values() if isinstance(each, Mapping)] or [information]
    return "; ".join(sorted({str(each.get("exception_message")).splitlines()[0] for each in caught}))


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _prune(root: Path) -> None:
    """Remove results and pages of all but the latest runs; names of runs sort by time."""
    kept = sorted({path.name for path in (root / RESULTS).glob("*/*")})[-(RUNS_KEPT - 1) :]
    for path in (*(root / RESULTS).glob("*/*"), *(root / SITE / "validations").glob("*/*")):
        if path.name not in kept:
            shutil.rmtree(path)
    for path in (root / SITE / pages.RUNS).glob("*.html"):
        if path.stem not in kept:
            path.unlink()
