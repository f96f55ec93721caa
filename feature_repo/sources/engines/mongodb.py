"""mongod from the settings or PATH, or nx-27017. Neither gets a password: loopback is their fence."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from feature_repo.settings import Settings
from feature_repo.sources.engines.engine import Engine, Site, output, owned, program
from feature_repo.sources.launches import Launch

# nx-27017 logs every command with its documents at INFO, and has no option to be told not to.
NX = "import logging; logging.disable(logging.INFO); from nx_27017.nx_27017 import main; main()"


def found(settings: Settings) -> Iterator[Engine]:
    """mongod where there is one, then the stand-in where it is installed."""
    if (binary := settings.mongod_bin or program("mongod")) is not None:
        number = output(binary, "--version").partition("version v")[2].split("\n")[0]
        yield Engine("binary", f"MongoDB {number}", lambda site: _mongod(site, binary))
    if find_spec("nx_27017") is not None:
        yield Engine("stand-in", f"nx-27017 {version('nx-27017')}, a wire-compatible stand-in, not MongoDB", _nx)


def _mongod(site: Site, binary: Path) -> Launch:
    folder = owned(site.folder)
    command = [str(binary), "--dbpath", str(folder), "--bind_ip", "127.0.0.1", "--port", str(site.port)]
    return Launch([*command, "--nounixsocket"], f"mongodb://127.0.0.1:{site.port}", folder)


def _nx(site: Site) -> Launch:
    folder = owned(site.folder)
    (folder / "server.pid").unlink(missing_ok=True)  # It would take a stranger with a killed server's pid for itself.
    command = [sys.executable, "-c", NX, "--data-dir", str(folder / "data"), "--host", "127.0.0.1"]
    command += ["--port", str(site.port), "--pid-file", str(folder / "server.pid"), "--log-file", os.devnull]
    return Launch(command, f"mongodb://127.0.0.1:{site.port}", folder)
