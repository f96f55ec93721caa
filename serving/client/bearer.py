"""The token that a client shows. It is in no repr, log or error."""

import re
import threading
import time
from collections.abc import Callable

import httpx

from feature_repo.errors import SettingsError

MARGIN_SECONDS = 30.0
SHAPE = re.compile(r"[A-Za-z0-9._~+/-]+=*")
Token = str | Callable[[], str] | None
"""A token, or what gives one: a callable is asked again shortly before the token expires, and once upon a 401."""


class Bearer:
    """Holds a token and renews it."""

    def __init__(self, token: Token) -> None:
        self._give = token if callable(token) else None
        self._held = None if callable(token) else _checked(token)
        self._lock = threading.Lock()

    def headers(self) -> httpx.Headers:
        """The Authorization header, which hides its value when shown; none without a token."""
        with self._lock:
            if self._give and (self._held is None or _is_due(self._held)):
                self._held = _checked(self._give())
            return httpx.Headers({"authorization": f"Bearer {self._held}"} if self._held else {})

    def renew(self, refused: httpx.Headers) -> bool:
        """Whether there is another token than the refused one: another thread's, or a new one."""
        with self._lock:
            if self._give and refused.get("authorization") == f"Bearer {self._held}":
                self._held = _checked(self._give())
            return self._give is not None and refused.get("authorization") != f"Bearer {self._held}"

    def __repr__(self) -> str:
        return "Bearer(...)"


def _checked(token: str | None) -> str | None:
    """httpx would name the value of a header that it cannot send."""
    if token is not None and not SHAPE.fullmatch(token):
        raise SettingsError(
            "token: it has characters that no bearer token has, allowed: letters, digits, . _ ~ + / - ="
        )
    return token


def _is_due(token: str) -> bool:
    """Whether the token expires soon; nobody can say of one that is not a JWT."""
    import jwt

    try:
        expires = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except jwt.InvalidTokenError:
        return False
    return expires is not None and float(expires) - MARGIN_SECONDS < time.time()
