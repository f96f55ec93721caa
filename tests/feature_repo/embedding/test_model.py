"""A model folder is taken for what its hashes and settings say, and its graph is built once, whole or not at all."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from feature_repo.embedding import Encoder, open_encoder, packaged_model
from feature_repo.embedding.model import CONFIG, PINNED, TOKENIZER, WEIGHTS, read_model, tensors
from feature_repo.errors import DataError


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A model folder that a test may spoil."""
    return shutil.copytree(packaged_model(), tmp_path / "model")


def test_the_packaged_model_is_the_pinned_one():
    bert = read_model(packaged_model(), PINNED)
    assert (bert.width, bert.layers, bert.heads, bert.tokens) == (384, 6, 12, 256)


def test_other_bytes_under_a_pinned_name_are_refused(copied: Path):
    with (copied / TOKENIZER).open("a") as file:
        file.write(" ")
    with pytest.raises(DataError, match=rf"tokenizer\.json: sha256 [0-9a-f]+, allowed {PINNED[TOKENIZER]}"):
        read_model(copied, PINNED)


def test_a_folder_that_lacks_a_file_is_refused_by_the_files_name(copied: Path):
    (copied / WEIGHTS).unlink()
    with pytest.raises(DataError, match=r"no model\.safetensors; allowed are folders with"):
        open_encoder(copied, copied)


def test_a_model_of_another_kind_is_refused(copied: Path):
    config = json.loads((copied / CONFIG).read_text())
    (copied / CONFIG).write_text(json.dumps({**config, "hidden_act": "relu"}))
    with pytest.raises(DataError, match=r"\{'hidden_act': 'relu'\}, allowed"):
        read_model(copied, {})


@pytest.mark.parametrize("size", [0, 4, 100, 1_000_000])
def test_weights_that_are_cut_short_are_refused(size: int, copied: Path):
    with (copied / WEIGHTS).open("r+b") as file:
        file.truncate(size)
    with pytest.raises(DataError, match="not a safetensors file of float32"):
        tensors(copied)


def test_a_named_folder_needs_no_pin_and_other_weights_have_another_name(
    copied: Path, encoder: Encoder, tmp_path: Path
):
    with (copied / WEIGHTS).open("r+b") as file:
        file.seek(-4, 2)
        file.write(np.float32(0.5).tobytes())  # the pooler's, which sentence vectors leave alone
    other = open_encoder(tmp_path, copied)
    assert other.name != encoder.name
    np.testing.assert_array_equal(other.encode(["data"]), encoder.encode(["data"]))


def test_a_graph_is_built_once(encoder: Encoder, graphs: Path):
    built = (graphs / f"{encoder.name}.onnx").stat()
    open_encoder(graphs)
    assert (graphs / f"{encoder.name}.onnx").stat() == built
    assert not list(graphs.glob("*.partial"))


@pytest.mark.parametrize("content", [b"", b"no graph at all"])
def test_a_graph_that_cannot_be_read_is_built_anew_with_a_warning(content: bytes, encoder: Encoder, tmp_path: Path):
    (tmp_path / f"{encoder.name}.onnx").write_bytes(content)
    with pytest.warns(UserWarning, match="cannot be read and is built anew"):
        again = open_encoder(tmp_path)
    np.testing.assert_array_equal(again.encode(["data"]), encoder.encode(["data"]))
