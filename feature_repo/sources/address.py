"""Where a source is, how to say so without its password, and the errors that reading it may end in."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from feature_repo.errors import SourceError
from feature_repo.sources.stream import Store

PORTS: dict[Store, int] = {"mysql": 3306, "neo4j": 7687, "mongodb": 27017}


class ConnectionLostError(SourceError):
    """The connection broke, or never came about: reading the whole window again may succeed."""


@dataclass(frozen=True, repr=False)
class Address:
    """A source's URL in parts. Its text shows the store, host and port, and never the password."""

    store: Store
    url: str

    def __str__(self) -> str:
        return f"{self.store} at {self.host}:{self.port}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "127.0.0.1"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or PORTS[self.store]

    @property
    def user(self) -> str:
        return unquote(urlsplit(self.url).username or "")

    @property
    def password(self) -> str:
        return unquote(urlsplit(self.url).password or "")

    @property
    def bare(self) -> str:
        """The URL without user and password."""
        return f"{urlsplit(self.url).scheme}://{self.host}:{self.port}"

    def masked(self, text: object) -> str:
        """The first line of a client's complaint, without the password or the URL that holds it."""
        line = next(iter(str(text).splitlines()), "")[:300]
        for secret in (self.url, urlsplit(self.url).password, self.password):
            line = line.replace(secret, "***") if secret else line
        return line

    def refusal(self, complaint: object) -> SourceError:
        """The user or the password is wrong."""
        return SourceError(
            f"{self}: login as {self.user or 'nobody'} refused ({self.masked(complaint)}). "
            f"Allowed: a user who may read; set TALENTML_{self.store.upper()}_URL, or: talentml servers start"
        )

    def interruption(self, complaint: object) -> ConnectionLostError:
        """The server is down, or went away."""
        return ConnectionLostError(
            f"{self}: the connection failed ({self.masked(complaint)}). "
            f"Start the server (talentml servers start) or set TALENTML_{self.store.upper()}_URL, then run this again"
        )

    def failure(self, complaint: object) -> SourceError:
        """The server answered, and refused the query."""
        return SourceError(f"{self}: {self.masked(complaint)}")
