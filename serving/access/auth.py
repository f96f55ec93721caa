"""Bearer tokens: who asks is what a verified JSON Web Token says.

Source: RFC 6750 (bearer tokens), RFC 7519 (claims), RFC 8725 (what to beware of: one algorithm, chosen here).
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

import jwt
from jwt.types import Options
from pydantic import BaseModel, Field, ValidationError

from feature_repo.errors import DataError, SettingsError
from feature_repo.settings import Settings
from serving.access.caller import Caller, Role
from serving.access.keys import Keys, Secret, UnknownKeyError, keys, secret
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError
from serving.schemas.requests import Id

__all__ = ["Caller", "Role", "Tokens", "authorization", "issue"]

BEARER = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]*)", re.IGNORECASE | re.ASCII)
OPTIONS: Options = {"require": ["exp", "iat", "iss", "aud", "sub", "role"], "enforce_minimum_key_length": True}
FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired."),
    (jwt.ImmatureSignatureError, "The token is not yet valid, by the clock of the service."),
    (jwt.InvalidIssuerError, "The token has the wrong issuer."),
    (jwt.InvalidAudienceError, "The token has the wrong audience: it is meant for another service."),
    (jwt.InvalidSignatureError, "The token has a bad signature."),
    (jwt.InvalidAlgorithmError, "The token has a bad signature: its algorithm is not the one that is taken here."),
    (UnknownKeyError, "The token is signed with an unknown key."),
    (jwt.InvalidTokenError, "The token is malformed."),
)
"""The first that fits is said. None repeats anything of the token, which may be a good one in the wrong place."""

Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Claims(BaseModel):
    """What a token says beside issuer and audience. Instants are seconds since 1970."""

    sub: Id
    role: Role
    iat: Seconds
    exp: Seconds
    nbf: Seconds | None = None


@dataclass(frozen=True)
class Verified:
    """A caller, and until when that is believed without another look at the token, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens:
    """Verifies tokens, for one event loop. Headers whose token was verified last are known for a minute.

    A verification takes 30 us with a secret and 74 us with an RSA key; a header that is known takes .3. It is found as
    it came: its form was looked at when it was verified, and OpenSSL's hash of it took 8 us between answers.
    """

    def __init__(self, keys: Keys, issuer: str, audience: str, clock: Callable[[], float] = time.time) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._verified: dict[str, Verified] = {}
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say. Raises SettingsError without a key, or with one that will not do."""
        return cls(keys(settings), settings.jwt_issuer, settings.jwt_audience)

    def caller(self, authorization: str | None) -> Caller:
        """Who asks, by the Authorization header. Raises ProblemError 401, which says what is wrong with it."""
        if self._keys.refresh():
            self._verified.clear()
        found = self._verified.get(authorization or "")
        if found is None or found.until <= self._clock():
            found = self._verify(_bearer(authorization))
            self._keep(authorization or "", found)
        return found.caller

    def _keep(self, authorization: str, verified: Verified) -> None:
        if len(self._verified) >= LIMITS.tokens_known:
            self._verified.clear()  # rare; an order to forget them in costs every request
        self._verified[authorization] = verified

    def _verify(self, token: str) -> Verified:
        try:
            claims = Claims.model_validate(self._decoded(token))
        except jwt.InvalidTokenError as error:
            raise _refused(_reason(error)) from None
        except ValidationError as error:
            raise _refused(_wrong_claim(error)) from None
        return Verified(Caller(claims.sub, claims.role), _known_until(claims.exp, self._clock()))

    def _decoded(self, token: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            self._keys.key_for(token),
            [self._keys.algorithm],
            OPTIONS,
            audience=self._audience,
            issuer=self._issuer,
            leeway=LIMITS.token_leeway_seconds,
        )


def _known_until(expires: float, now: float) -> float:
    return min(now + LIMITS.token_known_seconds, expires)


def authorization(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The Authorization of ASGI headers. Two are joined (RFC 9110, 5.3) and so refused: nobody guesses which counts."""
    found = [value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"]
    return ", ".join(found) if found else None


def _bearer(authorization: str | None) -> str:
    if not authorization:
        headers = {"WWW-Authenticate": 'Bearer realm="talentml"'}  # without a token no error code (RFC 6750, 3.1)
        raise ProblemError(401, "The token is missing: send it as `Authorization: Bearer ...`.", headers=headers)
    fits = len(authorization) <= LIMITS.token_length and BEARER.fullmatch(authorization)
    if not fits:
        most = f"of at most {LIMITS.token_length} characters"
        raise _refused(f"The token is malformed: Authorization must be Bearer and one signed JSON Web Token {most}.")
    return fits[1]


def _refused(reason: str) -> ProblemError:
    """A 401. reason: without quotes or backslashes, which an error_description may not hold (RFC 6750, 3)."""
    challenge = f'Bearer realm="talentml", error="invalid_token", error_description="{reason}"'
    return ProblemError(401, reason, headers={"WWW-Authenticate": challenge})


def _reason(error: jwt.InvalidTokenError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token is malformed: it lacks the claim {error.claim}."
    return next(reason for kind, reason in FAULTS if isinstance(error, kind))


def _wrong_claim(error: ValidationError) -> str:
    claim = error.errors(include_input=False, include_url=False, include_context=False)[0]["loc"][0]
    if claim == "role":
        return f"The token has an unknown role, allowed: {', '.join(Role)}."
    return f"The token is malformed: its claim {claim} is not what it must be."


def issue(settings: Settings, subject: str, role: Role, lifetime: timedelta) -> str:
    """A token signed with the secret, for development and for services that cannot have their own issuer.

    Raises SettingsError where only public keys are configured, DataError for a subject or lifetime that will not do.
    """
    if settings.jwt_jwks is not None:
        raise SettingsError("jwt_jwks: public keys sign nothing; whoever holds the private key issues the tokens")
    now = datetime.now(UTC)
    claims = {"sub": subject, "role": role, "iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp())}
    try:
        Claims.model_validate(claims)
    except ValidationError:
        allowed = f"1 to {LIMITS.id_length} characters, none of them a control character"
        raise DataError(f"subject of {len(subject)} characters, allowed: {allowed}") from None
    if lifetime < timedelta(seconds=1):
        raise DataError(f"lifetime {lifetime}, allowed: a second or more")
    named = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    return jwt.encode({**claims, **named}, secret(settings), Secret.algorithm)
