"""The sha256 of a folder's files, in a file beside them: what is mapped into memory is checked before it is used."""

import hashlib
import json
from pathlib import Path

from feature_repo.errors import DataError

DIGESTS = "digests.json"


def write_digests(folder: Path) -> None:
    """Note the sha256 of every other file that is in a folder by now."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != DIGESTS)
    found = {str(path.relative_to(folder)): _sha256(path) for path in files}
    (folder / DIGESTS).write_text(json.dumps(found, indent=1))


def check_digests(folder: Path) -> None:
    """Read the files and compare them with what was noted of them; nothing where an earlier release noted nothing.

    That also brings them into the page cache, so that no request waits for the disk.
    Raises DataError that names a file.
    """
    noting = folder / DIGESTS
    noted: dict[str, str] = json.loads(noting.read_bytes()) if noting.exists() else {}
    for name, expected in noted.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != expected:
            raise DataError(f"{path}: not as it was published, run `talentml materialize`")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
