"""The scribe as its worker sees it: a process that reads the spool, and a pipe back."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

from feature_repo.settings import Settings
from serving.answering.spool import Spool
from serving.launch import environment

REPORT_BYTES = 2**12
"""A line has 60. To read takes a buffer of this size first: one of 2^20 was mapped and unmapped, 50 us each time."""


@dataclass(frozen=True)
class Report:
    """What became of so many records, the first that waited. away, error: what a database said; None if nothing."""

    written: int
    dropped: int
    away: str | None
    error: str | None


class Dictation:
    """One scribe, from its start to its end. Nothing here waits. is_over: once it has ended, and all it said is read.

    Nothing is written into its input, whose end tells it that no more will come.
    """

    def __init__(self, settings: Settings, spool: Spool) -> None:
        self.is_over = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.answering.scribe", str(spool.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=[spool.file],
            env=environment(settings),
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._line = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def reports(self) -> list[Report]:
        """What was said since the last time."""
        read = self._line
        with suppress(BlockingIOError):
            while new := os.read(self._output.fileno(), REPORT_BYTES):
                read += new
            self.is_over = True
        *lines, self._line = read.split(b"\n")
        return [Report(**json.loads(line)) for line in lines if line.startswith(b"{")]  # a library may print

    def finish(self) -> None:
        """Let it write what is there, trying once where the database is away, and end."""
        self._input.close()

    def end(self) -> None:
        """Whatever it is at."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()
