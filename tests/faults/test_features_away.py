"""Row 27: the online store slow, stale or down. Answers go on, marked, and the gauges say so."""

import mmap
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from feature_repo.column import Column
from feature_repo.digests import write_digests
from feature_repo.reader import Given, Spine
from feature_repo.table import Table
from feature_repo.versions import current, swap
from serving.answering import features
from serving.answering.features import read_for
from serving.answering.published import Published
from serving.limits import LIMITS
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.conftest import Service, promote, promoted
from tests.serving.conftest import serve as serve
from training.products import PRODUCTS

STALENESS, AGE = "talentml_features_staleness_seconds", "talentml_features_age_seconds"
FAILING = "talentml_features_failing"
PRODUCT = PRODUCTS["task_assignment"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tiny.install()
    home = world.copy(tmp_path / "home")
    promote(home, promoted(home, 3))
    return home


Serve = Callable[[Path], Service]


def ask(service: Service) -> tuple[str, str | None]:
    answer = service.rank(task_id="T60", candidates=["P1", "P2"])
    assert len(answer["candidates"]) == 2
    return answer["source"], answer["reason"]


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def cut_short(folder: Path) -> None:
    for file in folder.glob("*.arrow"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def half_written(folder: Path) -> None:
    (folder / "snapshot.json").write_text('{"as_of": "2012-01-')


def overwritten(folder: Path) -> None:
    for file in folder.glob("*.arrow"):
        file.write_bytes(b"\xff" * file.stat().st_size)


def one_view_missing(folder: Path) -> None:
    next(iter(sorted(folder.glob("*.arrow")))).unlink()


def one_bit(folder: Path) -> None:
    """What no reader would notice: a number is another one."""
    path = folder / "columns.npy"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def forbidden(folder: Path) -> None:
    """A folder where a file should be: as unreadable as one without permission, also to root."""
    (folder / "snapshot.json").unlink()
    (folder / "snapshot.json").mkdir()


DAMAGES = [gone, cut_short, half_written, overwritten, one_bit, one_view_missing, forbidden]


@pytest.mark.parametrize("damage", DAMAGES)
def test_at_a_cold_start_with_a_damaged_store_the_rule_answers_and_says_why(
    home: Path, serve: Serve, damage: Callable[[Path], None]
) -> None:
    damage(current(home / "online"))
    service = serve(home)
    assert ask(service) == ("fallback", "features missing")
    assert service.metric(STALENESS) == float("inf")
    assert service.metric(FAILING) == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_while_serving_the_open_version_goes_on_and_grows_old(
    home: Path, serve: Serve, damage: Callable[[Path], None]
) -> None:
    service = serve(home)
    as_of_2012 = service.metric(STALENESS)
    published(home, damage)
    time.sleep(0.05)
    service.running.refresh()
    assert ask(service) == ("model", None)
    assert as_of_2012 < service.metric(STALENESS) < float("inf")
    assert service.metric(FAILING) == 1


def published(home: Path, damage: Callable[[Path], None]) -> None:
    """Publish a damaged copy of the current version as a newer one."""
    old = current(home / "online")
    new = Path(shutil.copytree(old, old.with_name(f"{old.name}-next")))
    damage(new)
    links = [each for each in (home / "online").iterdir() if each.is_symlink()]
    for link in links:
        link.unlink()
        link.symlink_to(new.name)


def test_a_damaged_version_that_is_taken_back_fails_no_longer_and_was_logged_once(
    home: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    service, good = serve(home), current(home / "online").name
    published(home, half_written)
    for _ in range(3):
        service.running.refresh()
    assert service.metric(FAILING) == 1
    swap(home / "online", good)
    service.running.refresh()
    assert service.metric(FAILING) == 0
    assert caplog.text.count("the online store cannot be opened") == 1


def test_a_store_that_was_slow_is_read_once_another_version_is_open(home: Path, serve: Serve) -> None:
    service = serve(home)
    features = service.running.features
    asked = service.running.warm_up(PRODUCT).asked
    features._slow = partial(read_for, None, asked, PRODUCT.asked_columns)  # before anything was published
    assert ask(service) == ("fallback", "features missing")
    published(home, lambda _: None)
    service.running.refresh()
    assert ask(service) == ("model", None)


def test_a_store_that_comes_back_is_read_again(home: Path, serve: Serve) -> None:
    aside = home / "aside"
    (home / "online").rename(aside)
    service = serve(home)
    assert ask(service) == ("fallback", "features missing")
    aside.rename(home / "online")
    service.running.refresh()
    assert ask(service) == ("model", None)
    assert service.metric(FAILING) == 0


def test_what_was_published_too_long_ago_is_answered_by_the_rule(home: Path, serve: Serve) -> None:
    old = time.time() - timedelta(days=LIMITS.stale_days + 1).total_seconds()
    os.utime(current(home / "online") / "snapshot.json", (old, old))
    service = serve(home)
    assert ask(service) == ("fallback", "features stale")
    assert service.metric(AGE) > timedelta(days=LIMITS.stale_days).total_seconds()


def test_all_of_a_store_is_in_memory_once_it_is_open_so_that_no_request_waits_for_the_disk(
    home: Path, serve: Serve
) -> None:
    folder = current(home / "online")
    large = folder / "large.npy"  # the small world's own files are read ahead whole, whoever touches them
    large.write_bytes(bytes(4 * 2**20))
    write_digests(folder)
    for _ in range(5):  # a machine that is short of memory may forget it again
        evict(large)
        if is_cached(large):
            pytest.skip("this file system keeps what it is told to forget")
        serve(home)
        if is_cached(large):
            return
    pytest.fail("the file would be read from the disk")


def evict(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def is_cached(path: Path) -> bool:
    """Whether every page of a file can be read without its disk."""
    with path.open("rb") as file:
        try:
            for page in range(0, path.stat().st_size, mmap.PAGESIZE):
                os.preadv(file.fileno(), [bytearray(1)], page, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
    return True


@dataclass(frozen=True)
class Delayed(Published):
    """The real store, on a disk that takes its time. reads: the seconds that each reading took longer."""

    delay: float = 0.0
    reads: list[float] = field(default_factory=list)

    def table(self, spine: Spine, rows: int, columns: Sequence[Column], given: Given = None) -> Table:
        time.sleep(self.delay)
        self.reads.append(self.delay)
        return super().table(spine, rows, columns, given)


def test_a_slow_store_is_left_alone_until_it_is_fast_again(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(home)
    open_one = service.running.features.current
    assert open_one is not None
    delayed = Delayed(**{each.name: getattr(open_one, each.name) for each in fields(open_one)}, delay=0.2)
    service.running.features.current = delayed
    monkeypatch.setattr(features, "LIMITS", replace(LIMITS, read_seconds=0.1))
    service.rank(task_id="T60", candidates=["P1"])  # the one that finds out
    found_out = len(delayed.reads)
    assert ask(service) == ("fallback", "features missing")
    assert len(delayed.reads) == found_out
    service.running.refresh()
    assert len(delayed.reads) == found_out + 1
    assert ask(service) == ("fallback", "features missing")  # still slow
    monkeypatch.setattr(features, "LIMITS", replace(LIMITS, read_seconds=LONG))  # whatever else the machine does
    service.running.refresh()
    assert ask(service) == ("model", None)
