"""A search in MLflow: a run with a nested one for each trial. The mlflow module is an argument, as in training.run."""

from dataclasses import asdict
from typing import Any

from training.run import finite
from training.tuning.trials import Searched, Trial


def log_search(mlflow: Any, client: Any, experiment: str, found: Searched) -> str:
    """Log an ended search, once; gives the id of its run. What a killed logging left is deleted."""
    known = client.search_runs([experiment], f"tags.search = '{_key(found)}'")
    for run in known:
        if run.data.tags.get("complete") == "yes":
            return str(run.info.run_id)
    for run in known:
        client.delete_run(run.info.run_id)
    name = f"search as of {found.as_of[:10]}, {len(found.trials)} trials"
    with mlflow.start_run(experiment_id=experiment, run_name=name, tags={"search": _key(found)}) as run:
        mlflow.log_params({name: str(value) for name, value in found.best.parameters.items()})
        mlflow.log_metrics(finite({**_numbers(found.best, found.metric), "gain": found.gain, "seconds": found.seconds}))
        mlflow.log_dict(asdict(found), "search.json")
        for trial in found.trials:
            _log_trial(mlflow, experiment, found, trial)
        mlflow.set_tag("complete", "yes")
    return str(run.info.run_id)


def _log_trial(mlflow: Any, experiment: str, found: Searched, trial: Trial) -> None:
    tags = {"search_trial_of": _key(found), "state": trial.state}
    with mlflow.start_run(experiment_id=experiment, run_name=f"trial {trial.number}", tags=tags, nested=True):
        mlflow.log_params({name: str(value) for name, value in trial.parameters.items()})
        mlflow.log_metrics(finite({**_numbers(trial, found.metric), "seconds": trial.seconds}))


def _numbers(trial: Trial, metric: str) -> dict[str, float]:
    """The metric of each fold, and their mean."""
    return {**{f"{metric}/fold {place}": score for place, score in enumerate(trial.scores, 1)}, metric: trial.mean}


def _key(found: Searched) -> str:
    """A search that went on with a larger budget is another run."""
    return f"{found.name}-{len(found.trials)}"
