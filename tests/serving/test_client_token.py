"""The client's token: shown with each call, renewed in time, and seen nowhere else."""

import logging
import time
import traceback

import jwt
import pytest

from feature_repo.errors import ServingError, SettingsError
from serving.client import Client, RefusedError
from tests.serving.scripted import OK, patient, problem, reset, says, scripted

HEALTH = says(200, {"status": "ok"})
EXPIRED = problem(401, "The token has expired.")


class Issuer:
    """Gives tokens that last so long, and counts them."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.given = seconds, 0

    def __call__(self) -> str:
        self.given += 1
        return jwt.encode({"exp": int(time.time() + self.seconds), "n": self.given}, "s" * 32)


def test_a_token_is_shown_with_every_call() -> None:
    with scripted(OK) as found, patient(found.url, "abc.def.ghi") as client:
        client.careers("P0")
        client.forecast("python")
        client.health()
        assert [each.authorization for each in found.got] == ["Bearer abc.def.ghi"] * 3


def test_without_a_token_none_is_shown() -> None:
    with scripted(HEALTH) as found, patient(found.url) as client:
        client.health()
        assert [each.authorization for each in found.got] == [None]


def test_a_token_is_asked_for_once_while_it_lasts() -> None:
    issuer = Issuer(seconds=600)
    with scripted(HEALTH) as found, patient(found.url, issuer) as client:
        for _ in range(3):
            client.health()
        assert (issuer.given, len({each.authorization for each in found.got})) == (1, 1)


def test_a_token_is_renewed_half_a_minute_before_it_expires() -> None:
    issuer = Issuer(seconds=29)
    with scripted(HEALTH) as found, patient(found.url, issuer) as client:
        client.health()
        client.health()
        assert (issuer.given, len({each.authorization for each in found.got})) == (2, 2)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    issuer = Issuer(seconds=600)
    with scripted(EXPIRED, HEALTH) as found, patient(found.url, issuer) as client:
        assert client.health() == {"status": "ok"}
        assert (issuer.given, len(found.got)) == (2, 2)
    with scripted(EXPIRED) as found, patient(found.url, issuer) as client:
        with pytest.raises(RefusedError, match="401, The token has expired"):
            client.health()
        assert len(found.got) == 2


def test_a_token_that_cannot_be_renewed_is_refused_once() -> None:
    with scripted(EXPIRED) as found, patient(found.url, "abc.def.ghi") as client:
        with pytest.raises(RefusedError, match="401"):
            client.health()
        assert len(found.got) == 1


def test_a_token_is_in_no_repr_log_or_error(caplog: pytest.LogCaptureFixture) -> None:
    secret = "canary.canary.canary"
    shown: list[str] = []
    with caplog.at_level(logging.DEBUG), scripted(reset) as found, patient(found.url, secret, fallback=False) as client:
        shown += [repr(client), str(vars(client)), repr(client._calls.bearer.headers())]
        for step in (reset, EXPIRED, says(200, b"garbage")):
            found.script[:] = [step]
            with pytest.raises(ServingError) as error:
                client.careers("P0")
            shown.append("".join(traceback.format_exception(error.value)))
    assert len(shown) == 6
    assert "canary" not in caplog.text + "".join(shown)


@pytest.mark.parametrize("token", ["canary\r\nx: y", "canary é", "canary canary", ""])
def test_what_is_no_token_is_an_error_that_does_not_name_it(token: str) -> None:
    with pytest.raises(SettingsError, match="token: it has characters") as error:
        Client("http://service", token)
    assert "canary" not in "".join(traceback.format_exception(error.value.with_traceback(None)))
