"""What was encoded once is read back, also by another process, and a spoilt file costs time only."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from feature_repo.embedding import EmbeddingCache, Encoder, open_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return open_encoder(tmp_path_factory.mktemp("graphs"))


def counts(cache: EmbeddingCache) -> tuple[int, int]:
    return cache.hits, cache.misses


def test_a_text_is_encoded_once(tmp_path: Path, encoder: Encoder) -> None:
    cache = EmbeddingCache(tmp_path, encoder)
    first = cache.encode(["a", "b", "a"])
    assert (cache.encode(["b", "a"]) == first[[1, 0]]).all()
    assert (first == encoder.encode(["a", "b", "a"])).all()
    assert cache.hits >= 2


def test_another_cache_on_the_same_folder_encodes_nothing_again(tmp_path: Path, encoder: Encoder) -> None:
    EmbeddingCache(tmp_path, encoder).encode(["a", "b"])
    other = EmbeddingCache(tmp_path, encoder)
    other.encode(["b", "a"])
    assert counts(other) == (2, 0)


def test_a_spoilt_file_is_begun_anew(tmp_path: Path, encoder: Encoder) -> None:
    texts: Sequence[str] = ["a", "b"]
    expected = EmbeddingCache(tmp_path, encoder).encode(texts)
    for path in tmp_path.iterdir():
        if path.is_file():
            path.write_bytes(b"this is no store")
    assert np.array_equal(EmbeddingCache(tmp_path, encoder).encode(texts), expected)


def test_vectors_of_another_encoder_are_not_mixed_in(tmp_path: Path, encoder: Encoder) -> None:
    EmbeddingCache(tmp_path, encoder).encode(["a"])
    small = EmbeddingCache(tmp_path, open_encoder(tmp_path / "graphs", precision="int8"))
    small.encode(["a"])
    assert counts(small) == (0, 1)
