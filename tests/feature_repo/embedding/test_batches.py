"""Texts are encoded in batches of one length, which no vector shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feature_repo.embedding import Encoder, open_encoder
from feature_repo.embedding.encoder import BATCH_TOKENS, batches
from feature_repo.errors import DataError

MIXED = ["data", "senior data engineer", "a", "remote, four days a week", "data engineer", "welder in Ghent"]


def test_a_batch_has_texts_of_one_length_and_the_longest_come_first():
    lengths = np.array([3, 7, 3, 200, 7])
    assert [batch.tolist() for batch in batches(lengths)] == [[3], [1, 4], [0, 2]]


def test_a_batch_has_no_more_tokens_than_fit():
    most = BATCH_TOKENS // 100
    sizes = [len(batch) for batch in batches(np.full(3 * most + 1, 100))]
    assert sum(sizes) == 3 * most + 1
    assert max(sizes) <= most
    assert len(sizes) == 4


def test_vectors_come_in_the_order_of_the_texts_though_batches_are_sorted_by_length(encoder: Encoder):
    together = encoder.encode(MIXED)
    assert together.shape == (6, 384)
    assert together.dtype == np.float32
    for vector, text in zip(together, MIXED, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector, atol=1e-6)


def test_the_same_texts_give_the_same_bits_again_and_on_more_threads(encoder: Encoder, graphs: Path):
    once = encoder.encode(MIXED)
    np.testing.assert_array_equal(encoder.encode(MIXED), once)
    np.testing.assert_array_equal(open_encoder(graphs, threads=2).encode(MIXED), once)


def test_int8_keeps_the_directions_and_needs_no_company(encoder: Encoder, graphs: Path):
    small = open_encoder(graphs, precision="int8")
    exact, rounded = encoder.encode(MIXED), small.encode(MIXED)
    assert (exact * rounded).sum(axis=1).min() > 0.98
    for vector, text in zip(rounded, MIXED, strict=True):
        np.testing.assert_allclose(small.encode([text])[0], vector, atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", 7], r"texts\[1\]: int, allowed str or None"),
        ([float("nan")], r"texts\[0\]: float, allowed str or None"),
        ("one text", "texts: one str, allowed is a sequence of them"),
    ],
)
def test_what_is_no_text_is_refused_by_its_place(texts: Any, message: str, encoder: Encoder):
    with pytest.raises(DataError, match=message):
        encoder.encode(texts)
