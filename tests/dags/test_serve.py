"""The verbs that start the service, as a user runs them: where it could not start they say why, and end."""

import socket
from pathlib import Path

import pytest

from tests.dags.command import talentml

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


def test_a_service_that_ends_by_itself_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = talentml("serve", "--port", str(taken.getsockname()[1]), "--json", home=tmp_path, **KEY)
    assert done.code == 6, done.stderr
    assert "exit status" in done.answer["message"]
