"""A full disk ends no worker (28): what is written through memory has its place before, or is kept in memory."""

import os
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from serving.access.windows import SETS, SLOT, WAYS, Windows
from serving.room import METRICS_BYTES, Roomy, reserved

FULL = Path("/dev/full")
"""A file that takes nothing."""
KEY = '["talentml_answers", "talentml_answers_total", {}, ""]'


def on_disk(path: Path) -> int:
    """Bytes that a file holds of its disk; of a sparse one fewer than it is long."""
    return 512 * path.stat().st_blocks


def test_every_page_has_its_place_before_the_first_is_written(tmp_path: Path) -> None:
    Windows(tmp_path / "run" / "limits")
    assert on_disk(tmp_path / "run" / "limits") >= SETS * WAYS * SLOT
    Roomy(str(tmp_path / "counter_1.db"))
    assert on_disk(tmp_path / "counter_1.db") >= METRICS_BYTES


def test_what_a_file_holds_stays(tmp_path: Path) -> None:
    Windows(tmp_path / "limits").hit("anna", 1, 3600)
    assert not Windows(tmp_path / "limits").hit("anna", 1, 3600)
    Roomy(str(tmp_path / "counter_1.db")).write_value(KEY, 3.0, 0.0)
    assert Roomy(str(tmp_path / "counter_1.db")).read_value(KEY) == (3.0, 0.0)


def test_what_a_worker_counts_is_read_by_the_others(tmp_path: Path) -> None:
    Roomy(str(tmp_path / "counter_1.db")).write_value(KEY, 3.0, 0.0)
    ((key, value, *_),) = MmapedDict.read_all_values_from_file(str(tmp_path / "counter_1.db"))
    assert (key, value) == (KEY, 3.0)


@pytest.mark.parametrize("path", [FULL, FULL / "run" / "limits"], ids=["no room", "no folder"])
def test_without_room_it_is_kept_in_memory_and_that_is_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = reserved(path, 4096)
    assert (os.fstat(file).st_size, len(caplog.records)) == (4096, 1)
    assert "in memory" in caplog.text
    os.close(file)


def test_limits_and_metrics_are_kept_though_the_disk_is_full() -> None:
    windows = Windows(FULL)
    assert [windows.hit("anna", 3, 60) for _ in range(5)] == [True, True, True, False, False]
    metrics = Roomy(str(FULL))
    metrics.write_value(KEY, 3.0, 0.0)
    assert metrics.read_value(KEY) == (3.0, 0.0)
