"""The verb token, as a user runs it: the secret is made once and never shown, tokens are bare on stdout."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feature_repo.settings import Settings
from serving.access.auth import Caller, Role, Tokens
from tests.dags.command import talentml

SECRET = "a secret of the tests, 32 bytes or more"


def test_a_token_made_on_the_command_line_is_taken_by_the_service(tmp_path: Path) -> None:
    made = talentml("token", "secret", home=tmp_path)
    assert made.code == 0, made.stderr
    path = tmp_path / "jwt_secret"
    assert str(path) in made.stdout.replace("\n", "")
    assert path.read_text() not in made.stdout + made.stderr

    done = talentml("token", "issue", "P1", "--role", "talent", home=tmp_path)
    assert done.code == 0, done.stderr
    assert done.stdout == f"{done.stdout.strip()}\n", "the token alone, on one line"
    assert path.read_text() not in done.stdout + done.stderr
    found = Tokens.of(Settings(home=tmp_path, _env_file=None)).caller(f"Bearer {done.stdout.strip()}")
    assert found == Caller("P1", Role.TALENT)


def test_as_json_it_says_when_the_token_expires(tmp_path: Path) -> None:
    words = ("token", "issue", "billing", "--role", "service", "--hours", "2", "--json")
    done = talentml(*words, home=tmp_path, TALENTML_JWT_SECRET=SECRET)
    assert done.code == 0, done.stderr
    assert (done.answer["subject"], done.answer["role"]) == ("billing", "service")
    left = datetime.fromisoformat(done.answer["expires"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=50) < left <= timedelta(hours=2)
    assert SECRET not in done.stdout + done.stderr


def test_a_secret_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "jwt_secret"
    assert talentml("token", "secret", home=tmp_path).code == 0
    first = path.read_text()
    refused = talentml("token", "secret", "--json", home=tmp_path)
    assert refused.code == 2
    assert "--replace" in refused.answer["message"]
    assert path.read_text() == first
    replaced = talentml("token", "secret", "--replace", "--json", home=tmp_path)
    assert json.loads(replaced.stdout) == {"secret": str(path)}
    assert path.read_text() != first


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (("P1", "--role", "talent"), {}, 2, "talentml token secret"),
        (("P1", "--role", "talent"), {"TALENTML_JWT_JWKS": "keys.json"}, 2, "public keys sign nothing"),
        (("P1", "--role", "root"), {}, 2, "talent"),
        (("P1",), {}, 2, "--role"),
        (("P1", "--role", "talent", "--hours", "0"), {}, 2, "--hours"),
        (("x" * 129, "--role", "talent"), {"TALENTML_JWT_SECRET": SECRET}, 4, "129 characters"),
    ],
)
def test_no_token_is_made_without_a_key_a_role_or_a_subject(
    tmp_path: Path, words: tuple[str, ...], environment: dict[str, str], code: int, said: str
) -> None:
    done = talentml("token", "issue", *words, home=tmp_path, **environment)
    assert (done.code, done.stdout) == (code, "")
    assert said in done.stderr
