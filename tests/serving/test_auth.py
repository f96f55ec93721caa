"""Who a token says is asking, and the many that are refused. FAULTS.md rows 14 and 19."""

import re
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from feature_repo.errors import DataError, SettingsError
from serving.access import auth
from serving.access.auth import Caller, Role, Tokens, authorization, issue
from serving.access.keys import make_secret
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError
from tests.serving.forged import BILLING, FORGERIES, SECRET, Forgery, by_secret, jwks, pem, refusal, settings, signed
from tests.serving.process import until


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_a_forged_token_is_refused_with_the_reason_and_never_repeated(forgery: Forgery) -> None:
    tokens, header = by_secret(), forgery.header()
    refused = refusal(tokens, header)
    assert forgery.said in refused.detail
    challenge = refused.headers["WWW-Authenticate"]
    if forgery.said == "missing":
        assert challenge == 'Bearer realm="talentml"'
    else:
        found = re.fullmatch(r'Bearer realm="talentml", error="invalid_token", error_description="(.*)"', challenge)
        assert found
        assert found[1] == refused.detail
        assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", found[1]), "RFC 6750, 3"
    parts = [part for part in re.split(r"[ .,]", header or "") if len(part) > 10]
    assert not [part for part in parts if part in refused.detail + challenge]
    assert tokens.caller(f"Bearer {signed()}") == BILLING, "and the next good one is taken"
    refusal(tokens, header)


@pytest.mark.parametrize("role", Role)
def test_a_good_token_says_who_asks_and_in_which_role(role: Role) -> None:
    assert by_secret().caller(f"Bearer {signed(sub='P1', role=role)}") == Caller("P1", role)


@pytest.mark.parametrize(
    "header",
    [
        lambda: f"bearer {signed()}",
        lambda: f"BEARER   {signed()}",
        lambda: f"Bearer {signed(aud=['payroll', 'talentml'])}",
        lambda: f"Bearer {signed(sub='billing', nbf=-5, jti='1', more={'of': 'it'})}",
        lambda: f"Bearer {signed({'jku': 'http://127.0.0.1/', 'typ': 'at+jwt'})}",
    ],
    ids=["bearer", "BEARER", "one audience of two", "more claims", "headers that nobody follows"],
)
def test_what_does_no_harm_is_taken(header: Callable[[], str]) -> None:
    assert by_secret().caller(header()) == BILLING


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ({"iat": 20}, None), ({"iat": 40}, "not yet valid"),
        ({"nbf": 20}, None), ({"nbf": 40}, "not yet valid"),
        ({"iat": -900, "exp": -20}, None), ({"iat": -900, "exp": -40}, "expired"),
        ({"iat": 600, "exp": 1200}, "not yet valid"), ({"iat": -1200, "exp": -600}, "expired"),
    ],
)  # fmt: skip
def test_clocks_may_differ_by_half_a_minute_and_not_by_ten_minutes(dates: dict[str, int], said: str | None) -> None:
    header = f"Bearer {signed(**dates)}"
    if said is None:
        assert by_secret().caller(header) == BILLING
    else:
        assert said in refusal(by_secret(), header).detail


def test_a_token_that_was_taken_is_refused_once_it_has_expired() -> None:
    """A busy machine may look at it too late, so that one is taken which has longer to go."""
    tokens = by_secret()
    headers = (f"Bearer {signed(iat=-900, exp=left - 30)}" for left in (2, 10, 60))
    taken = next(header for header in headers if is_taken(tokens, header))
    until(lambda: not is_taken(tokens, taken))
    assert "expired" in refusal(tokens, taken).detail


def is_taken(tokens: Tokens, header: str) -> bool:
    with suppress(ProblemError):
        return tokens.caller(header) == BILLING
    return False


