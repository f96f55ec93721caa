"""Bad rows in each source, over the wire, end in quarantine with their reason; none is lost (FAULTS row 9)."""

from typing import Any

import pytest

from expectations.split import split_rows
from feature_repo.extract import extract, raw_rows
from feature_repo.settings import Settings
from feature_repo.sources.servers import SOURCES
from feature_repo.sources.stream import Store
from feature_repo.window import Window, instant
from tests.contract.things import things

DAY = Window(instant("2024-03-31"), instant("2024-04-01"))
NOON = "2024-03-31T12:00:00+00:00"
DUPLICATE = "thing_id, recorded_at: duplicate"
DIRTY: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"note": "\U0001f989 \u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \U0001f469\u200d\U0001f4bb"}, None),
    ({"amount": None, "pieces": None, "is_open": None, "seen_at": None}, None),
    ({"note": "nul\x00"}, "note: broken text"),
    ({"thing_id": None}, "thing_id: null"),
    ({"seen_at": "1899-12-31T00:00:00+00:00"}, "seen_at: out of range"),
    ({"thing_id": "x000000"}, DUPLICATE),
]
# MySQL's columns are typed.
UNTYPED: list[tuple[dict[str, Any], str | None]] = [
    ({"pieces": "many"}, "pieces: wrong type"),
    ({"pieces": 2.5}, "pieces: wrong type"),
]
# MySQL has no such numbers, and MongoDB's stand-in refuses documents with them.
NOT_FINITE: list[tuple[dict[str, Any], str | None]] = [
    ({"amount": float("nan")}, "amount: not finite"),
    ({"amount": float("-inf")}, "amount: not finite"),
]
ROWS = {"mysql": DIRTY, "neo4j": DIRTY + UNTYPED + NOT_FINITE, "mongodb": DIRTY + UNTYPED}


@pytest.mark.parametrize("store", SOURCES)
def test_bad_rows_are_quarantined_with_their_reason_and_none_is_lost(
    servers: Settings, home: Settings, store: Store
) -> None:
    dirty = ROWS[store]
    with things(servers, store) as place:
        place.write([{**place.thing(number, NOON), **values} for number, (values, _) in enumerate(dirty)])
        [manifest] = extract(home, [place.stream], DAY)
        stream = place.stream
    split = split_rows(raw_rows(home, stream), stream.fields, stream.version)

    assert manifest.rows == split.accepted.height + split.rejected.height == len(dirty)
    found = sorted(split.rejected["rule"])
    assert found == sorted(rule for _, rule in dirty if rule)
    assert DIRTY[1][0]["note"] in split.accepted["note"].to_list()
    assert all(reason.startswith(rule.split(":")[0]) for rule, reason in split.rejected.select("rule", "reason").rows())
