"""What tokens are verified with: a secret of our own (HS256), or a file of public keys (RS256). Never both."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar, Protocol

import jwt
from jwt.algorithms import HMACAlgorithm

from feature_repo.errors import SettingsError
from feature_repo.settings import Settings
from feature_repo.sources.ledger import private

LOG = logging.getLogger("talentml.serving")
SECRET_FILE = "jwt_secret"
SECRET_BYTES = 32
"""As long as the hash of HS256 (RFC 7518, 3.2)."""
RSA_BITS = 2048
"""RFC 7518, 3.3."""
MAKE_ONE = "`talentml token secret` makes one, or set TALENTML_JWT_SECRET or TALENTML_JWT_JWKS"


class UnknownKeyError(jwt.InvalidTokenError):
    """A token names no key, or none of ours."""


class Keys(Protocol):
    """Keys of exactly one algorithm: what a token's own header claims is compared with it, never followed."""

    algorithm: ClassVar[str]

    def refresh(self) -> bool:
        """Whether other keys count from now on."""

    def key_for(self, token: str) -> Any:
        """The key for PyJWT. Raises jwt.InvalidTokenError where the token names none of ours."""


def keys(settings: Settings) -> Keys:
    """The keys that the settings name, else the home's secret.

    Raises SettingsError where there is none, or both a secret and a JWKS, or one that will not do.
    """
    if settings.jwt_jwks is None:
        return Secret(secret(settings))
    if settings.jwt_secret is not None:
        raise SettingsError("jwt_secret and jwt_jwks: both are set, allowed: one of them")
    return Jwks(settings.jwt_jwks.expanduser())


def secret(settings: Settings) -> bytes:
    """The secret of the settings, else of the home. Raises SettingsError where there is none, or a weak one."""
    if settings.jwt_secret is not None:
        return _strong(settings.jwt_secret.get_secret_value().encode(), "jwt_secret")
    path = settings.root / SECRET_FILE
    try:
        return _strong(path.read_bytes().strip(), str(path))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file, so no key for tokens; {MAKE_ONE}") from None
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}, allowed: a file that the service may read") from None


def _strong(found: bytes, where: str) -> bytes:
    if len(found) < SECRET_BYTES:
        raise SettingsError(f"{where}: {len(found)} bytes, allowed: {SECRET_BYTES} or more; {MAKE_ONE}")
    try:
        return HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(found)
    except jwt.InvalidKeyError:
        raise SettingsError(f"{where}: a public key or certificate, allowed: random bytes; {MAKE_ONE}") from None


def make_secret(home: Path, replace: bool = False) -> Path:
    """Write a random secret into the home, for its owner only; gives its path.

    Raises SettingsError where there is one and it is not to be replaced: every token it signed would end with it.
    """
    path = home / SECRET_FILE
    private(draft := home / f"{SECRET_FILE}-{token_hex(4)}.draft", token_hex(SECRET_BYTES))
    try:
        if replace:
            return draft.replace(path)
        path.hardlink_to(draft)
    except FileExistsError:
        raise SettingsError(f"{path}: exists, and tokens are signed with it; --replace ends them all") from None
    finally:
        draft.unlink(missing_ok=True)
    return path


class Secret:
    """One secret for all tokens."""

    algorithm: ClassVar[str] = "HS256"

    def __init__(self, value: bytes) -> None:
        self._value = value

    def refresh(self) -> bool:
        """Never: a service is restarted for another secret."""
        return False

    def key_for(self, token: str) -> bytes:
        """The secret, which has no name: a token that names a key is another issuer's."""
        if "kid" in jwt.get_unverified_header(token):
            raise UnknownKeyError
        return self._value


class Jwks:
    """Public keys by their kid, from a file that is read again when it changes. A damaged one leaves the keys we have.

    Raises SettingsError where the file cannot be read at first.
    """

    algorithm: ClassVar[str] = "RS256"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._keys = read_jwks(path)

    def refresh(self) -> bool:
        """Whether the file has changed, and its new keys count. Costs a stat, 2 us."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._keys = read_jwks(self._path)
        except SettingsError as error:
            LOG.error("the keys read before stay: %s", error)
            return False
        return True

    def key_for(self, token: str) -> jwt.PyJWK:
        """The key that the token's kid names: a name to look up here, never a place to fetch from."""
        try:
            return self._keys[jwt.get_unverified_header(token)["kid"]]
        except KeyError:
            raise UnknownKeyError from None


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with the file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_jwks(path: Path) -> dict[str, jwt.PyJWK]:
    """The RS256 keys of a JWKS file (RFC 7517) by their kid; those for encryption or other algorithms are left out.

    Raises SettingsError where it cannot be read, holds a private key, or a key lacks a kid of its own or 2048 bits.
    """
    try:
        listed = [key for key in json.loads(path.read_bytes())["keys"] if _is_for_us(key)]
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}, allowed: a JWKS file that the service may read") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise SettingsError(f"{path}: not a JWKS, allowed: JSON with a list `keys` of objects") from None
    names = [key.get("kid") for key in listed]
    if not names or len(set(map(str, names))) < len(names) or not all(isinstance(name, str) and name for name in names):
        raise SettingsError(f"{path}: {len(names)} keys for RS256, allowed: one or more, each with a kid of its own")
    return {name: _public(key, f"{path}, key {name}") for name, key in zip(names, listed, strict=True)}


def _is_for_us(key: Mapping[str, Any]) -> bool:
    return key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and key.get("alg", "RS256") == "RS256"


def _public(key: dict[str, Any], where: str) -> jwt.PyJWK:
    if "d" in key:
        raise SettingsError(f"{where}: a private key, allowed: public keys; who verifies need not be able to sign")
    try:
        made = jwt.PyJWK(key, Jwks.algorithm)
        bits = made.key.key_size
    except (jwt.PyJWTError, ValueError, LookupError, TypeError, AttributeError):
        raise SettingsError(f"{where}: not an RSA public key, allowed: n and e as RFC 7518 writes them") from None
    if bits < RSA_BITS:
        raise SettingsError(f"{where}: {bits} bits, allowed: {RSA_BITS} or more")
    return made
