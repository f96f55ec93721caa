"""Vectors of texts that were encoded before, in one SQLite file per encoder, shared by processes."""

import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np

from feature_repo.embedding.encoder import Encoder, plain
from feature_repo.embedding.model import Array

CHUNK = 4096  # texts encoded between two commits: what a killed process loses at most
WAIT = 60.0  # s for another process's commit
SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
TABLE = "create table if not exists vectors (text blob primary key, vector blob not null)"

T = TypeVar("T")


class EmbeddingCache:
    """Encodes like its encoder, each text once in the life of a folder.

    Keys are the texts' sha256: the file names no text. Safe between processes and threads; a spoilt file is set aside
    with a warning and begun anew, a spoilt vector is encoded again. misses: texts encoded; hits: the other texts asked.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{encoder.name}.sqlite"
        self.hits = self.misses = 0
        self._encoder = encoder

    def encode(self, texts: Sequence[str | None]) -> Array:
        """As Encoder.encode, with only the unknown texts encoded, and stored."""
        clean = plain(texts)
        places = {text: place for place, text in enumerate(dict.fromkeys(clean))}
        distinct = list(places)
        vectors = np.empty((len(distinct), self._encoder.width), np.float32)
        missed = 0
        for start in range(0, len(distinct), CHUNK):
            missed += self._fill(vectors[start : start + CHUNK], distinct[start : start + CHUNK])
        self.misses += missed
        self.hits += len(clean) - missed
        return vectors[np.fromiter(map(places.__getitem__, clean), np.intp, len(clean))]

    def _fill(self, vectors: Array, texts: list[str]) -> int:
        """Stored or encoded vectors, one per text; how many were encoded."""
        keys = [sha256(text.encode()).digest() for text in texts]
        stored = self._sound(self._begun_anew_if_spoilt(lambda: self._read(keys)))
        unknown = [place for place, key in enumerate(keys) if key not in stored]
        known = [place for place, key in enumerate(keys) if key in stored]
        if known:
            vectors[known] = self._numbers(stored[keys[place]] for place in known)
        if unknown:
            vectors[unknown] = fresh = self._encoder.encode([texts[place] for place in unknown])
            rows = [(keys[place], vector.astype("<f4").tobytes()) for place, vector in zip(unknown, fresh, strict=True)]
            self._begun_anew_if_spoilt(lambda: self._write(rows))
        return len(unknown)

    def _sound(self, stored: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """The vectors of the right width and of unit length; a warning for others."""
        size = 4 * self._encoder.width
        whole = {key: vector for key, vector in stored.items() if len(vector) == size}
        unit = np.abs(np.linalg.norm(self._numbers(whole.values()), axis=1) - 1) < 1e-3
        sound = {key: whole[key] for key, right in zip(whole, unit, strict=True) if right}
        if len(sound) < len(stored):
            warnings.warn(f"{self.path}: {len(stored) - len(sound)} spoilt vectors are encoded again", stacklevel=4)
        return sound

    def _numbers(self, stored: Iterable[bytes]) -> Array:
        return np.frombuffer(b"".join(stored), "<f4").reshape(-1, self._encoder.width)

    def _read(self, keys: list[bytes]) -> dict[bytes, bytes]:
        asked = ",".join("?" * len(keys))
        with self._open() as connection:
            return dict(connection.execute(f"select text, vector from vectors where text in ({asked})", keys))

    def _write(self, rows: list[tuple[bytes, bytes]]) -> None:
        with self._open() as connection:
            connection.executemany("insert or replace into vectors values (?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection per use: 0.1 ms, and nothing to share between threads or to inherit over a fork. A rollback
        # journal rather than a log ahead: a spoilt file is then one file to set aside.
        with closing(sqlite3.connect(self.path, timeout=WAIT)) as connection, connection:
            connection.execute(TABLE)
            yield connection

    def _begun_anew_if_spoilt(self, use: Callable[[], T]) -> T:
        try:
            return use()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in SPOILT:
                raise
            aside = self.path.with_suffix(".spoilt")
            warnings.warn(f"{self.path}: {error}; set aside as {aside.name} and begun anew", stacklevel=4)
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        self.path.replace(aside)
        return use()
