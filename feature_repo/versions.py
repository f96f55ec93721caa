"""Versioned folders: `folder/<version>/...`, and `folder/current`, a link that one rename moves.

A version is made aside, in `folder/.making`, and published by a rename, so that it is whole or not there. Readers
resolve `current` once and keep to what they found.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feature_repo.errors import DataError

CURRENT, MAKING = "current", ".making"


def current(folder: Path) -> Path:
    """The published version's folder. Raises DataError when nothing is published."""
    link = folder / CURRENT
    if not link.is_symlink():
        raise DataError(f"{folder}: nothing is published, run `talentml materialize` first")
    return folder / link.readlink()


@contextmanager
def making(folder: Path, version: str) -> Iterator[Path]:
    """An empty folder to fill; on leaving without an error it is flushed to disk and becomes the version."""
    aside = folder / MAKING
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    yield aside
    for path in (*aside.rglob("*"), aside):
        _flush(path)
    aside.rename(folder / version)
    _flush(folder)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def swap(folder: Path, version: str) -> None:
    """Make the version current."""
    link(folder / CURRENT, version)
    os.utime(folder / version)  # prune keeps the latest to have been current


def link(path: Path, target: str) -> None:
    """A symbolic link at path, replaced in one step."""
    aside = path.with_name(f".{path.name}.link")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    aside.replace(path)


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the current version and the `keep` - 1 that were current last; returns the removed."""
    versions = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and path.name != MAKING]
    latest_first = sorted(versions, key=lambda path: (path != current(folder), -path.stat().st_mtime_ns))
    for path in latest_first[keep:]:
        shutil.rmtree(path)
    return [path.name for path in latest_first[keep:]]


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Wait for, and hold, an exclusive lock; the system lets go of it when the process ends in any way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
