"""Words that are safe to log: what third parties say of an error may repeat what was sent, or a password."""

import re
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from feature_repo.errors import TalentError
from feature_repo.settings import Settings
from serving.schemas.problems import ProblemError

HIDDEN = "***"
CREDENTIALS = (
    (re.compile(r"(?<=://)[^/\s@]*@"), HIDDEN + "@"),
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?"), HIDDEN),
    (
        re.compile(r"(?i)\b(bearer|password|passwd|pwd|secret|token)((?:['\"]?\s*[=:]|\s)\s*['\"]?)[^\s'\",;]+"),
        rf"\1\2{HIDDEN}",
    ),
)
SHORTEST_SECRET = 4
MOST_CAUSES, MOST_FRAMES, LONGEST = 5, 30, 500


def secrets(settings: Settings) -> frozenset[str]:
    """Every secret among the settings, and the password within each address."""
    values = [getattr(settings, name) for name in Settings.model_fields]
    whole = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    addresses = [*whole, *(value for value in values if isinstance(value, str))]  # Airflow's has a password too
    parts = [password for address in addresses for password in _passwords(address)]
    return frozenset(each for each in (*whole, *parts) if len(each) >= SHORTEST_SECRET)


def _passwords(url: str) -> Iterable[str]:
    try:
        password = urlsplit(url).password
    except ValueError:  # not an address
        return ()
    return (password, unquote(password)) if password else ()


def clean(text: str, known: Iterable[str] = ()) -> str:
    """The text without known secrets, and without what looks like a credential; one line, at most 500 characters."""
    for secret in known:
        text = text.replace(secret, HIDDEN)
    for pattern, instead in CREDENTIALS:
        text = pattern.sub(instead, text)
    return text.partition("\n")[0][:LONGEST]


def described(error: BaseException) -> str:
    """An error in words that repeat nothing that was sent.

    Our errors name columns, files and versions, and are given in full; but a ProblemError is meant for its caller,
    whose ids it may name. Of others' errors only the type is: polars, pydantic and SQLAlchemy put values into theirs.
    """
    kind = type(error).__name__
    if isinstance(error, ProblemError):
        return f"{kind}: {error.status}"
    if isinstance(error, TalentError):
        return f"{kind}: {clean(str(error))}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def traceback_of(error: BaseException) -> list[dict[str, Any]]:
    """An error and what led to it, the last first: words and frames, never the values of variables."""
    found: list[dict[str, Any]] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < MOST_CAUSES:
        frames = traceback.extract_tb(cause.__traceback__, limit=-MOST_FRAMES)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        found.append({"error": described(cause), "frames": places})
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found
