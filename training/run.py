"""What a training run holds in MLflow. The mlflow module is an argument: only the registry imports it."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from feature_repo.column import Field
from training.candidate import Candidate, Numbers
from training.model import save_model
from training.report.card import card, summary
from training.report.plots import plots
from training.version import Version

NOTE_LENGTH = 5000  # of a description in MLflow's database
EXAMPLE_ROWS = 5
FOLDER = "model"
TYPES = {float: "double", int: "double", bool: "boolean", str: "string", datetime: "datetime"}
"""MLflow's types. Whole numbers as double: its integers cannot be missing."""


def described(candidate: Candidate, weights: Numbers, facts: Version) -> dict[str, str]:
    """MLflow's own tags of the run: the card as description, its summary where that is too long; source and commit."""
    text = card(candidate, weights, facts.feature_service, facts.code_revision)
    return {
        "mlflow.note.content": text if len(text) < NOTE_LENGTH else summary(candidate),
        "mlflow.source.name": f"talentml train {facts.product}",
        "mlflow.source.git.commit": facts.code_revision,
    }


def log(mlflow: Any, candidate: Candidate, weights: Numbers, facts: Version) -> None:
    """Log parameters, metrics, data, pictures, card and model to the active run; tag it complete when all is there."""
    mlflow.log_params({name: str(value)[:500] for name, value in candidate.parameters.items()})
    mlflow.log_metrics(finite(dict(_metrics(candidate))))
    mlflow.log_text(card(candidate, weights, facts.feature_service, facts.code_revision), "card.md")
    mlflow.log_input(_dataset(mlflow, candidate, facts), context="training")
    with tempfile.TemporaryDirectory() as folder:
        for file, picture in plots(candidate, weights).items():
            (Path(folder) / file).write_bytes(picture)
        mlflow.log_artifacts(folder, "plots")
    with tempfile.TemporaryDirectory() as folder:
        sha256 = save_model(candidate.model, Path(folder) / FOLDER)
        _log_model(mlflow, candidate, Path(folder) / FOLDER)
    mlflow.set_tags({"sha256": sha256, "complete": "yes"})


def finite(numbers: Numbers) -> dict[str, float]:
    """Without NaN and infinities, which MLflow's charts cannot draw."""
    return {name: float(value) for name, value in numbers.items() if abs(value) < float("inf")}


def _metrics(candidate: Candidate) -> Iterator[tuple[str, float]]:
    """The model's metrics by their names; those of baselines and slices before a slash, which groups them in MLflow."""
    yield from candidate.metrics.items()
    yield from {"training/rows": float(candidate.rows), "training/seconds": candidate.seconds}.items()
    for name, numbers in candidate.baselines.items():
        yield from ((f"{name}/{metric}", value) for metric, value in numbers.items())
    for name, part in candidate.slices.items():
        yield from ((f"slice {name}/{metric}", value) for metric, value in part.champion.items())


def _dataset(mlflow: Any, candidate: Candidate, facts: Version) -> Any:
    """The training data's name, hash and columns; the rows stay in the feature store."""
    source = mlflow.data.code_dataset_source.CodeDatasetSource(
        {"feature_service": facts.feature_service, "train": str(candidate.train_window), "rows": str(candidate.rows)}
    )
    return mlflow.data.meta_dataset.MetaDataset(
        source, name=facts.feature_service, digest=candidate.data_hash[:32], schema=_schema(mlflow, candidate)
    )


def _schema(mlflow: Any, candidate: Candidate) -> Any:
    """The keys, as models may know whom they are asked about, and the product's columns, each of which may be null."""
    keys = [mlflow.types.ColSpec("string", entity.key) for entity in candidate.product.entities]
    columns = [_column(mlflow, column, column.qualified) for column in candidate.product.columns]
    return mlflow.types.Schema([*keys, *columns])


def _column(mlflow: Any, field: Field, name: str) -> Any:
    inner = getattr(field.dtype, "__args__", None)
    kind = TYPES[inner[0] if inner else field.dtype]
    return mlflow.types.ColSpec(mlflow.types.schema.Array(kind) if inner else kind, name, required=False)


def _log_model(mlflow: Any, candidate: Candidate, folder: Path) -> None:
    outputs = [mlflow.types.ColSpec("double", name) for name in candidate.product.outputs]
    mlflow.pyfunc.log_model(
        name=candidate.product.name,
        loader_module="training.model",
        data_path=str(folder),
        signature=mlflow.models.ModelSignature(_schema(mlflow, candidate), mlflow.types.Schema(outputs)),
        input_example=_example(candidate),
        pip_requirements=["talentml"],
    )


def _example(candidate: Candidate) -> Any:
    """The keys and columns of the first unseen rows, as pandas; whole numbers as the signature has them."""
    keys = [entity.key for entity in candidate.product.entities]
    names = [*keys, *(column.qualified for column in candidate.product.columns)]
    first = candidate.test_frame.select(names).head(EXAMPLE_ROWS)
    return first.with_columns(pl.selectors.integer().cast(pl.Float64)).to_pandas()
