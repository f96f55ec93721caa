"""Vectors of all sorts of texts, recorded once from the real sentence-transformers: the suite itself needs no torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feature_repo.embedding import Encoder

# The first 8 numbers, the sum of all 384, the norm.
EXPECTED = json.loads(Path(__file__).with_name("expected.json").read_text())["vectors"]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected["name"])
def test_a_vector_is_the_one_of_sentence_transformers(expected: dict[str, Any], encoder: Encoder):
    vector = encoder.encode([expected["text"]])[0]
    assert vector[:8] == pytest.approx(expected["begins"], abs=1e-6)
    assert vector.sum(dtype=float) == pytest.approx(expected["sum"], abs=1e-5)
    assert np.linalg.norm(vector) == pytest.approx(expected["norm"], abs=1e-5)


def test_what_is_beyond_256_tokens_is_left_out(encoder: Encoder):
    # 254 words of one token each, between the two special ones
    fits, longer = "data " * 254, "data " * 254 + "welder in Ghent"
    np.testing.assert_array_equal(*encoder.encode([fits, longer]))
    shorter, other = encoder.encode(["data " * 253, "data " * 253 + "welder"])
    assert np.abs(shorter - other).max() > 1e-4


def test_half_a_character_is_no_reason_to_fail(encoder: Encoder):
    half, question = encoder.encode(["\ud83d data", "? data"])
    np.testing.assert_array_equal(half, question)
