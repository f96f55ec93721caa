"""Which code trained a model."""

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("feature_repo", "expectations", "training")


def code_revision() -> str:
    """The commit; with a digest of the sources that decide about a model where they differ from it, or without git."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", *PACKAGES)
    return commit if commit and not changed else f"{commit or 'none'}+{_digest()}"


def _git(*words: str) -> str:
    """What git says; nothing where there is no git or no repository."""
    try:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _digest() -> str:
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
