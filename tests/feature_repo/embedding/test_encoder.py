"""Vectors of texts are those of sentence-transformers, whatever company a text is in."""

from pathlib import Path

import numpy as np
import pytest

from feature_repo.embedding import Encoder, open_encoder, packaged_model
from feature_repo.errors import DataError

# The first six numbers that sentence-transformers 6.2 with torch 2.13 gives for all-MiniLM-L6-v2, measured 2026-11-21.
EXPECTED = {
    "Senior Python engineer, Berlin": [-0.069461, 0.034366, 0.00329, 0.033987, -0.037142, -0.102452],
    "We need somebody who can run Kubernetes in production and likes on-call.": [
        -0.075543, -0.099805, 0.066779, -0.037693, -0.078774, -0.029754,
    ],
    "数据科学家": [0.018953, 0.100916, -0.014049, 0.031495, -0.033083, -0.055834],
    "word " * 400: [-0.008124, -0.095586, -0.038673, 0.049662, -0.043794, 0.02372],
    "": [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292],
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return open_encoder(tmp_path_factory.mktemp("graphs"))


def test_vectors_are_those_of_sentence_transformers(encoder: Encoder) -> None:
    found = encoder.encode(list(EXPECTED))
    assert found[:, :6] == pytest.approx(np.array(list(EXPECTED.values())), abs=2e-6)


def test_vectors_have_length_one(encoder: Encoder) -> None:
    assert np.linalg.norm(encoder.encode(list(EXPECTED)), axis=1) == pytest.approx(1.0, abs=1e-6)


def test_a_text_has_the_same_vector_in_any_company(encoder: Encoder) -> None:
    texts = [f"{'very ' * (number % 40)}skilled person number {number}" for number in range(60)]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-6


def test_the_order_is_that_of_the_texts_and_repeats_are_equal(encoder: Encoder) -> None:
    found = encoder.encode(["b", "a long text about people and their work", "b"])
    assert (found[0] == found[2]).all()
    assert np.abs(found[0] - found[1]).max() > 0.01


@pytest.mark.parametrize("blank", [None, "", "   ", "\n\t"])
def test_what_holds_no_word_is_the_empty_text(encoder: Encoder, blank: str | None) -> None:
    assert (encoder.encode([blank]) == encoder.encode([""])).all()


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.width) == (0, 384)


def test_a_number_is_no_text(encoder: Encoder) -> None:
    with pytest.raises(DataError, match="int"):
        encoder.encode([7])  # type: ignore[list-item]


def test_texts_that_mean_the_same_are_nearer_than_others(encoder: Encoder) -> None:
    cook, chef, welder = encoder.encode(["cook in a hotel kitchen", "chef at a restaurant", "welder in a shipyard"])
    assert cook @ chef > cook @ welder + 0.2


def test_one_byte_weights_are_near_the_exact_ones(encoder: Encoder, tmp_path: Path) -> None:
    small = open_encoder(tmp_path, precision="int8")
    texts = [text for text in EXPECTED if text.strip()]
    cosines = (small.encode(texts) * encoder.encode(texts)).sum(axis=1)
    assert cosines.min() > 0.9
    assert small.name != encoder.name


def test_the_graph_is_made_once_and_then_opened(tmp_path: Path) -> None:
    open_encoder(tmp_path)
    [graph] = tmp_path.glob("*.onnx")
    made = graph.stat().st_mtime_ns
    open_encoder(tmp_path)
    assert [path.stat().st_mtime_ns for path in tmp_path.glob("*.onnx")] == [made]


def test_a_folder_that_holds_no_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing-here"):
        open_encoder(tmp_path, model=tmp_path / "nothing-here")


def test_weights_that_were_changed_are_refused(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for path in packaged_model().rglob("*"):
        if path.is_file():
            copy = model / path.relative_to(packaged_model())
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    weights = bytearray((model / "model.safetensors").read_bytes())
    (model / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(DataError, match=r"model\.safetensors"):
        open_encoder(tmp_path, model=model)
