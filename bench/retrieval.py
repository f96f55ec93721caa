"""How long the 100 nearest of 100,000 vectors take, on one thread: ours beside exact searches by numpy and usearch.

Two sets of vectors of length 1: random ones, where every neighbour is far and a graph fails, and clustered ones, as
texts are. recall: the share of the exact 100 that ours names. Ends with status 1 where an aim is missed.

    python bench/retrieval.py [--rows 100000] [--dims 384] [--k 100] [--queries 100] [--usearch 4096]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from feature_repo.neighbours import SPARE, Neighbours, coded

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
CLUSTER_ROWS, SPREAD = 100, 0.7
EXACT, OURS = "numpy product", "ours"


def unit(rows: NDArray[np.float64]) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def random_vectors(rows: int, dims: int) -> Floats:
    return unit(np.random.default_rng(42).standard_normal((rows, dims)))


def clustered_vectors(rows: int, dims: int) -> Floats:
    """Vectors around centres, a hundred each."""
    random = np.random.default_rng(42)
    centres = random.standard_normal((max(1, rows // CLUSTER_ROWS), dims))
    return unit(centres[random.integers(0, len(centres), rows)] + SPREAD * random.standard_normal((rows, dims)))


def by_numpy(vectors: Floats, k: int) -> Callable[[Floats], Places]:
    def search(query: Floats) -> Places:
        scores = vectors @ query
        near = np.argpartition(scores, -k)[-k:]
        return np.asarray(near[np.argsort(-scores[near])])

    return search


def by_neighbours(index: Neighbours, k: int) -> Callable[[Floats], Places]:
    return lambda query: np.asarray(index.search(query, k).keys[0])


def timed(search: Callable[[Floats], Places], queries: Floats) -> tuple[float, list[Places]]:
    """The median of the queries in ms, and what each found."""
    search(queries[0])
    seconds, found = [], []
    for query in queries:
        begun = time.perf_counter()
        found.append(search(query))
        seconds.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(seconds)), found


def recall(found: list[Places], exact: list[Places]) -> float:
    shares = [np.isin(ours, theirs).mean() for ours, theirs in zip(found, exact, strict=True)]
    return float(np.mean(shares))


def by_codes(stored: Floats, k: int) -> Callable[[Floats], Places]:
    """usearch's exact search over one-byte codes, which knows nothing of each vector's step: 3k, then exact scores."""
    from usearch.index import search

    codes, _ = coded(stored)

    def find(query: Floats) -> Places:
        near = np.asarray(search(codes, coded(query[None])[0][0], SPARE * k, "cos", exact=True, threads=1).keys)
        return np.asarray(near[np.argsort(-(stored[near] @ query))[:k]])

    return find


def by_usearch(stored: Floats, k: int, expansion: int) -> Callable[[Floats], Places]:
    """Its HNSW graph, in bf16; expansion: how many rows a search visits at a time."""
    from usearch.index import Index

    index = Index(ndim=stored.shape[1], metric="cos", dtype="bf16", connectivity=32, expansion_search=expansion)
    index.add(np.arange(len(stored)), stored, threads=1)
    return lambda query: np.asarray(index.search(query, k, threads=1).keys).astype(np.int64)


def ways(given: Any) -> dict[str, Callable[[Floats], Callable[[Floats], Places]]]:
    """By name: (stored vectors) -> (query) -> places."""
    named: dict[str, Callable[[Floats], Callable[[Floats], Places]]] = {
        EXACT: lambda stored: by_numpy(stored, given.k),
        OURS: lambda stored: by_neighbours(Neighbours.build(np.arange(len(stored)), stored), given.k),
        "usearch exact": lambda stored: by_codes(stored, given.k),
    }
    if given.usearch:
        named["usearch HNSW"] = lambda stored: by_usearch(stored, given.k, given.usearch)
    return named


def run(name: str, vectors: Floats, given: Any) -> bool:
    """Whether ours reaches the aims on these vectors; prints a row per way."""
    queries, stored = vectors[: given.queries], vectors[given.queries :]
    exact: list[Places] = []
    reached = False
    for way, build in ways(given).items():
        begun = time.perf_counter()
        search = build(stored)
        built = time.perf_counter() - begun
        ms, found = timed(search, queries)
        exact = exact or found
        share = recall(found, exact)
        print(f"{name:<12}{way:<16}{built:>9.2f}{ms:>10.2f}{share:>10.4f}", flush=True)
        reached |= way == OURS and ms <= given.aim_ms and share >= given.aim_recall
    return reached


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default in (("--rows", 100_000), ("--dims", 384), ("--k", 100), ("--queries", 100)):
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--aim-ms", type=float, default=5.0)
    parser.add_argument("--aim-recall", type=float, default=0.99)
    parser.add_argument("--usearch", type=int, default=0, metavar="EXPANSION", help="a graph beside it: takes minutes")
    given = parser.parse_args()
    print(
        f"top {given.k} of {given.rows:,} x {given.dims}, one query at a time on one thread, median of {given.queries}"
    )
    print(f"{'vectors':<12}{'way':<16}{'build s':>9}{'ms':>10}{'recall':>10}")
    sets = {"random": random_vectors, "clustered": clustered_vectors}
    with threadpool_limits(1):
        reached = [run(name, make(given.rows + given.queries, given.dims), given) for name, make in sets.items()]
    if not all(reached):
        raise SystemExit(f"missed: at most {given.aim_ms} ms at recall {given.aim_recall}")


if __name__ == "__main__":
    main()
