"""docker compose, where an engine answers: the real images of docker-compose.yml, a project per home."""

import os
import re
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from feature_repo.settings import Settings
from feature_repo.sources.engines.engine import Engine, Site, owned, program
from feature_repo.sources.launches import Launch

FILE = Path(__file__).parents[3] / "docker-compose.yml"
# Per source: the variable of its published port in docker-compose.yml, and its address.
SERVICES = {
    "mysql": ("MYSQL_PORT", "mysql://talentml:{password}@127.0.0.1:{port}"),
    "neo4j": ("NEO4J_PORT", "bolt://neo4j:{password}@127.0.0.1:{port}"),
    "mongodb": ("MONGODB_PORT", "mongodb://talentml:{password}@127.0.0.1:{port}"),
}


def found(settings: Settings, name: str) -> Iterator[Engine]:
    """The image of a source, if docker has its compose plugin and an engine answers within 5 seconds."""
    if settings.docker and FILE.exists() and program("docker") and says_yes("compose", "version") and says_yes("ps"):
        image = image_of(name)
        yield Engine("compose", f"{image} in docker compose", lambda site: _launch(site, name), seconds=600)


def image_of(name: str, text: str | None = None) -> str:
    """The image that docker-compose.yml names for a service."""
    section = (text or FILE.read_text()).partition(f"\n  {name}:\n")[2]
    return section.partition("image: ")[2].split("\n")[0]


def required(text: str) -> list[str]:
    """The variables without which docker compose refuses a file: ${NAME:?...}."""
    return sorted(set(re.findall(r"\$\{(\w+):\?", text)))


def says_yes(*arguments: str) -> bool:
    """Whether a command of docker succeeds within 5 seconds."""
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, timeout=5).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _launch(site: Site, name: str) -> Launch:
    """`docker compose up` in the foreground: detached like any server of ours, and stopped by the same signal."""
    folder = owned(site.folder)
    port, url = SERVICES[name]
    # In the environment, which goes before any .env. The other services' variables must only be there.
    values = dict.fromkeys(required(FILE.read_text()), site.password) | {port: str(site.port)}
    project = f"talentml-{sha256(str(folder.parent).encode()).hexdigest()[:8]}"
    command = ["docker", "compose", "--project-name", project, "--file", str(FILE)]
    command += ["up", "--no-color", "--no-deps", name]
    address = url.format(password=site.password, port=site.port)
    return Launch(command, address, folder, environment={**os.environ, **values})
