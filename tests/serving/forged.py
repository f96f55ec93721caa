"""Tokens good and forged, and the keys they are signed with."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from feature_repo.settings import Settings
from serving.access.auth import Caller, Role, Tokens
from serving.schemas.problems import ProblemError

SECRET = "a secret of the tests, 32 bytes or more"
BILLING = Caller("billing", Role.SERVICE)
"""Whom claims() are of, unless changed."""
ITS_OWN = object()
MINUTE = 60


def settings(home: Path, **given: Any) -> Settings:
    """Settings of a home, whatever the environment says."""
    return Settings(home=home, _env_file=None, **given)


def by_secret(**given: Any) -> Tokens:
    """Takes tokens signed with SECRET."""
    return Tokens.of(settings(Path(), jwt_secret=SECRET, **given))


def refusal(tokens: Tokens, header: str | None) -> ProblemError:
    """The 401 of a header that must be refused."""
    with pytest.raises(ProblemError) as refused:
        tokens.caller(header)
    assert refused.value.status == 401
    return refused.value


@cache
def rsa(name: str) -> RSAPrivateKey:
    """A private key, the same for the same name; that of the name weak has half the bits."""
    return generate_private_key(public_exponent=65537, key_size=1024 if name == "weak" else 2048)


def public(name: str, **more: Any) -> dict[str, Any]:
    """Its public half, as a JWKS lists it."""
    return {**RSAAlgorithm.to_jwk(rsa(name).public_key(), as_dict=True), "kid": name, **more}


def pem(name: str) -> bytes:
    """Its public half, as PEM."""
    return rsa(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwks(path: Path, *keys: Any) -> Path:
    """A JWKS file of these keys; a name stands for the public half of the key of that name."""
    path.write_text(json.dumps({"keys": [public(key) if isinstance(key, str) else key for key in keys]}))
    return path


def claims(without: Sequence[str] = (), **changed: Any) -> dict[str, Any]:
    """What a good token says, with some of it changed or left out. iat, exp and nbf are given as seconds from now."""
    said: dict[str, Any] = {"sub": "billing", "role": "service", "iss": "talentml", "aud": "talentml"}
    said |= {"iat": 0, "exp": 10 * MINUTE, **changed}
    now = int(time.time())
    dated = {
        name: now + value if name in ("iat", "exp", "nbf") and type(value) is int else value
        for name, value in said.items()
    }
    return {name: value for name, value in dated.items() if name not in without}


def signed(headers: Mapping[str, Any] | None = None, without: Sequence[str] = (), **changed: Any) -> str:
    """A token signed with SECRET, as claims()."""
    return raw({"alg": "HS256", "typ": "JWT", **(headers or {})}, claims(without, **changed))


def raw(header: Any, said: Any, secret: bytes = SECRET.encode()) -> str:
    """A token of any header and claims, HMAC-signed whatever the header says; no library of ours or of others minds."""
    head = ".".join(segment(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, said))
    return f"{head}.{segment(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def by_rsa(name: str, kid: Any = ITS_OWN, **changed: Any) -> str:
    """A token signed with the key of that name, whose kid it names unless told otherwise; None leaves it out."""
    headers = {} if kid is None else {"kid": name if kid is ITS_OWN else kid}
    return jwt.encode(claims(**changed), rsa(name), "RS256", headers=headers)


def segment(content: bytes) -> str:
    """Base64url, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _renamed(token: str) -> str:
    """The claims of somebody else under the signature of this one."""
    head, _, signature = token.split(".")
    return f"{head}.{segment(json.dumps(claims(role='admin')).encode())}.{signature}"


@dataclass(frozen=True)
class Forgery:
    """An Authorization header that must be refused, and what the answer says of it."""

    name: str
    header: Callable[[], str | None]
    said: str

    def __str__(self) -> str:
        return self.name


def bearer(name: str, token: Callable[[], str], said: str) -> Forgery:
    """A forged token, sent as it should be."""
    return Forgery(name, lambda: f"Bearer {token()}", said)


def _none(alg: str, signature: str = "") -> str:
    return ".".join((*raw({"alg": alg, "typ": "JWT"}, claims()).split(".")[:2], signature))


