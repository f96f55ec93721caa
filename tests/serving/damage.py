"""Ways in which the files of a version come to harm."""

from pathlib import Path


def corrupt_bytes(folder: Path) -> None:
    path = folder / "booster.txt"
    path.write_bytes(path.read_bytes().replace(b"leaf_value", b"leaf_valve", 1))


def flip_a_bit(folder: Path) -> None:
    path = folder / "booster.txt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(folder: Path) -> None:
    path = folder / "booster.txt"
    path.write_bytes(path.read_bytes()[:100])


def add_a_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04.")


def remove_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def remove_everything(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


DAMAGES = (corrupt_bytes, flip_a_bit, truncate, add_a_pickle, remove_the_manifest, remove_everything)
