"""Messages lie in shared memory until they are freed: whole, in order, as low as there is room, and bounded."""

import mmap
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from serving.answering.spool import BATCH, CHUNK_BYTES, KEPT_BYTES, Spool, Spooled

WAITING = 4
HALF, MOST = CHUNK_BYTES // 2, CHUNK_BYTES
Make = Callable[..., Spool]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes spools of so many messages and chunks."""
    spools: list[Spool] = []

    def made(waiting: int = WAITING, chunks: int = 2) -> Spool:
        spools.append(Spool(waiting, chunks * CHUNK_BYTES))
        return spools[-1]

    yield made
    for each in spools:
        each.close()


def new(spooled: Spooled) -> list[bytes]:
    """What was added since the last time."""
    return [bytes(message) for batch in spooled.batches() for message in batch]


def add(spool: Spool, letter: str, size: int = 1) -> bool:
    return spool.add([letter.encode() * size])


def letters(spooled: Spooled) -> str:
    """What is new, by the first letter of each."""
    return "".join(chr(message[0]) for message in new(spooled))


def held(spool: Spool) -> int:
    """Bytes of memory that it has taken from the system."""
    return 512 * os.fstat(spool.file).st_blocks


def test_a_message_arrives_as_its_parts_one_behind_the_other_and_once(make: Make) -> None:
    spool = make()
    spooled = Spooled(spool.file, WAITING)
    assert spool.add([b"ab", memoryview(b"cd"), b"", b"e"])
    assert spool.add([b"f"])
    assert (new(spooled), new(spooled)) == ([b"abcde", b"f"], [])
    assert (spool.count, spool.bytes) == (2, 6)


def test_what_is_freed_makes_room_and_what_waits_stays_as_it_is(make: Make) -> None:
    """In two chunks lie, by halves: ab cd, then e. cd, then ef cd, then ef gh."""
    spool = make(waiting=4, chunks=2)
    spooled = Spooled(spool.file, 4)
    assert all(add(spool, letter, HALF) for letter in "abcd")
    assert not add(spool, "e", HALF)
    spool.free(1)  # the half of a chunk: its other half waits
    assert not add(spool, "e", HALF)
    spool.free(1)
    assert all(add(spool, letter, HALF) for letter in "ef")
    assert new(spooled)[2:] == [letter.encode() * HALF for letter in "cdef"]
    spool.free(2)
    assert all(add(spool, letter, HALF) for letter in "gh")
    assert letters(spooled) == "gh"
    assert (spool.count, spool.bytes) == (4, 4 * HALF)


def test_a_message_that_is_longer_than_a_chunk_lies_in_several_side_by_side(make: Make) -> None:
    """a in the first chunk, b in the second and third, c behind b, d in the fourth; then e where a and b began."""
    spool = make(waiting=9, chunks=4)
    spooled = Spooled(spool.file, 9)
    sizes = {"a": MOST, "b": MOST + 1, "c": MOST - 1, "d": MOST}
    assert all(add(spool, letter, size) for letter, size in sizes.items())
    assert not add(spool, "e", 2 * MOST)
    spool.free(1)
    assert not add(spool, "e", 2 * MOST)
    spool.free(1)
    assert not add(spool, "e", 2 * MOST + 1)  # c is in b's second chunk
    assert add(spool, "e", 2 * MOST)
    assert [len(message) for message in new(spooled)] == [*sizes.values(), 2 * MOST]
    assert not add(spool, "f", 5 * MOST)  # more than there is at all


def test_more_messages_than_may_wait_are_refused_however_short(make: Make) -> None:
    spool = make(waiting=4)
    assert [add(spool, letter) for letter in "abcde"] == [True] * 4 + [False]
    assert spool.is_full
    spool.free(1)
    assert [add(spool, letter) for letter in "ef"] == [True, False]
    assert letters(Spooled(spool.file, 4)) == "bcde"


def test_who_reads_anew_finds_what_is_not_freed(make: Make) -> None:
    spool = make()
    for letter in "abc":
        add(spool, letter)
    assert letters(Spooled(spool.file, WAITING)) == "abc"
    spool.free(2)
    again = Spooled(spool.file, WAITING)
    add(spool, "d")
    assert letters(again) == "cd"


def test_much_is_read_in_batches(make: Make) -> None:
    spool = make(waiting=2 * BATCH)
    for _ in range(BATCH + 1):
        add(spool, "a")
    assert [len(batch) for batch in Spooled(spool.file, 2 * BATCH).batches()] == [BATCH, 1]


def test_memory_that_is_not_needed_is_not_taken(make: Make) -> None:
    """Sixty chunks go through two; a third of a chunk each, of which two are freed as late as the next two come."""
    spool = make(waiting=9, chunks=60)
    for _ in range(90):
        assert all(add(spool, letter, CHUNK_BYTES // 3) for letter in "ab")
        spool.free(spool.count - 2)
    assert held(spool) <= 2 * CHUNK_BYTES + 2 * mmap.PAGESIZE


def test_memory_that_was_needed_once_is_given_back(make: Make) -> None:
    chunks = 2 * KEPT_BYTES // CHUNK_BYTES
    spool = make(waiting=2 * chunks, chunks=chunks)
    spooled = Spooled(spool.file, 2 * chunks)
    assert all(add(spool, "a", MOST) for _ in range(chunks))
    assert held(spool) > 2 * KEPT_BYTES
    assert letters(spooled) == "a" * chunks
    spool.give_back()
    assert held(spool) > 2 * KEPT_BYTES  # it is not free yet
    spool.free(chunks)
    assert add(spool, "b", 1)  # one waits always
    for _ in range(chunks):
        spool.give_back()
    assert held(spool) <= KEPT_BYTES + mmap.PAGESIZE
    assert all(add(spool, "c", MOST) for _ in range(chunks - 1))
    assert letters(spooled) == "b" + "c" * (chunks - 1)


def test_threads_that_add_at_once_lose_nothing(make: Make) -> None:
    spool = make(waiting=1000, chunks=4)
    spooled = Spooled(spool.file, 1000)
    found: Counter[bytes] = Counter()

    def add_all(letter: str) -> None:
        for number in range(300):
            while not add(spool, letter, 10_000 + number):
                pass

    threads = [threading.Thread(target=add_all, args=letter) for letter in "abc"]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads) or spool.count:
        messages = new(spooled)
        found.update(messages)
        spool.free(len(messages))
    assert found == {letter * (10_000 + number): 1 for letter in (b"a", b"b", b"c") for number in range(300)}


def test_a_closed_spool_takes_nothing_and_leaves_no_file_open(make: Make) -> None:
    spool = make()
    add(spool, "a")
    spool.close()
    assert not add(spool, "b")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(spool.file)
