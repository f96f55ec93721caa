"""Versions of models in MLflow: the only module that imports mlflow.

MLflow's aliases say which version is champion and which challenger; the platform's tables follow them, so that a
cold start without MLflow knows the last champion. Registration is idempotent by (product, as-of date, data, code).
"""

import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from feature_repo.errors import RegistryError
from feature_repo.hidden import hidden
from feature_repo.platform import database
from feature_repo.settings import Settings
from training import history
from training.candidate import Candidate, Numbers
from training.gate import Verdict
from training.history import Move
from training.locks import alone
from training.model import verify
from training.report.card import summary
from training.report.insight import importance
from training.run import described, finite, log
from training.tracking import address, check_reachable
from training.tuning.search_runs import log_search
from training.tuning.trials import Searched
from training.version import CHALLENGER, CHAMPION, Version, version

__all__ = ["Registry", "Version", "address"]

EXPERIMENT = {"mlflow.experimentKind": "custom_model_development"}  # else MLflow shows it as one of language models
ABOUT = (
    "Alias `champion` is what the service answers with; `challenger` waits for the gate. "
    "`talentml promote` and `talentml rollback` move them."
)


class Registry:
    """The registry of a home. Methods raise RegistryError when MLflow does not answer or refuses."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root

    @cached_property
    def engine(self) -> Engine:
        return database(self.settings)

    @cached_property
    def _client(self) -> Any:
        url = address(self.settings)
        check_reachable(url)
        variables = _mlflow().environment_variables
        variables.MLFLOW_ALLOW_PICKLE_DESERIALIZATION.set(False)
        variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(2)
        variables.MLFLOW_HTTP_REQUEST_TIMEOUT.set(30)
        variables.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)
        variables.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.set(True)
        return _mlflow().MlflowClient(url, url)

    def _fluent(self) -> Any:
        """MLflow's functions, which have one server per process, pointed at this registry's."""
        mlflow, client = _mlflow(), self._client
        mlflow.set_tracking_uri(client.tracking_uri)
        mlflow.set_registry_uri(client.tracking_uri)
        return mlflow

    def lock(self, name: str) -> AbstractContextManager[None]:
        """The lock of this name in this home; see training.locks."""
        return alone(self.engine, self.root, name)

    # --- What there is

    def champion(self, product: str) -> Version | None:
        """The version that the alias champion names; None when there is none yet."""
        return self._aliased(product, CHAMPION)

    def challenger(self, product: str) -> Version | None:
        """The version that waits for the gate; None when there is none."""
        return self._aliased(product, CHALLENGER)

    def recorded(self, product: str) -> Version | None:
        """The champion as the platform's tables have it. Neither asks nor imports MLflow: for cold starts."""
        return history.active(self.engine, product)

    def version(self, product: str, number: int) -> Version:
        """A version by its number."""
        with _asking(f"{product} version {number}"):
            return self._version(self._client.get_model_version(product, str(number)))

    def versions(self, product: str) -> list[Version]:
        """All versions of a product, newest first."""
        return [self._version(found) for found in self._search(product)]

    def _aliased(self, product: str, alias: str) -> Version | None:
        number = self._aliases(product).get(alias)
        return None if number is None else self.version(product, int(number))

    def _aliases(self, product: str) -> Mapping[str, str]:
        with _asking(product):
            found = self._client.search_registered_models(f"name = '{product}'")
            return dict(found[0].aliases) if found else {}

    def _search(self, product: str, condition: str = "") -> list[Any]:
        with _asking(product):
            found = self._client.search_model_versions(f"name = '{product}'{condition}")
            return sorted(found, key=lambda each: -int(each.version))

    def _version(self, found: Any) -> Version:
        with _asking(f"{found.name} version {found.version}"):
            logged = self._client.get_run(found.run_id).data
        metrics = {name: value for name, value in logged.metrics.items() if "/" not in name}
        try:
            return version(found.name, int(found.version), found.run_id, logged.tags, metrics)
        except KeyError as missing:
            raise RegistryError(
                f"{found.name} version {found.version}: tag {missing} is missing, so talentml did not register it"
            ) from None

    # --- Registration

    def register(self, candidate: Candidate, feature_service: str, code_revision: str) -> Version:
        """Log a candidate and make it the challenger; the same training run again gives the version it has."""
        product = candidate.product.name
        facts = Version(
            product=product,
            number=0,
            run_id="",
            data_hash=candidate.data_hash,
            code_revision=code_revision,
            as_of=candidate.as_of,
            trained_until=candidate.trained_until,
            sha256="",
            feature_service=feature_service,
        )
        with self.lock(f"register-{product}"), _asking(f"register {product}"):
            weights = importance(candidate)
            run = self._complete_run(facts) or self._log(facts, candidate, weights)
            registered = self._of_run(product, run) or self._create(product, run, candidate)
            history.remember(self.engine, registered, candidate, weights)
            if self._aliases(product).get(CHAMPION) != str(registered.number):
                self._client.set_registered_model_alias(product, CHALLENGER, str(registered.number))
        return registered

    def _of_run(self, product: str, run: Any) -> Version | None:
        found = self._search(product, f" and run_id = '{run.info.run_id}'")
        return self._version(found[0]) if found else None

    def _create(self, product: str, run: Any, candidate: Candidate) -> Version:
        if not self._client.search_registered_models(f"name = '{product}'"):
            self._client.create_registered_model(product, description=f"{candidate.product.title}. {ABOUT}")
        model = run.outputs.model_outputs[0].model_id
        made = self._client.create_model_version(
            product,
            source=f"models:/{model}",
            run_id=run.info.run_id,
            tags={"as_of": f"{candidate.as_of:%Y-%m-%d}"},
            description=summary(candidate),
            model_id=model,
        )
        return self._version(made)

    def _complete_run(self, facts: Version) -> Any:
        """The run that a killed registration logged to the end; runs that it left half logged are deleted."""
        found = self._client.search_runs([self._experiment(facts.product)], f"tags.`key` = '{facts.key}'")
        complete = [run for run in found if run.data.tags.get("complete") == "yes"]
        for run in found:
            if run not in complete:
                self._client.delete_run(run.info.run_id)
        return complete[0] if complete else None

    def _experiment(self, product: str) -> str:
        found = self._client.get_experiment_by_name(product)
        if found is None:
            found = self._client.get_experiment(self._client.create_experiment(product, tags=EXPERIMENT))
        identity: str = found.experiment_id
        return identity

    def _log(self, facts: Version, candidate: Candidate, weights: Numbers) -> Any:
        mlflow = self._fluent()
        with mlflow.start_run(
            experiment_id=self._experiment(facts.product),
            run_name=f"{facts.product} as of {facts.as_of:%Y-%m-%d}",
            tags={**facts.tags, **described(candidate, weights, facts)},
        ) as run:
            log(mlflow, candidate, weights, facts)
        return self._client.get_run(run.info.run_id)

    # --- Local copies

    def fetch(self, wanted: Version) -> Path:
        """The verified local copy of a version, downloaded when there is none; it appears whole or not at all.

        Asks MLflow only for the download. Raises RegistryError when the artefact is not what was registered.
        """
        place = self.root / "models" / wanted.product / str(wanted.number)
        if _is_verified(place, wanted.sha256):
            return place
        with self.lock(f"fetch-{wanted.product}-{wanted.number}"):
            if not _is_verified(place, wanted.sha256):
                self._download(wanted, place)
        return place

    def _download(self, wanted: Version, place: Path) -> None:
        draft = place.with_name(f".{place.name}")
        shutil.rmtree(draft, ignore_errors=True)  # a killed download's
        draft.mkdir(parents=True)
        with _asking(f"{wanted.product} version {wanted.number}"):
            uri = self._client.get_model_version(wanted.product, str(wanted.number)).source
            self._fluent().artifacts.download_artifacts(artifact_uri=uri, dst_path=str(draft))
        found = draft / "data" / "model"
        verify(found, wanted.sha256)
        shutil.rmtree(place, ignore_errors=True)  # a copy that was changed
        found.rename(place)
        shutil.rmtree(draft)

    # --- The champion. Hold lock(f"promote-{product}"); training.promotion does.

    def move(self, move: Move) -> None:
        """Point the alias champion at a version and record it; settle repairs what a kill leaves between the two."""
        with _asking(f"{move.product} version {move.version}"):
            self._client.set_registered_model_alias(move.product, CHAMPION, str(move.version))
            if self._aliases(move.product).get(CHALLENGER) == str(move.version):
                self._client.delete_registered_model_alias(move.product, CHALLENGER)
        history.record(self.engine, move)

    def show(self, verdict: Verdict) -> None:
        """Put a verdict where people look at the version in MLflow: its tag and its description."""
        product, number = verdict.product, str(verdict.version)
        with _asking(f"{product} version {number}"):
            about = self._client.get_model_version(product, number).description.split("\n\n")[0]
            self._client.update_model_version(product, number, f"{about}\n\nGate: {verdict.reason}.")
            self._client.set_model_version_tag(product, number, "gate", verdict.reason.split(":")[0])

    def settle(self, product: str) -> None:
        """Make the platform's tables follow the alias, after a kill or a move by hand in MLflow."""
        champion, recorded = self.champion(product), self.recorded(product)
        if champion is None and recorded is not None:
            history.deactivate(self.engine, product)
        if champion is None or (recorded is not None and recorded.number == champion.number):
            return
        previous = None if recorded is None else recorded.number
        if verdict := history.pending(self.engine, product, champion.number):
            move = Move(product, "promote", champion.number, previous, "the alias had moved before a kill", verdict)
        else:
            move = Move(product, "manual", champion.number, previous, "the alias was moved in MLflow")
        history.record(self.engine, move)

    def log_search(self, found: Searched) -> str:
        """Log an ended search with a nested run for each trial, once; its run id."""
        with self.lock(f"search-{found.product}"), _asking(f"{found.product} search"):
            return log_search(self._fluent(), self._client, self._experiment(found.product), found)

    def log_report(self, product: str, name: str, files: Sequence[Path], numbers: Numbers) -> str:
        """Log files and numbers, such as a drift report's, as a run of the product's experiment; its run id."""
        with _asking(f"{product} {name}"):
            mlflow = self._fluent()
            with mlflow.start_run(experiment_id=self._experiment(product), run_name=name) as run:
                mlflow.log_metrics(finite(numbers))
                for file in files:
                    mlflow.log_artifact(str(file), "report")
            identity: str = run.info.run_id
            return identity


def _is_verified(place: Path, sha256: str) -> bool:
    try:
        return place.exists() and verify(place, sha256) == sha256
    except RegistryError:
        return False


def _mlflow() -> Any:
    # read while mlflow is imported; its warnings are about conda environments, which nothing here uses
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    # Feast adds a header to MLflow's requests if it is there: 2 to 8 s of imports that nobody needs.
    warnings.filterwarnings("ignore", 'Failure attempting to register request header provider "feast"', UserWarning)
    with hidden("feast"):
        import mlflow
        import mlflow.tracking.request_header.registry

    return mlflow


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn MLflow's errors into ours, naming what was asked for."""
    try:
        yield
    except (_mlflow().MlflowException, OSError) as error:
        raise RegistryError(f"mlflow: {what}: {str(error).splitlines()[0]}") from error
