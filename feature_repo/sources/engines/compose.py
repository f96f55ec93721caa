"""docker compose, where an engine answers: the real images of docker-compose.yml, a project per home."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from feature_repo.settings import Settings
from feature_repo.sources.engines.engine import Engine, Site, owned, program
from feature_repo.sources.launches import Launch
from feature_repo.sources.ledger import private

FILE = Path(__file__).parents[3] / "docker-compose.yml"
# Per source: the setting of its published port and of its password in docker-compose.yml, and its address.
SERVICES = {
    "mysql": ("MYSQL_PORT", "MYSQL_PASSWORD", "mysql://talentml:{password}@127.0.0.1:{port}"),
    "neo4j": ("NEO4J_PORT", "NEO4J_PASSWORD", "bolt://neo4j:{password}@127.0.0.1:{port}"),
    "mongodb": ("MONGODB_PORT", "MONGODB_PASSWORD", "mongodb://talentml:{password}@127.0.0.1:{port}"),
}


def found(settings: Settings, name: str) -> Iterator[Engine]:
    """The image of a source, if docker has its compose plugin and an engine answers within 5 seconds."""
    if settings.docker and FILE.exists() and program("docker") and _says_yes("compose", "version") and _says_yes("ps"):
        image = image_of(name)
        yield Engine("compose", f"{image} in docker compose", lambda site: _launch(site, name), seconds=600)


def image_of(name: str, text: str | None = None) -> str:
    """The image that docker-compose.yml names for a service."""
    section = (text or FILE.read_text()).partition(f"\n  {name}:\n")[2]
    return section.partition("image: ")[2].split("\n")[0]


def required(text: str) -> list[str]:
    """The variables without which docker compose refuses a file: ${NAME:?...}."""
    return sorted(set(re.findall(r"\$\{(\w+):\?", text)))


def _says_yes(*arguments: str) -> bool:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, timeout=5).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _launch(site: Site, name: str) -> Launch:
    """`docker compose up` in the foreground: detached like any server of ours, and stopped by the same signal."""
    folder = owned(site.folder)
    port, password, url = SERVICES[name]
    values = {variable: secrets.token_hex(16) for variable in required(FILE.read_text())}
    values |= {port: str(site.port), password: site.password}
    private(folder / "compose.env", "".join(f"{key}={value}\n" for key, value in values.items()))
    project = f"talentml-{sha256(str(folder.parent).encode()).hexdigest()[:8]}"
    command = ["docker", "compose", "--project-name", project, "--file", str(FILE), "--env-file"]
    command += [str(folder / "compose.env"), "up", "--no-color", "--no-deps", name]
    address = url.format(password=site.password, port=site.port)
    return Launch(command, address, folder, environment=dict(os.environ))
