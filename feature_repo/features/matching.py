"""Kernels over lists that are known by places: import inside functions, 0.4 s. What the arrays hold: lists.py.

Every name is compared with every one beside it, by its length and last bytes: lists hold tens of names, and most differ
in these. 3 skills of a task beside 10 of each of 100 people take 0.005 ms; Arrow's index_in and its like, 0.1.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
LAST_BYTES = 7  # of a name, beside its length in the eighth
NO_NAME = -1  # no mark: 255 is no byte of UTF-8


@cached
def mark(starts: Ints, text: Bytes, is_name: Mask, marks: Ints) -> None:
    """Of each name its length and last bytes as one number.

    starts: where each name's bytes begin, and the end of the last.
    """
    for name in range(len(is_name)):
        begin, end = starts[name], starts[name + 1]
        marks[name] = (end - begin) & 255
        for place in range(max(begin, end - LAST_BYTES), end):
            marks[name] = marks[name] << 8 | text[place]
        if not is_name[name]:
            marks[name] = NO_NAME


@cached
def lay(spans: Ints, places: Ints, starts: Ints, sizes: Floats) -> bool:
    """Where each row's entries begin when one row's stand after the other's, and the end of the last; and how many.

    Returns whether every row has some.
    """
    starts[0], is_full = 0, True
    for row in range(len(places)):
        size = spans[places[row], 1] - spans[places[row], 0]
        starts[row + 1], sizes[row] = starts[row] + size, size
        is_full = is_full and size > 0
    return is_full


@cached
def entries(spans: Ints, places: Ints, found: Ints) -> None:
    """The place of each row's entries among those of all lists."""
    at = 0
    for row in range(len(places)):
        for entry in range(spans[places[row], 0], spans[places[row], 1]):
            found[at] = entry
            at += 1


@cached
def gather(spans: Ints, places: Ints, amounts: Floats, found: Floats) -> None:
    """The amounts of each row's list, one row's after the other's."""
    at = 0
    for row in range(len(places)):
        for entry in range(spans[places[row], 0], spans[places[row], 1]):
            found[at] = amounts[entry]
            at += 1


@cached
def match(
    spans: Ints, marks: Ints, text_starts: Ints, text: Bytes, places: Ints,
    held_spans: Ints, held_marks: Ints, held_text_starts: Ints, held_text: Bytes, held_places: Ints,
) -> tuple[Ints, Ints]:  # fmt: skip
    """For each row's names their place in the held list of the row, -1 where one is not there, or is no name itself.

    Before these, where each row's begin, and the end of the last: one call instead of two.
    """
    starts = np.zeros(len(places) + 1, np.int64)
    for row in range(len(places)):
        starts[row + 1] = starts[row] + spans[places[row], 1] - spans[places[row], 0]
    found = np.empty(starts[-1], np.int64)
    _match(
        spans, marks, text_starts, text, places,
        held_spans, held_marks, held_text_starts, held_text, held_places,
        found,
    )  # fmt: skip
    return starts, found


@inner
def _match(
    spans: Ints, marks: Ints, starts: Ints, text: Bytes, places: Ints,
    held_spans: Ints, held_marks: Ints, held_starts: Ints, held_text: Bytes, held_places: Ints,
    found: Ints,
) -> None:  # fmt: skip
    """By itself: beside the making of arrays its loops take 15 us, and not 4."""
    at = 0
    for row in range(len(places)):
        begin, end = held_spans[held_places[row], 0], held_spans[held_places[row], 1]
        for name in range(spans[places[row], 0], spans[places[row], 1]):
            found[at] = -1
            for held in range(begin, end if marks[name] != NO_NAME else begin):
                if held_marks[held] == marks[name] and _are_same(starts, text, name, held_starts, held_text, held):
                    found[at] = held - begin
                    break
            at += 1


@inner
def _are_same(starts: Ints, text: Bytes, name: int, held_starts: Ints, held_text: Bytes, held: int) -> bool:
    """From the end: ids often begin alike. By places: to cut the names out first takes five times as long."""
    start, end, held_start, held_end = starts[name], starts[name + 1], held_starts[held], held_starts[held + 1]
    if end - start != held_end - held_start:
        return False
    back = 1
    while back <= end - start and text[end - back] == held_text[held_end - back]:
        back += 1
    return bool(back > end - start)


@cached
def pick(found: Ints, starts: Ints, spans: Ints, amounts: Floats, places: Ints, missing: float, picked: Floats) -> None:
    """The amount at each place that match found, in the row's list of amounts; missing where it found none.

    starts: where each row's wanted names begin, and the end of the last.
    """
    for row in range(len(places)):
        for at in range(starts[row], starts[row + 1]):
            picked[at] = _amount(spans, amounts, places[row], found[at], missing)


@cached
def ratio(
    found: Ints, starts: Ints, asked_spans: Ints, asked: Floats, asked_places: Ints,
    spans: Ints, amounts: Floats, places: Ints, ratios: Floats,
) -> None:  # fmt: skip
    """The amount held, 0 where there is none, over the amount asked for, at most 1."""
    for row in range(len(places)):
        for at in range(starts[row], starts[row + 1]):
            nth = at - starts[row]
            ratios[at] = _ratio(found[at], nth, asked_spans, asked, asked_places[row], spans, amounts, places[row])


@inner
def _ratio(
    found: int, nth: int, asked_spans: Ints, asked: Floats, asked_place: int,
    spans: Ints, amounts: Floats, place: int,
) -> float:  # fmt: skip
    share = _amount(spans, amounts, place, found, 0.0) / _amount(asked_spans, asked, asked_place, nth, np.nan)
    return 1.0 if share > 1.0 else share


@inner
def _amount(spans: Ints, amounts: Floats, place: int, nth: int, missing: float) -> float:
    """The nth amount of a list."""
    is_there = 0 <= nth < spans[place, 1] - spans[place, 0]
    return amounts[spans[place, 0] + nth] if is_there else missing


@cached
def equal(codes: Floats, recoded: Floats, others: Floats, found: Floats) -> None:
    """1 where two texts are the same, 0 where not, NaN where one is missing. recoded: each code among the others."""
    for row in range(len(codes)):
        found[row] = codes[row] + others[row]
        if not np.isnan(found[row]):
            found[row] = 1.0 if recoded[int(codes[row])] == others[row] else 0.0
