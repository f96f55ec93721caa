"""Model folders: what is written can be read, and nothing else is."""

import json
import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from feature_repo.errors import RegistryError
from tests.training import tiny
from tests.training.damage import Bomb, listed
from training.model import load_model, save_model, verify


@pytest.fixture(scope="module")
def model() -> tiny.Tiny:
    return tiny.candidate().model  # type: ignore[return-value]


@pytest.fixture
def folder(model: tiny.Tiny, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_answers_as_before(model: tiny.Tiny, folder: Path) -> None:
    frame = tiny.rows(tiny.AS_OF, tiny.AS_OF + tiny.WEEK)
    restored = load_model(folder)
    assert_frame_equal(pl.DataFrame(restored.predict(frame)), pl.DataFrame(model.predict(frame)), check_exact=True)
    assert_frame_equal(restored.contributions(frame).frame, model.contributions(frame).frame, check_exact=True)


def test_the_same_model_has_the_same_hash(model: tiny.Tiny, folder: Path, tmp_path: Path) -> None:
    assert save_model(model, tmp_path / "again") == verify(folder)


def test_a_whole_model_that_is_not_the_registered_one_is_refused(folder: Path) -> None:
    load_model(folder, verify(folder))
    with pytest.raises(RegistryError, match=r"registered was 000000000000\.\.\."):
        load_model(folder, "0" * 64)


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_flipped_bit_is_found(folder: Path, place: int) -> None:
    found = bytearray((folder / "hours.txt").read_bytes())
    found[place] ^= 1
    (folder / "hours.txt").write_bytes(found)
    with pytest.raises(RegistryError, match=r"hours\.txt has sha256"):
        load_model(folder)


def test_a_truncated_file_is_found(folder: Path) -> None:
    (folder / "hours.txt").write_bytes((folder / "hours.txt").read_bytes()[:-100])
    with pytest.raises(RegistryError, match=r"hours\.txt has sha256"):
        load_model(folder)


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "hours.txt").unlink()
    with pytest.raises(RegistryError, match=r"hours\.txt is missing"):
        load_model(folder)


def test_a_file_that_the_manifest_does_not_list_is_refused(folder: Path) -> None:
    (folder / "more.json").write_text("{}")
    with pytest.raises(RegistryError, match=r"more\.json is not in the manifest"):
        load_model(folder)


@pytest.mark.parametrize(
    "name", ["model.pkl", "model.joblib", "model.pickle", "model", "code.py", "lib.so", "deep/x.bin"]
)
def test_a_file_that_may_hold_a_pickle_or_code_is_refused_and_never_opened(
    folder: Path, tmp_path: Path, name: str
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    listed(folder, name)
    with pytest.raises(RegistryError, match="is no model file"):
        load_model(folder)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("name", ["hours.txt", "model.json"])
def test_a_pickle_under_an_allowed_name_is_text_that_does_not_parse(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    listed(folder, name)
    with pytest.raises(Exception, match=r"(?i)model"):
        load_model(folder)
    assert not (tmp_path / "marker").exists()


def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    (folder / "more.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(RegistryError, match="is a link"):
        load_model(folder)


@pytest.mark.parametrize("kind", ["os:system", "tests.training.tiny:Tiny", "unknown", None, 7, [], {}])
def test_a_kind_that_is_not_ours_is_not_imported(folder: Path, kind: object) -> None:
    (folder / "model.json").write_text(json.dumps({"kind": kind, "factor": 1}))
    listed(folder, "model.json")
    with pytest.raises(RegistryError, match=r"model kind .* allowed: .*tiny"):
        load_model(folder)


@pytest.mark.parametrize("text", ["[]", "{}", '{"sha256": 3}', '{"sha256": {"model.json": 3}}', "not json", "\x00"])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(RegistryError, match="manifest"):
        load_model(folder)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"manifest\.json is missing"):
        load_model(tmp_path)


def test_a_name_that_leaves_the_folder_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"]["../secret.json"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RegistryError, match=r"secret\.json is missing"):
        load_model(folder)


def test_a_model_that_saves_a_pickle_is_not_saved(tmp_path: Path) -> None:
    class Pickling(tiny.Tiny):
        def save(self, folder: Path) -> None:
            (folder / "model.pkl").write_bytes(pickle.dumps([1]))

    with pytest.raises(RegistryError, match="is no model file"):
        save_model(Pickling(None), tmp_path)


def test_arrays_with_objects_inside_do_not_load(tmp_path: Path) -> None:
    """What models promise of their npz files: allow_pickle stays False, also where MLflow's default is true."""
    np.savez(tmp_path / "x.npz", x=np.array([Bomb(tmp_path / "marker")], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        np.load(tmp_path / "x.npz", allow_pickle=False)["x"]
    assert not (tmp_path / "marker").exists()
