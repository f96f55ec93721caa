"""mysqld or mariadbd, from the settings or the system's packages."""

import os
import pwd
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from feature_repo.errors import SourceError
from feature_repo.settings import Settings
from feature_repo.sources import processes
from feature_repo.sources.engines.engine import USER, Engine, Site, output, owned, program
from feature_repo.sources.launches import Launch
from feature_repo.sources.ledger import private

OUTSIDE = Path("/var/lib/talentml")


def found(settings: Settings) -> Iterator[Engine]:
    """The one server binary there is, by its own name: Debian's mysqld is MariaDB."""
    binary = settings.mysqld_bin or program("mysqld") or program("mariadbd")
    if binary is None:
        return
    banner = output(binary, "--no-defaults", "--version")
    number = banner.partition("Ver ")[2].split(" ")[0]
    if not number:
        raise SourceError(f"mysql: {binary} is no server, it prints no version")
    if "MariaDB" in banner:
        number = number.partition("-MariaDB")[0]
        called = f"MariaDB {number}, wire-compatible, not MySQL"
        yield Engine("binary", called, lambda site: _launch(site, binary, is_mariadb=True))
    else:
        yield Engine("binary", f"MySQL {number}", lambda site: _launch(site, binary, is_mariadb=False))


def _launch(site: Site, binary: Path, is_mariadb: bool) -> Launch:
    user = _unprivileged() if os.getuid() == 0 else None
    folder = _reachable(site.folder, user)
    data, logins = folder / "data", folder / "logins.sql"
    if not data.exists():
        _initialise(site, binary, folder, user, is_mariadb)
    private(logins, _logins(site.password))
    if user is not None:
        os.chown(logins, *user)
    options = {
        "datadir": data,
        "tmpdir": _own_temporary(folder, user),
        "init-file": logins,
        "port": site.port,
        "bind-address": "127.0.0.1",
        "socket": "server.sock",  # Relative to datadir: an absolute path may pass the kernel's 107 characters.
        "pid-file": "server.pid",
        "character-set-server": "utf8mb4",
        "max-allowed-packet": "64M",
        "default-time-zone": "+00:00",
        "innodb-flush-log-at-trx-commit": 2,  # Survives the server's death; only the machine's may cost a second.
        # Else each look at the port leaves a line in the log.
        "log-warnings" if is_mariadb else "log-error-verbosity": 1,
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [str(binary), "--no-defaults", "--skip-name-resolve", *flags]
    return Launch(command, f"mysql://{USER}:{site.password}@127.0.0.1:{site.port}", folder, user)


def _logins(password: str) -> str:
    """SQL run at every start, before the first connection: so the password is on no command line and in no log."""
    login = f"'{USER}'@'127.0.0.1'"
    return f"""CREATE USER IF NOT EXISTS {login} IDENTIFIED BY '{password}';
ALTER USER {login} IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO {login} WITH GRANT OPTION;
ALTER USER 'root'@'localhost' ACCOUNT LOCK;
"""


def _initialise(site: Site, binary: Path, folder: Path, user: tuple[int, int] | None, is_mariadb: bool) -> None:
    """Make an empty data folder beside its final place and rename it, so that a kill leaves no half of one."""
    for left in folder.glob("draft-*"):
        shutil.rmtree(left)
    draft = owned(folder / f"draft-{token_hex(4)}", user)
    maker, how = binary, ["--initialize-insecure"]
    if is_mariadb:
        maker = _beside(binary, "mariadb-install-db")
        how = ["--skip-test-db", "--auth-root-authentication-method=normal"]
    command = [str(maker), "--no-defaults", f"--datadir={draft}", f"--tmpdir={_own_temporary(folder, user)}", *how]
    status = processes.finish(command, site.log, cwd=folder, user=user)
    if status != 0:
        said = processes.tail(site.log, lines=40)  # What went wrong comes before much advice.
        raise SourceError(
            f"{command[0]} made no data folder in {folder}, exit {status}; the end of {site.log}:\n{said}"
        )
    draft.rename(folder / "data")


def _own_temporary(folder: Path, user: tuple[int, int] | None) -> Path:
    """Where a server keeps temporary tables, its own: at its start it removes all that it finds, another's too."""
    return owned(folder / "tmp", user)


def _beside(binary: Path, name: str) -> Path:
    """A program that comes with a binary, from the same installation before any other."""
    root = binary.parent.parent
    places = [binary.parent / name, root / "bin" / name, root / "scripts" / name]
    path = next((place for place in places if place.exists()), None) or program(name)
    if path is None:
        raise SourceError(f"mysql: {binary} has no {name} in its installation, which makes the first data folder")
    return path


def _unprivileged() -> tuple[int, int]:
    """uid and gid of mysql, which its package makes, else of nobody: MariaDB refuses to run as root."""
    known = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    user = known.get("mysql") or known.get("nobody")
    if user is None:
        raise SourceError("mysql: root may not run it, and there is neither a user mysql nor a user nobody")
    return user


def _reachable(folder: Path, user: tuple[int, int] | None) -> Path:
    """A folder that user owns and can reach: folder itself, or one outside that folder then links to.

    Outside is for a home under a folder that only root may enter, such as /root.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if user is None or folder.is_symlink() or all(one.stat().st_mode & 0o001 for one in folder.parents):
        return owned(folder.resolve(), user)
    outside = OUTSIDE / sha256(str(folder).encode()).hexdigest()[:16]
    shutil.rmtree(outside, ignore_errors=True)  # Nothing links there, so a deleted home left it behind.
    outside.parent.mkdir(mode=0o755, exist_ok=True)
    folder.symlink_to(owned(outside, user), target_is_directory=True)
    return outside
