"""Files that are written through memory, with room on the disk for every page before the first one is written.

The kernel kills a process that writes a page for which a full disk has no room (SIGBUS), and files are made sparse: of
a service over a full disk each worker died with its first request, and then each time that it was begun again.
"""

import logging
import os
from pathlib import Path

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

LOG = logging.getLogger("talentml.serving")
METRICS_BYTES = 2**20
"""Of each kind of metric and each worker. Those of a worker that answered every route take a tenth."""


def reserved(path: Path, size: int) -> int:
    """A descriptor of the file, with room for so many bytes; what it holds stays.

    Where there is none, that of a file in memory: what is written is then seen by this process alone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return _in_memory(path, size, error)
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        os.close(file)
        return _in_memory(path, size, error)
    return file


def _in_memory(path: Path, size: int, error: OSError) -> int:
    LOG.error("%s: %s, so this worker keeps it in memory until it is begun again", path.name, error.strerror)
    file = os.memfd_create(path.name)
    os.truncate(file, size)
    return file


class Roomy(MmapedDict):
    """A file of prometheus_client's, which are how workers share their metrics."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if read_mode:
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
            return
        file = reserved(Path(filename), METRICS_BYTES)
        super().__init__(f"/proc/self/fd/{file}")  # type: ignore[no-untyped-call]
        os.close(file)  # it was opened once more


def install() -> None:
    """Let prometheus_client make its files so: it cannot be told. To be called before there is any metric."""
    values.MmapedDict = Roomy  # type: ignore[attr-defined]
