"""The scribe as its worker sees it: a process, a pipe to it, and one back."""

import fcntl
import json
import os
import select
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from feature_repo.settings import Settings
from serving.answering.messages import FORM, HEAD, RECORD, Message, Told
from serving.launch import environment

PIPE_BYTES = 2**20
"""What an unprivileged process may ask for; by default it is 2^16, less than one record."""
REPORT_BYTES = 2**12
"""A line has 60. To read takes a buffer of this size first: one of 2^20 was mapped and unmapped, 50 us each time."""
MOST_PARTS = 256  # of one call; the system takes 1,024


@dataclass(frozen=True)
class Report:
    """What became of so many records, the first that were sent. away, error: what a database said; None if nothing."""

    written: int
    dropped: int
    away: str | None
    error: str | None


class Dictation:
    """One scribe, from its start to its end. Nothing here waits, but for `seconds` where they are given.

    sent: the messages that were given to it, and that it has not reported on.
    """

    def __init__(self, settings: Settings) -> None:
        self.sent: deque[Message] = deque()
        self.is_over = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.answering.scribe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment(settings),
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        with suppress(OSError):  # the system's limit for all pipes of a user is reached
            fcntl.fcntl(self._input, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        for end in (self._input, self._output):
            os.set_blocking(end.fileno(), False)
        self._unwritten: deque[bytes | memoryview] = deque()
        self._told: dict[int, Told] = {}
        self._line = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def give(self, message: Message) -> None:
        """Send a message, as soon as the pipe takes it."""
        told = message.told
        if told and self._told.get(told.number) is not told:
            self._told[told.number] = told
            self._unwritten += HEAD.pack(FORM, len(told.content)), told.content
        self._unwritten += HEAD.pack(RECORD, message.size), *message.parts
        self.sent.append(message)

    def exchange(self, seconds: float) -> list[Report]:
        """Write what the pipe takes, wait so many seconds, less if it was full, and read what is reported.

        Not woken by a report: then each record would be sent by itself, and reported by itself. is_over, once the
        scribe has ended.
        """
        with suppress(BlockingIOError):
            self._write()
        poll = select.poll()
        if self._unwritten:
            poll.register(self._input, select.POLLOUT)
        poll.poll(1000 * seconds)
        return self._reports()

    def _write(self) -> None:
        """Raises BlockingIOError once the pipe is full."""
        while self._unwritten:
            try:
                count = os.writev(self._input.fileno(), list(islice(self._unwritten, MOST_PARTS)))
            except BrokenPipeError:  # what it reported before is still to be read
                self._unwritten.clear()
                return
            while self._unwritten and count >= len(self._unwritten[0]):
                count -= len(self._unwritten.popleft())
            if count:
                self._unwritten[0] = memoryview(self._unwritten[0])[count:]

    def _reports(self) -> list[Report]:
        read = self._line
        with suppress(BlockingIOError):
            while new := os.read(self._output.fileno(), REPORT_BYTES):
                read += new
            self.is_over = True
        *lines, self._line = read.split(b"\n")
        return [Report(**json.loads(line)) for line in lines]

    def finish(self) -> None:
        """Send no more: what was sent is written, and tried once where the database is away; then the scribe ends."""
        self._unwritten.clear()
        self._input.close()

    def end(self) -> None:
        """Whatever it is at."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()
