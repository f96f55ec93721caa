"""Memory in which messages wait, shared with the scribe: a worker copies each in once, the scribe reads it there.

It begins with words: how many messages were added ever, how many freed, and where the last ones lie. Chunks follow.
The lowest free chunk is taken next, not the one after: it has just been used, so that caches hold it, and memory that
never was needed never is taken. Through a pipe each message took 150 us of system calls, and the interpreter with them.
"""

import mmap
import os
import struct
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress

CHUNK_BYTES = 2**20
KEPT_BYTES = 16 * CHUNK_BYTES
"""Memory that stays."""
BATCH = 64
WORD = struct.Struct("Q")
PLACE = struct.Struct("QQ")
"""Where a message begins, and its length."""
ADDED, FREED, PLACES = 0, WORD.size, 2 * WORD.size
"""Where the words lie."""
Parts = Sequence[bytes | memoryview]


def _head(waiting: int) -> int:
    """Bytes of the words, to the next page."""
    return -(-(PLACES + waiting * PLACE.size) // mmap.PAGESIZE) * mmap.PAGESIZE


class Spool:
    """The worker's end. Its threads may share it; none waits for the scribe.

    file: what the scribe opens. count, bytes: of the messages that wait.
    """

    def __init__(self, waiting: int, size: int) -> None:
        """For at most so many messages and bytes; memory is taken as they come."""
        chunks = size // CHUNK_BYTES
        self._waiting, self._head = waiting, _head(waiting)
        self.file = os.memfd_create("prediction_log")
        self._close_file = weakref.finalize(self, os.close, self.file)
        os.truncate(self.file, self._head + chunks * CHUNK_BYTES)
        self._memory = mmap.mmap(self.file, 0)
        self._lock = threading.Lock()
        self._is_closed = False
        self._added = self._freed = self.bytes = 0
        self._last = [-1] * chunks  # by chunk: the message that was put there last
        self._next = self._end = self._highest = 0  # of the chunks that were taken last

    @property
    def count(self) -> int:
        return self._added - self._freed

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken, however small."""
        return self._is_closed or self.count >= self._waiting

    def add(self, parts: Parts) -> bool:
        """Copy a message, given in parts, behind the others; False if there is no room."""
        size = sum(map(len, parts))
        with self._lock:
            place = self._place(size)
            if place is None:
                return False
            begin = self._head + place
            for part in parts:
                self._memory[begin : begin + len(part)] = part
                begin += len(part)
            slot = PLACES + self._added % self._waiting * PLACE.size
            PLACE.pack_into(self._memory, slot, place, size)
            self.bytes += size
            self._added += 1
            self._say(ADDED, self._added)  # last: what a scribe sees is whole, and stays if this worker is killed now
            return True

    def _place(self, size: int) -> int | None:
        """Where a message of so many bytes may lie."""
        if self.is_full or (self._next + size > self._end and not self._take(-(-size // CHUNK_BYTES))):
            return None
        place = self._next
        self._next += size
        first, end = place // CHUNK_BYTES, -(-self._next // CHUNK_BYTES)
        self._last[first:end] = [self._added] * (end - first)
        return place

    def _take(self, chunks: int) -> bool:
        """The lowest chunks, side by side, all of whose messages are freed; False if there are no such."""
        first = bytes(last < self._freed for last in self._last).find(b"\1" * chunks)
        if first >= 0:
            self._next, self._end = first * CHUNK_BYTES, (first + chunks) * CHUNK_BYTES
            self._highest = max(self._highest, self._end)
        return first >= 0

    def free(self, count: int) -> None:
        """Use the memory of the oldest messages again."""
        with self._lock:
            for number in range(self._freed, self._freed + count):
                self.bytes -= _place_of(self._memory, number, self._waiting)[1]
            self._freed += count
            self._say(FREED, self._freed)

    def give_back(self) -> None:
        """Let the system have the highest chunk, if it is free. One alone takes the interpreter for 0.25 ms."""
        with self._lock:
            if self._highest > KEPT_BYTES and self._last[self._highest // CHUNK_BYTES - 1] < self._freed:
                if self._end == self._highest:
                    self._next = self._end = 0
                self._highest -= CHUNK_BYTES
                with suppress(OSError):  # where it may not be given back it stays
                    self._memory.madvise(mmap.MADV_REMOVE, self._head + self._highest, CHUNK_BYTES)

    def _say(self, word: int, count: int) -> None:
        """In one store: pack_into writes zeros first, which the scribe might see."""
        self._memory[word : word + WORD.size] = WORD.pack(count)

    def close(self) -> None:
        """Take nothing more, and let the memory go."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._memory.close()
                self._close_file()


class Spooled:
    """The scribe's end: what waits in a spool, and what is added from then on. file, waiting: the spool's."""

    def __init__(self, file: int, waiting: int) -> None:
        self._memory = mmap.mmap(file, 0, prot=mmap.PROT_READ)
        self._messages = memoryview(self._memory)[_head(waiting) :]
        self._waiting = waiting
        (self._read,) = WORD.unpack_from(self._memory, FREED)

    def batches(self) -> Iterator[list[memoryview]]:
        """The messages that are there by now, in order; those of a batch together, until they are reported."""
        (added,) = WORD.unpack_from(self._memory, ADDED)
        while self._read < added:
            numbers = range(self._read, min(self._read + BATCH, added))
            self._read = numbers.stop
            yield [self._message(number) for number in numbers]

    def _message(self, number: int) -> memoryview:
        begin, size = _place_of(self._memory, number, self._waiting)
        return self._messages[begin : begin + size]


def _place_of(memory: mmap.mmap, number: int, waiting: int) -> tuple[int, int]:
    begin, size = PLACE.unpack_from(memory, PLACES + number % waiting * PLACE.size)
    return begin, size
