"""The verbs that start the service, as a user runs them: where it could not start they say why, and end."""

import os
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.dags.command import TALENTML, talentml
from tests.patience import LONG
from tests.ports import free_port
from tests.serving.process import until

KEY = {"TALENTML_JWT_SECRET": "a secret of the tests, 32 bytes or more"}


@pytest.mark.parametrize("words", [("serve",), ("servers", "start", "service")])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "talentml token secret"),
        ({"TALENTML_JWT_SECRET": "short"}, "jwt_secret: 5 bytes, allowed: 32 or more"),
        ({**KEY, "TALENTML_RATE_LIMIT": "lots"}, "rate_limit: 'lots', allowed: one rate such as 100/minute"),
        ({**KEY, "TALENTML_REDIS_URL": "nonsense"}, "redis_url: not an address of Redis"),
    ],
)
def test_a_service_that_could_not_start_is_not_begun(
    tmp_path: Path, words: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    done = talentml(*words, "--json", home=tmp_path, **settings)
    assert done.code == 2
    assert said in done.answer["message"]


@pytest.mark.slow
def test_what_ends_the_command_ends_the_service(tmp_path: Path) -> None:
    """Else it answered on, without a terminal, and kept its port."""
    port = free_port()
    settings = {**KEY, "TALENTML_HOME": str(tmp_path)}
    with subprocess.Popen([TALENTML, "serve", "--port", str(port)], env={**os.environ, **settings}) as serving:
        until(lambda: is_ready(port))
        serving.terminate()
        assert serving.wait(LONG) == 0
    assert not is_ready(port)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_service_whose_port_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = talentml("serve", "--port", str(taken.getsockname()[1]), home=tmp_path, **KEY)
    assert done.code == 1
    assert "Address already in use" in done.stderr
