"""A model on disk: text, skops and array files with a manifest of their hashes; never a pickle.

model.json names the kind of model; only kinds listed here are loaded, so a folder cannot name code to run.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feature_repo.errors import RegistryError
from training.product import Model

if TYPE_CHECKING:
    import pandas as pd

KINDS: dict[str, str] = {
    "bandit": "training.trainers.bandit:Bandit",
    "demand": "training.trainers.forecast:Demand",
    "ensemble": "training.trainers.ensemble:Ensemble",
    "hybrid": "training.trainers.hybrid:Hybrid",
    "outcomes": "training.trainers.outcome:Outcomes",
}
"""Kind in model.json to the class that loads it, as module:Class. The class has `load(folder: Path) -> Model`."""

SUFFIXES = frozenset({".json", ".txt", ".skops", ".npz"})
"""Files that a model may consist of. npz is read with allow_pickle=False, skops with its own list of trusted types."""

MANIFEST = "manifest.json"


def save_model(model: Model, folder: Path) -> str:
    """Save a model into an empty folder with its manifest; gives the sha256 of the manifest.

    Raises RegistryError for a file of a kind that could hold a pickle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    files = {name: _sha256(folder / name) for name in sorted(_files(folder)) if name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps({"sha256": files}, indent=1, sort_keys=True))
    return verify(folder)


def load_model(folder: Path, sha256: str | None = None) -> Model:
    """The model in a folder. sha256: of its manifest, where that is known.

    Raises RegistryError when a file is foreign, missing or changed, or the kind unknown.
    """
    verify(folder, sha256)
    facts = _json(folder / "model.json")
    kind = facts.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RegistryError(f"{folder}: model kind {kind!r}, allowed: {', '.join(sorted(KINDS))}")
    module, name = KINDS[kind].split(":")
    model: Model = getattr(import_module(module), name).load(folder)
    return model


def verify(folder: Path, sha256: str | None = None) -> str:
    """Compare every file with the manifest, and the manifest with sha256 if given; returns the manifest's sha256.

    Raises RegistryError that names the file.
    """
    listed = _listed(folder)
    found = set(_files(folder)) - {MANIFEST}
    for name in sorted(found ^ listed.keys()):
        raise RegistryError(f"{folder}: {name} is {'not in the manifest' if name in found else 'missing'}")
    for name, expected in listed.items():
        if (actual := _sha256(folder / name)) != expected:
            raise RegistryError(f"{folder}: {name} has sha256 {actual[:12]}..., the manifest says {expected[:12]}...")
    actual = _sha256(folder / MANIFEST)
    if sha256 is not None and actual != sha256:
        raise RegistryError(f"{folder}: {MANIFEST} has sha256 {actual[:12]}..., registered was {sha256[:12]}...")
    return actual


def _listed(folder: Path) -> Mapping[str, str]:
    listed = _json(folder / MANIFEST).get("sha256")
    if not isinstance(listed, dict) or not all(isinstance(value, str) for value in listed.values()):
        raise RegistryError(f"{folder}: {MANIFEST} lists no sha256 of files")
    return listed


def _files(folder: Path) -> Iterator[str]:
    """The names of all files below folder. Raises RegistryError for a link or a file of a foreign type."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise RegistryError(f"{folder}: {name} is a link, allowed: plain files")
        if path.is_dir():
            continue
        if path.suffix not in SUFFIXES:
            raise RegistryError(f"{folder}: {name} is no model file, allowed: {', '.join(sorted(SUFFIXES))}")
        yield name


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise RegistryError(f"{path.parent}: {path.name} is missing, so it is no model of ours") from None
    except (OSError, ValueError) as error:
        raise RegistryError(f"{path.parent}: {path.name} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise RegistryError(f"{path.parent}: {path.name} holds a {type(found).__name__}, allowed: an object")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Pandas:
    """A model as MLflow's pyfunc calls it, with pandas frames."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, model_input: "pd.DataFrame", params: object = None) -> "pd.DataFrame":
        import polars as pl

        del params
        return pl.DataFrame(self.model.predict(pl.from_pandas(model_input))).to_pandas()


def _load_pyfunc(data_path: str) -> _Pandas:
    """MLflow calls this for `mlflow.pyfunc.load_model`: the same checks as everywhere."""
    return _Pandas(load_model(Path(data_path)))
