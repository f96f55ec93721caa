"""How long training all products takes, and how much memory, on a world of about 100,000 interactions.

The world is synthetic and is published offline in a temporary home first, without servers; that is not counted. Each
product is then trained as `talentml train` trains it (labels, columns as of each event, fit, metrics on unseen rows),
in a process of its own, one after the other; registration is not part of it. Interactions: people's applications, and
tasks assigned to or worked on by somebody. Ends with status 1 where all take over 300 s, or one takes over 6 GB.

    python bench/products.py [--people 3200] [--product NAME ...] [--threads 4]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MOST_SECONDS, MOST_GB = 300.0, 6.0
INTERACTIONS = ("applications", "assignments", "worked_on")
THREADS = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS")


def build(home: Path, people: int) -> dict[str, int]:
    """Publish the world of that many people offline in the home; the rows of each stream."""
    from feature_repo.publish import publish_offline
    from feature_repo.seed import synthetic
    from feature_repo.settings import Settings
    from training.products import PRODUCTS

    counts = staged_world(home, people)
    settings = Settings(home=home, _env_file=None)
    publish_offline(settings, synthetic.UNTIL, products=PRODUCTS.values())
    return counts


def staged_world(home: Path, people: int) -> dict[str, int]:
    """Stage the streams and views of a world, as ingestion and check would; the rows of each stream."""
    from feature_repo.features import VIEWS
    from feature_repo.features.texts import home_encode
    from feature_repo.ingest import view_frames
    from feature_repo.seed import memory, synthetic

    made = synthetic.world(people, people * synthetic.TASKS_PER_PERSON, 42, synthetic.UNTIL)
    frames = synthetic.streams_of(made)
    staged = home.resolve() / "staged"
    files = memory.write(frames, staged / "streams")
    (staged / "views").mkdir()
    stored = [view for view in VIEWS if view.rows is not None]
    for view, frame in view_frames(files, stored, home_encode(home.resolve())):
        frame.write_parquet(staged / "views" / f"{view.name}.parquet")
    return {name: frame.height for name, frame in frames.items()}


def trained(home: Path, name: str) -> dict[str, Any]:
    """Train one product in this process: rows, seconds, peak GB, and the gate's metric beside its baseline's."""
    from feature_repo.seed import synthetic
    from training.fit import fit_candidate
    from training.products import PRODUCTS

    product, began = PRODUCTS[name], time.perf_counter()
    candidate = fit_candidate(product, home, synthetic.UNTIL)
    seconds = time.perf_counter() - began
    metric, beaten = product.gate.metric, product.gate.beats
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "product": name,
        "rows": candidate.rows,
        "unseen": candidate.test_frame.height,
        "seconds": seconds,
        "gb": peak / 1e9,
        "score": f"{metric} {candidate.metrics[metric]:.4g}, {beaten} {candidate.baselines[beaten][metric]:.4g}",
    }


def in_own_process(home: Path, threads: int, *words: str) -> dict[str, Any]:
    """What this file answers in a fresh process, whose peak is not the parent's: Linux hands that down."""
    limits = {variable: str(threads) for variable in THREADS}
    done = subprocess.run(
        [sys.executable, __file__, "--home", str(home), *words],
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **limits},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    from training.products import PRODUCTS

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=3200)
    parser.add_argument("--product", nargs="*", choices=[*PRODUCTS], default=[*PRODUCTS])
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--home", type=Path, help="a home published before, in place of a new world")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--build", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        print(json.dumps(build(asked.home, asked.build)))
        return 0
    if asked.train:
        print(json.dumps(trained(asked.home, asked.train)))
        return 0
    if asked.home:
        return report(asked.home, asked.product, asked.threads)
    return on_a_new_world(asked.people, asked.product, asked.threads)


def on_a_new_world(people: int, names: list[str], threads: int) -> int:
    """Build the world in a temporary home, and report on that."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        counts = in_own_process(Path(folder), threads, "--build", str(people))
        interactions, seconds = sum(counts[name] for name in INTERACTIONS), time.perf_counter() - began
        print(
            f"A world of {people:,} people, {interactions:,} interactions and {counts['engagements']:,} contents shown"
        )
        print(f"was built and published in {seconds:.0f} s, which do not count.")
        return report(Path(folder), names, threads)


def report(home: Path, names: list[str], threads: int) -> int:
    """Train each product, and print a line for it and one for all."""
    load = os.getloadavg()[0]
    print(f"{threads} threads, {os.cpu_count()} cores, load average {load:.1f} before\n")
    print(f"{'product':<18}{'rows':>10}{'unseen':>10}{'seconds':>9}{'peak GB':>9}  gate's metric")
    found = []
    for name in names:
        found.append(line := in_own_process(home, threads, "--train", name))
        counts = f"{line['rows']:>10,}{line['unseen']:>10,}"
        print(f"{name:<18}{counts}{line['seconds']:>9.1f}{line['gb']:>9.2f}  {line['score']}", flush=True)
    seconds, most = sum(line["seconds"] for line in found), max(line["gb"] for line in found)
    print(f"{'all':<38}{seconds:>9.1f}{most:>9.2f}  aims: {MOST_SECONDS:.0f} s, {MOST_GB:.0f} GB")
    return int(seconds > MOST_SECONDS or most > MOST_GB)


if __name__ == "__main__":
    sys.exit(main())