@pytest.mark.parametrize(("expires", "known"), [(1_000.0, 60.0), (30.0, 30.0), (-5.0, -5.0)])
def test_a_verified_token_is_known_for_a_minute_and_never_past_its_end(expires: float, known: float) -> None:
    now = 1e9
    assert auth._known_until(now + expires, now) == now + known


def test_so_many_tokens_are_known_and_no_more() -> None:
    tokens = by_secret()
    for number in range(LIMITS.tokens_known + 10):
        tokens.caller(f"Bearer {signed(sub=str(number))}")
    assert 0 < len(tokens._verified) <= LIMITS.tokens_known


def test_two_authorization_headers_are_refused_whichever_comes_first() -> None:
    good = (b"authorization", f"Bearer {signed()}".encode())
    assert authorization([(b"host", b"x")]) is None
    assert by_secret().caller(authorization([(b"host", b"x"), good])) == BILLING
    for other in (good, (b"Authorization", b"Basic x"), (b"authorization", b"")):
        refusal(by_secret(), authorization([good, other]))
        refusal(by_secret(), authorization([other, good]))


def test_issuer_and_audience_are_those_of_the_settings() -> None:
    tokens = by_secret(jwt_issuer="idp", jwt_audience="people")
    assert tokens.caller(f"Bearer {signed(iss='idp', aud='people')}") == BILLING
    assert "issuer" in refusal(tokens, f"Bearer {signed(aud='people')}").detail


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "talentml token secret"), ({}, "TALENTML_JWT_SECRET"), ({}, "TALENTML_JWT_JWKS"),
        ({"jwt_secret": "x" * 31}, "31 bytes, allowed: 32 or more"), ({"jwt_secret": ""}, "0 bytes"),
        ({"jwt_secret": SECRET, "jwt_jwks": "keys.json"}, "both are set"),
        ({"jwt_secret": pem("a").decode()}, "a public key"),
        ({"jwt_jwks": "none.json"}, "none.json"),
    ],
)  # fmt: skip
def test_a_service_without_a_good_key_refuses_to_start(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        Tokens.of(settings(tmp_path, **given))
    assert "x" * 31 not in str(refused.value)


def test_the_homes_secret_is_random_private_and_never_overwritten_by_chance(tmp_path: Path) -> None:
    home = settings(tmp_path / "home")
    path = make_secret(home.root)
    first = path.read_text()
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = issue(home, "P1", Role.TALENT, timedelta(hours=1))
    assert Tokens.of(home).caller(f"Bearer {token}") == Caller("P1", Role.TALENT)
    with pytest.raises(SettingsError, match="exists"):
        make_secret(home.root)
    assert path.read_text() == first
    assert make_secret(home.root, replace=True).read_text() != first
    refusal(Tokens.of(home), f"Bearer {token}")
    assert [each.name for each in home.root.iterdir()] == ["jwt_secret"]


def test_an_issued_token_holds_what_is_required_and_no_more(tmp_path: Path) -> None:
    token = issue(settings(tmp_path, jwt_secret=SECRET), "billing", Role.SERVICE, timedelta(hours=1))
    said = jwt.decode(token, SECRET, ["HS256"], audience="talentml")
    assert said.pop("exp") - said.pop("iat") == 3600
    assert said == {"sub": "billing", "role": "service", "iss": "talentml", "aud": "talentml"}


@pytest.mark.parametrize("subject", ["", "x" * 129, "a\nb"])
def test_no_token_is_issued_that_would_be_refused(tmp_path: Path, subject: str) -> None:
    home = settings(tmp_path, jwt_secret=SECRET)
    with pytest.raises(DataError, match="subject"):
        issue(home, subject, Role.ADMIN, timedelta(hours=1))
    with pytest.raises(DataError, match="lifetime"):
        issue(home, "billing", Role.ADMIN, timedelta(0))


def test_public_keys_issue_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="private key"):
        issue(settings(tmp_path, jwt_jwks=jwks(tmp_path / "k", "a")), "P1", Role.TALENT, timedelta(hours=1))
