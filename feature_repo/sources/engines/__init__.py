"""The servers that may stand behind each source, best first: a real binary, docker compose, an embedded stand-in."""

from collections.abc import Callable, Iterator

from feature_repo.settings import Settings
from feature_repo.sources.engines import compose, mongodb, mysql, neo4j
from feature_repo.sources.engines.engine import Engine

FOUND: dict[str, Callable[[Settings], Iterator[Engine]]] = {
    "mysql": mysql.found,
    "neo4j": neo4j.found,
    "mongodb": mongodb.found,
}
MISSING = {
    "mysql": "apt-get install mariadb-server; or set TALENTML_MYSQLD_BIN or TALENTML_MYSQL_URL",
    "neo4j": "pip install arcadedb-embedded; or set TALENTML_NEO4J_HOME or TALENTML_NEO4J_URL",
    "mongodb": "pip install nx-27017; or set TALENTML_MONGOD_BIN or TALENTML_MONGODB_URL",
}


def engines(settings: Settings, name: str) -> Iterator[Engine]:
    """The engines of a source that this machine has, best first; none when nothing is installed."""
    found = list(FOUND[name](settings))
    yield from (engine for engine in found if engine.kind == "binary")
    yield from compose.found(settings, name)
    yield from (engine for engine in found if engine.kind == "stand-in")
