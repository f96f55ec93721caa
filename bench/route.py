"""How fast the route for 100 candidates answers: ours, and one without all that a service owes its callers.

The home holds a synthetic world and champions fitted on it. Beside our service, with one worker, stand
- bare: a Starlette route under uvicorn that parses, predicts with the same booster on ready rows, answers as much;
- native: the same as a route of BentoML's own.
wrk asks each in turn, round after round, over 1 and 8 connections; each question once, so that no answer is a kept one.
With explanations: of the best 10, by ours only. The aim is half of the bare one's answers, which are as above; beside
it stands the share of one that answers as many bytes as an explained answer has, which it does not compute.
Then the start and the memory of two workers. Ends with status 1 where an aim is missed.

    python bench/route.py [--quick] [--people 300] [--rounds 5] [--seconds 5]
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import polars as pl
from pydantic_core import to_json

from bench import ranker, service
from bench.aims import Aims
from bench.home import with_champions
from bench.load import CANDIDATES, WORKERS, Load, Measured, Question, ids, load_of
from bench.ranker import PATH
from feature_repo.online import OnlineSnapshot
from feature_repo.retrieval import online_frame
from feature_repo.settings import Settings
from training.model import load_model
from training.products import PRODUCTS
from training.trainers.hybrid import Hybrid

NAME = "task_assignment"
PLAIN, EXPLAINED = Question(CANDIDATES, explain=False), Question(10, explain=True)
OURS, BARE, NATIVE = "ours", "bare", "native"
CONNECTIONS, SAMPLE = (1, 8), 21
BARE_SHARE, EXPLAINED_SHARE, NATIVE_TIMES, P99_TIMES = 0.75, 0.5, 2.0, 2.0
MOST_GB, MOST_SECONDS = 4.0, 10.0


@dataclass(frozen=True)
class Cell:
    """A row of the table: who is asked what, over how many connections."""

    who: str
    question: Question
    connections: int


def cells() -> list[Cell]:
    """In the order in which they are asked: those that are compared follow each other."""
    turns = ((NATIVE, PLAIN), (OURS, PLAIN), (BARE, PLAIN), (OURS, EXPLAINED), (BARE, EXPLAINED))
    return [Cell(who, question, count) for count in CONNECTIONS for who, question in turns]


def answer(url: str, load: Load, people: Sequence[str], task: str, question: Question) -> Mapping[str, object]:
    """Our answer to one question, which must come from the model."""
    body = {"task_id": task, "candidates": people, "limit": question.limit, "explain": question.explain}
    found = httpx.post(url + PATH, json=body, headers={"Authorization": f"Bearer {load.token}"}, timeout=30)
    said: Mapping[str, object] = found.raise_for_status().json()
    if said["source"] != "model":
        raise SystemExit(f"{url}: answers by {said['source']} ({said['reason']}), not by the model")
    return said


def prepare_peers(settings: Settings, url: str, load: Load) -> None:
    """Leave in the home what the peers read: the champion's booster, ready rows, answers of ours of middling size."""
    people, known = ids(settings, WORKERS, "person_id")[:CANDIDATES], ids(settings, "tasks", "task_id")
    tasks = known[:: len(known) // SAMPLE][:SAMPLE]
    answers = {}
    for each in (PLAIN, EXPLAINED):
        found = sorted((answer(url, load, people, task, each) for task in tasks), key=lambda said: len(to_json(said)))
        answers[ranker.name(each.limit, each.explain)] = found[SAMPLE // 2]
    folder = settings.root / "models" / NAME / "1"
    model = load_model(folder)
    assert isinstance(model, Hybrid)
    spine = pl.DataFrame({"person_id": people}).with_columns(task_id=pl.lit(tasks[0]))
    rows = model.boosted.encoding.matrix(
        online_frame(OnlineSnapshot.open(settings.root), spine, PRODUCTS[NAME].columns)
    )
    ranker.save(settings.root / ranker.FOLDER, folder / ranker.BOOSTER, rows, answers)


def measured(urls: Mapping[str, str], load: Load, rounds: int, seconds: float) -> dict[Cell, list[Measured]]:
    """Each cell once a round; a round before them warms up."""
    found: dict[Cell, list[Measured]] = {cell: [] for cell in cells()}
    for cell in found:
        load.put(urls[cell.who], cell.question, cell.connections, min(seconds, 2), seed=0)
    for number in range(1, rounds + 1):
        for cell, runs in found.items():
            run = load.put(urls[cell.who], cell.question, cell.connections, seconds, number)
            if run.failed:
                raise SystemExit(f"{cell.who}: {run.failed} of {run.answers} answers failed")
            runs.append(run)
    return found


def check_fresh(url: str, load: Load) -> None:
    """Ours must not have looked an answer up in place of making it, nor answered by the rule."""
    text = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {load.token}"}, timeout=30).text
    lines = (line.rpartition(" ") for line in text.splitlines())
    values = {name: float(value) for name, _, value in lines if name.startswith("talentml_")}
    hits = values.get(f'talentml_cache_total{{product="{NAME}",result="hit"}}', 0.0)
    rules = values.get(f'talentml_answers_total{{product="{NAME}",source="fallback"}}', 0.0)
    if hits or rules:
        raise SystemExit(f"{hits:.0f} answers were kept ones and {rules:.0f} the rule's, allowed: none")


def medians(runs: Sequence[Measured]) -> Measured:
    """Of each number over the rounds."""
    return Measured(**{name: statistics.median(vars(run)[name] for run in runs) for name in vars(runs[0])})


def report(found: Mapping[Cell, Sequence[Measured]], aims: Aims) -> None:
    """A row per cell, and how ours compare."""
    of = {cell: medians(runs) for cell, runs in found.items()}
    print(f"{'':<34}{'answers/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'kB each':>9}")
    for cell, each in of.items():
        what = f"{'top 10 explained' if cell.question.explain else '100 ranked'}, {cell.connections} connections"
        kilobytes = each.bytes / each.answers / 1e3
        print(f"{cell.who:<8}{what:<26}{each.per_second:>10.0f}{each.p50:>9.2f}{each.p99:>9.2f}{kilobytes:>9.1f}")
    print()
    for count in CONNECTIONS:
        over = f"{count} connections"
        mine, least = of[Cell(OURS, PLAIN, count)], of[Cell(BARE, PLAIN, count)]
        theirs = of[Cell(NATIVE, PLAIN, count)]
        aims.at_least(f"{over}: answers/s of the bare one's", mine.per_second / least.per_second, BARE_SHARE)
        aims.at_least(f"{over}: times the native one's", mine.per_second / theirs.per_second, NATIVE_TIMES)
        aims.at_most(f"{over}: times the bare one's p99", mine.p99 / least.p99, P99_TIMES)
        mine, bytes_alone = of[Cell(OURS, EXPLAINED, count)], of[Cell(BARE, EXPLAINED, count)]
        share = mine.per_second / least.per_second
        aims.at_least(f"{over}, explained: of the bare one's, which is not", share, EXPLAINED_SHARE)
        share = mine.per_second / bytes_alone.per_second
        print(f"{over}, explained: of the bare one's that answers as many bytes {share:.2f}")


def two_workers(settings: Settings, load: Load, aims: Aims, starts: int) -> None:
    """How soon two workers serve all champions, and what they hold once they have answered for a while."""
    seconds = []
    for _ in range(starts):
        with service.ours(settings, workers=2) as server:
            seconds.append(server.started_in)
            load.put(server.url, EXPLAINED, 8, 3, seed=1)
            memory = server.memory
    aims.at_most("two workers: GB, with all their processes", memory / 1e9, MOST_GB)
    aims.at_most("two workers: seconds until they serve all champions", statistics.median(seconds), MOST_SECONDS)


def main() -> int:
    """Print the tables; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, and a champion for this route only")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    given = parser.parse_args()
    rounds, seconds = given.rounds or (2 if given.quick else 5), given.seconds or (2 if given.quick else 5)
    aims = Aims()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        settings = with_champions(Path(folder), given.people, [NAME] if given.quick else PRODUCTS)
        load = load_of(settings)
        mine = stack.enter_context(service.ours(settings))
        prepare_peers(settings, mine.url, load)
        peers = {BARE: service.bare, NATIVE: service.native}
        urls = {who: stack.enter_context(start(settings)).url for who, start in peers.items()} | {OURS: mine.url}
        report(measured(urls, load, rounds, seconds), aims)
        check_fresh(mine.url, load)
        stack.close()
        two_workers(settings, load, aims, 1 if given.quick else 3)
    print(f"\nload average {os.getloadavg()[0]:.1f} after")
    return aims.status()


if __name__ == "__main__":
    sys.exit(main())
