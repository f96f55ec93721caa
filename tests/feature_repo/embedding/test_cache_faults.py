"""The cache's file under faults: spoilt, locked, written by two processes at once."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from feature_repo.embedding import EmbeddingCache, Encoder

WRITER = """
import sys
from pathlib import Path
from feature_repo.embedding import EmbeddingCache, open_encoder
graphs, folder, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
cache = EmbeddingCache(folder, open_encoder(graphs))
for start in range(first, first + 60, 10):
    cache.encode([f"text {place}" for place in range(start, start + 10)])
"""


@pytest.fixture
def cache(tmp_path: Path, encoder: Encoder) -> EmbeddingCache:
    return EmbeddingCache(tmp_path, encoder)


@contextmanager
def opened(cache: EmbeddingCache) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        yield connection


def test_hits_and_misses_are_counted_per_text_asked(cache: EmbeddingCache):
    cache.encode(["data engineer", "welder", "data engineer", None, "nurse"])
    assert (cache.misses, cache.hits) == (4, 1)
    cache.encode(["nurse", "baker"])
    assert (cache.misses, cache.hits) == (5, 2)


def test_the_file_names_no_text(cache: EmbeddingCache):
    cache.encode(["a secret wish"])
    assert b"secret" not in cache.path.read_bytes()


@pytest.mark.parametrize("spoil", ["no database", "torn pages", "cut short"])
def test_a_spoilt_file_is_set_aside_and_begun_anew_with_a_warning(spoil: str, cache: EmbeddingCache, encoder: Encoder):
    before = cache.encode([f"text {place}" for place in range(50)])
    content = cache.path.read_bytes()
    spoilt = {
        "no database": b"x" * len(content),
        "torn pages": content[:4096] + b"\xff" * (len(content) - 4096),
        "cut short": content[: len(content) // 3],
    }
    cache.path.write_bytes(spoilt[spoil])
    with pytest.warns(UserWarning, match="set aside as .*spoilt and begun anew"):
        again = cache.encode([f"text {place}" for place in range(50)])
    np.testing.assert_array_equal(again, before)
    assert cache.path.with_suffix(".spoilt").read_bytes() == spoilt[spoil]
    assert EmbeddingCache(cache.path.parent, encoder).encode(["text 7"]).shape == (1, 384)


@pytest.mark.parametrize(
    "spoilt", [b"", b"short", np.zeros(384, "<f4").tobytes(), np.full(384, np.nan, "<f4").tobytes()]
)
def test_a_spoilt_vector_is_encoded_again_with_a_warning(spoilt: bytes, cache: EmbeddingCache):
    before = cache.encode(["nurse", "welder"])
    with opened(cache) as connection:
        connection.execute("update vectors set vector = ? where rowid = 1", [spoilt])
    with pytest.warns(UserWarning, match="1 spoilt vectors are encoded again"):
        np.testing.assert_allclose(cache.encode(["nurse", "welder"]), before, atol=1e-6)
    np.testing.assert_allclose(cache.encode(["nurse", "welder"]), before, atol=1e-6)
    assert cache.misses == 3


def test_a_file_that_is_locked_for_good_is_an_error_and_not_set_aside(
    cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
):
    cache.encode(["nurse"])
    monkeypatch.setattr("feature_repo.embedding.cache.WAIT", 0.1)
    with opened(cache) as other:
        other.execute("begin exclusive")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            cache.encode(["welder"])
    assert not cache.path.with_suffix(".spoilt").exists()


def test_two_processes_that_write_at_once_lose_nothing(cache: EmbeddingCache, graphs: Path):
    firsts = (0, 30)  # texts 30 to 59 by both
    commands = [[sys.executable, "-c", WRITER, str(graphs), str(cache.path.parent), str(first)] for first in firsts]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    errors = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    cache.encode([f"text {place}" for place in range(90)])
    assert (cache.misses, cache.hits) == (0, 90)
