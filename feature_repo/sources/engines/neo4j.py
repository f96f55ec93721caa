"""Neo4j from an installation, or ArcadeDB speaking Bolt."""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from feature_repo.errors import SourceError
from feature_repo.settings import Settings
from feature_repo.sources.engines.engine import Engine, Site, owned
from feature_repo.sources.launches import Launch
from feature_repo.sources.ledger import private
from feature_repo.sources.processes import free_port


def found(settings: Settings) -> Iterator[Engine]:
    """Neo4j where the settings have an installation, then the stand-in where it is installed."""
    home = settings.neo4j_home
    if home is not None:
        yield Engine("binary", f"Neo4j in {home}", lambda site: _neo4j(site, home))
    if (package := _package()) is not None:
        called = f"ArcadeDB {version('arcadedb-embedded')} over Bolt, a stand-in, not Neo4j"
        yield Engine("stand-in", called, lambda site: _arcadedb(site, package))


def _package() -> Path | None:
    spec = find_spec("arcadedb_embedded")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _neo4j(site: Site, home: Path) -> Launch:
    folder = owned(site.folder)
    options = {
        "server.directories.data": folder / "data",
        "server.directories.logs": folder / "logs",
        "server.directories.run": folder,
        "server.bolt.listen_address": f"127.0.0.1:{site.port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "dbms.usage_report.enabled": "false",
    }
    (folder / "neo4j.conf").write_text("".join(f"{key}={value}\n" for key, value in options.items()))
    environment = {**os.environ, "NEO4J_CONF": str(folder)}
    if not (folder / "data").exists():
        _first_password(home, site.password, environment)
    url = f"bolt://neo4j:{site.password}@127.0.0.1:{site.port}"
    return Launch([str(home / "bin/neo4j"), "console"], url, folder, environment=environment)


def _first_password(home: Path, password: str, environment: dict[str, str]) -> None:
    """Neo4j takes its first password on a command line only; it is one of this home, for loopback."""
    command = [str(home / "bin/neo4j-admin"), "dbms", "set-initial-password", password]
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).replace(password, "***").encode()
        raise SourceError(f"neo4j: {home} takes no password: {said.decode(errors='replace')[-300:]}") from None


def _arcadedb(site: Site, package: Path) -> Launch:
    folder = owned(site.folder)
    private(folder / "password", site.password)
    options = {
        "server.rootPath": folder,
        "server.databaseDirectory": folder / "databases",
        "server.rootPasswordPath": folder / "password",
        "server.httpIncomingHost": "127.0.0.1",
        "server.httpIncomingPort": free_port(),
        "bolt.host": "127.0.0.1",
        "bolt.port": site.port,
        "server.defaultDatabases": "graph[root]",
        "bolt.defaultDatabase": "graph",
        "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
    }
    opened = ("java.lang", "java.util.concurrent.atomic", "java.nio.channels.spi")
    command = [str(package / "jre/bin/java"), "-Xmx512m", "--add-modules=jdk.incubator.vector"]
    command += ["--enable-native-access=ALL-UNNAMED"]
    command += [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in opened]
    command += [f"-Darcadedb.{name}={value}" for name, value in options.items()]
    command += ["-cp", str(package / "jars/*"), "com.arcadedb.server.ArcadeDBServer"]
    return Launch(command, f"bolt://root:{site.password}@127.0.0.1:{site.port}", folder)
