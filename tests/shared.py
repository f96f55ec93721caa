"""What the workers of a test run need alike: the first that asks builds it, the others wait for it."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "TALENTML_TEST_SHARED"
"""The folder, which whoever names it removes; Makefile does, so that it serves all the runs of `make test`."""


def install() -> None:
    """Name a folder that ends with this process, unless one is named. Workers learn it from whoever began them."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="talentml-shared-")
        atexit.register(shutil.rmtree, os.environ[VARIABLE], ignore_errors=True)


def built(name: str, build: Callable[[Path], object]) -> Path:
    """The folder of a name, as build left it. Nobody may change it: copy it.

    It is built where it stays, as a home's registry names its files by their paths.
    """
    install()
    place = Path(os.environ[VARIABLE]) / name
    whole = place.with_name(f"{name}.whole")
    with place.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(place, ignore_errors=True)  # of a worker that was killed
            build(place)
            whole.touch()
    return place
