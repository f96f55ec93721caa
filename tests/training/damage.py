"""Ways in which a model folder gets damaged, by accident or by somebody."""

import hashlib
import json
import os
import pickle
from pathlib import Path


class Bomb:
    """Unpickled, it would make a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def listed(folder: Path, name: str) -> None:
    """Put a file into the manifest, as somebody who may write to the store would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))


def flipped(folder: Path) -> None:
    found = bytearray((folder / "hours.txt").read_bytes())
    found[500] ^= 1
    (folder / "hours.txt").write_bytes(found)


def truncated(folder: Path) -> None:
    (folder / "hours.txt").write_bytes(b"")


def replaced(folder: Path) -> None:
    """Another model, with a manifest of its own that fits."""
    facts = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**facts, "factor": 9.0}))
    listed(folder, "model.json")


def pickled(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps(Bomb(folder.parent / "marker")))
    listed(folder, "model.pkl")


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


DAMAGES = [flipped, truncated, replaced, pickled, emptied]