FORGERIES = [
    Forgery("no header", lambda: None, "missing"),
    Forgery("an empty header", lambda: "", "missing"),
    Forgery("a scheme alone", lambda: "Bearer", "malformed"),
    Forgery("a scheme and a space", lambda: "Bearer ", "malformed"),
    Forgery("a token without its scheme", signed, "malformed"),
    Forgery("another scheme", lambda: f"Basic {signed()}", "malformed"),
    Forgery("the scheme twice", lambda: f"Bearer Bearer {signed()}", "malformed"),
    Forgery("two tokens", lambda: f"Bearer {signed()} {signed()}", "malformed"),
    Forgery("two headers in one", lambda: f"Bearer {signed()}, Bearer {signed()}", "malformed"),
    Forgery("a newline behind it", lambda: f"Bearer {signed()}\n", "malformed"),
    bearer("letters of other alphabets", lambda: "é.ü.ß", "malformed"),
    bearer("no token at all", lambda: "x", "malformed"),
    bearer("three dots", lambda: "...", "malformed"),
    bearer("an extra segment", lambda: f"{signed()}.{segment(b'{}')}", "malformed"),
    bearer("an encrypted token's five segments", lambda: "e30.e30.e30.e30.e30", "malformed"),
    bearer("a segment too few", lambda: signed().rpartition(".")[0], "malformed"),
    bearer("padded base64", lambda: f"{signed()}=", "malformed"),
    bearer("a huge token", lambda: signed(note="x" * 1_000_000), "malformed"),
    bearer("a header that is no JSON", lambda: raw(b"{", claims()), "malformed"),
    bearer("a header that is a list", lambda: raw([], claims()), "malformed"),
    bearer("claims that are a list", lambda: raw({"alg": "HS256"}, []), "malformed"),
    bearer("claims nested 900 deep", lambda: raw({"alg": "HS256"}, b"[" * 900 + b"]" * 900), "malformed"),
    bearer("a number of 2,500 digits", lambda: raw({"alg": "HS256"}, b'{"exp": ' + b"9" * 2_500 + b"}"), "malformed"),
    bearer("alg none", lambda: _none("none"), "bad signature"),
    bearer("alg none, in capitals", lambda: _none("NONE"), "bad signature"),
    bearer("alg none, with a signature", lambda: _none("none", "AAAA"), "bad signature"),
    bearer("no alg", lambda: raw({"typ": "JWT"}, claims()), "bad signature"),
    bearer("alg is a list", lambda: raw({"alg": ["HS256"]}, claims()), "bad signature"),
    bearer("another HMAC", lambda: jwt.encode(claims(), SECRET * 2, "HS512"), "bad signature"),
    bearer("RS256 where a secret is taken", lambda: by_rsa("a"), "unknown key"),
    bearer("another secret", lambda: raw({"alg": "HS256"}, claims(), b"x" * 32), "bad signature"),
    bearer("no secret", lambda: raw({"alg": "HS256"}, claims(), b""), "bad signature"),
    bearer("a signature cut short", lambda: signed()[:-11], "bad signature"),
    bearer("a signature left out", lambda: signed().rpartition(".")[0] + ".", "bad signature"),
    bearer("other claims under a good signature", lambda: _renamed(signed()), "bad signature"),
    bearer("its own key in jwk", lambda: jwt.encode(claims(), rsa("evil"), "RS256", {"jwk": public("evil")}), "bad s"),
    bearer("jku", lambda: raw({"alg": "HS256", "jku": "http://127.0.0.1/k"}, claims(), b"x" * 32), "bad signature"),
    bearer("x5u", lambda: raw({"alg": "HS256", "x5u": "file:///etc/passwd"}, claims(), b"x" * 32), "bad signature"),
    bearer("a critical extension", lambda: signed({"crit": ["exp"], "exp": 1}), "malformed"),
    bearer("an unencoded payload", lambda: signed({"crit": ["b64"], "b64": False}), "malformed"),
    bearer("a key by name, of a service that has one without", lambda: signed({"kid": "a"}), "unknown key"),
    bearer("a path as the name of the key", lambda: signed({"kid": "../../dev/null"}), "unknown key"),
    bearer("a kid that is a number", lambda: signed({"kid": 1}), "malformed"),
    *(
        bearer(f"no {name}", lambda name=name: signed(without=[name]), f"malformed: it lacks the claim {name}.")
        for name in ("sub", "role", "iss", "aud", "iat", "exp")
    ),
    bearer("another audience", lambda: signed(aud="payroll"), "wrong audience"),
    bearer("other audiences", lambda: signed(aud=["payroll", "talentml2"]), "wrong audience"),
    bearer("an audience that is a number", lambda: signed(aud=1), "wrong audience"),
    bearer("an audience beside a number", lambda: signed(aud=["talentml", 1]), "wrong audience"),
    bearer("an audience in capitals", lambda: signed(aud="Talentml"), "wrong audience"),
    bearer("no audience in a list", lambda: signed(aud=[]), "lacks the claim aud"),
    bearer("another issuer", lambda: signed(iss="evil"), "wrong issuer"),
    bearer("a list of issuers", lambda: signed(iss=["talentml"]), "wrong issuer"),
    bearer("expired", lambda: signed(iat=-MINUTE, exp=-31), "expired"),
    bearer("never issued, long expired", lambda: signed(iat=-MINUTE, exp=-(10**9)), "expired"),
    bearer("expires as text", lambda: signed(exp="9999999999"), "malformed: its claim exp"),
    bearer("expires at true", lambda: signed(exp=True), "expired"),
    bearer("never expires", lambda: signed(exp=float("inf")), "malformed"),
    bearer("expires at no number", lambda: signed(exp=float("nan")), "malformed"),
    bearer("not yet valid", lambda: signed(nbf=MINUTE), "not yet valid"),
    bearer("valid from some text on", lambda: signed(nbf="now"), "malformed"),
    bearer("issued in the future", lambda: signed(iat=MINUTE), "not yet valid"),
    bearer("issued at a text", lambda: signed(iat="0"), "malformed: its claim iat"),
    bearer("an empty subject", lambda: signed(sub=""), "malformed: its claim sub"),
    bearer("a subject that is a number", lambda: signed(sub=7), "malformed"),
    bearer("a subject of 129 characters", lambda: signed(sub="x" * 129), "malformed: its claim sub"),
    bearer("a NUL in the subject", lambda: signed(sub="P1\0"), "malformed: its claim sub"),
    bearer("half a character as subject", lambda: signed(sub="\ud800"), "malformed: its claim sub"),
    bearer("an unknown role", lambda: signed(role="root"), "unknown role"),
    bearer("a role in capitals", lambda: signed(role="ADMIN"), "unknown role"),
    bearer("a list of roles", lambda: signed(role=["admin"]), "unknown role"),
    bearer("a role that is true", lambda: signed(role=True), "unknown role"),
]
"""Each is refused by a service whose key is SECRET, issuer talentml and audience talentml."""
