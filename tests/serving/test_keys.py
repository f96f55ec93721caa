"""The keys of a JWKS file: which count, how they rotate, and what cannot be passed off as signed with one."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from feature_repo.errors import SettingsError
from serving.access.auth import Tokens
from tests.serving.forged import BILLING, by_rsa, claims, jwks, pem, public, raw, refusal, rsa, settings, signed


@pytest.fixture
def by_jwks(tmp_path: Path) -> Tokens:
    """Takes tokens signed with the keys a and b."""
    return Tokens.of(settings(tmp_path, jwt_jwks=jwks(tmp_path / "jwks.json", "a", "b")))


def test_a_token_is_verified_with_the_key_that_it_names(by_jwks: Tokens) -> None:
    for name in ("a", "b", "b"):
        assert by_jwks.caller(f"Bearer {by_rsa(name)}") == BILLING


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (lambda: by_rsa("c"), "unknown key"), (lambda: by_rsa("a", kid=None), "unknown key"),
        (lambda: by_rsa("a", kid=""), "unknown key"), (lambda: by_rsa("a", kid="../jwks.json"), "unknown key"),
        (lambda: by_rsa("a", kid="b"), "bad signature"), (lambda: by_rsa("evil", kid="a"), "bad signature"),
        (lambda: raw({"alg": "HS256", "kid": "a"}, claims(), pem("a")), "bad signature"),
        (lambda: raw({"alg": "HS256", "kid": "a"}, claims(), public("a")["n"].encode()), "bad signature"),
        (lambda: raw({"alg": "RS256", "kid": "a"}, claims(), pem("a")), "bad signature"),
        (lambda: raw({"alg": "none", "kid": "a"}, claims()), "bad signature"), (signed, "unknown key"),
        (lambda: jwt.encode(claims(), rsa("a"), "PS256", {"kid": "a"}), "bad signature"),
        (lambda: jwt.encode(claims(), rsa("a"), "RS512", {"kid": "a"}), "bad signature"),
        (lambda: jwt.encode(claims(), rsa("evil"), "RS256", {"kid": "a", "jwk": public("evil")}), "bad signature"),
        (lambda: jwt.encode(claims(), rsa("evil"), "RS256", {"jwk": public("evil")}), "unknown key"),
        (lambda: by_rsa("a", aud="payroll"), "wrong audience"), (lambda: by_rsa("a", exp=-60), "expired"),
    ],
)  # fmt: skip
def test_keys_cannot_be_swapped_renamed_or_brought_along(by_jwks: Tokens, token: Callable[[], str], said: str) -> None:
    assert said in refusal(by_jwks, f"Bearer {token()}").detail


def test_keys_rotate_without_a_restart_and_a_key_that_is_gone_ends_its_tokens(by_jwks: Tokens, tmp_path: Path) -> None:
    old, new = f"Bearer {by_rsa('a')}", f"Bearer {by_rsa('c')}"
    assert by_jwks.caller(old) == BILLING
    refusal(by_jwks, new)
    jwks(tmp_path / "jwks.json", "c")
    assert by_jwks.caller(new) == BILLING
    assert "unknown key" in refusal(by_jwks, old).detail


@pytest.mark.parametrize("damaged", ["", '{"keys": [', "[]", '{"keys": []}', '{"keys": [1]}', None])
def test_a_damaged_new_file_leaves_the_keys_we_have_and_is_logged_once(
    by_jwks: Tokens, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str | None
) -> None:
    path = tmp_path / "jwks.json"
    path.unlink() if damaged is None else path.write_text(damaged)
    with caplog.at_level(logging.ERROR, "talentml.serving"):
        for _ in range(3):
            assert by_jwks.caller(f"Bearer {by_rsa('b')}") == BILLING
    assert [str(path) in line for line in caplog.messages].count(True) == 1
    jwks(path, "c")
    assert by_jwks.caller(f"Bearer {by_rsa('c')}") == BILLING


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([public("a", kid=None)], "a kid of its own"), ([public("a", kid="")], "a kid of its own"),
        (["a", public("b", kid="a")], "a kid of its own"), (["a", public("b", kid=7)], "a kid of its own"),
        ([public("weak")], "1024 bits"), ([public("a", d="AQAB")], "a private key"),
        ([public("a", n="")], "not an RSA public key"), ([{"kty": "RSA", "kid": "a"}], "not an RSA public key"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}], "0 keys for RS256"), ([public("a", use="enc")], "0 keys"),
    ],
)  # fmt: skip
def test_a_jwks_that_cannot_be_relied_on_is_refused_at_the_start(tmp_path: Path, keys: list[Any], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        Tokens.of(settings(tmp_path, jwt_jwks=jwks(tmp_path / "k", *keys)))


def test_keys_for_other_uses_beside_ours_are_left_out(tmp_path: Path) -> None:
    others = [public("enc", use="enc"), public("pss", alg="PS256"), {"kty": "EC", "crv": "P-256", "kid": "ec"}]
    tokens = Tokens.of(settings(tmp_path, jwt_jwks=jwks(tmp_path / "k", *others, "a")))
    assert tokens.caller(f"Bearer {by_rsa('a')}") == BILLING
    assert "unknown key" in refusal(tokens, f"Bearer {by_rsa('enc')}").detail
