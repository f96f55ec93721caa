"""Sentences per second: ours in fp32 and int8, from the cache, a naive loop, plain sentence-transformers, the bound.

Two sets of texts of random words: 30 words each, and 5 to 200. All take turns, so that a busy machine is busy for all,
and the best turn counts: by the clock, and per second of processor, which tells more where others use the machine too.
- bound: the dense layers' matrix products alone, with the model's weights, a batch of 512 tokens at a time; 21 MFLOP a
  token, without attention, tokens or anything else. By onnxruntime, and by numpy's BLAS.
- naive: our graph in batches of 32 texts as they come, padded to the longest. It has no mask: only its time is right.
- sentence-transformers: in an environment that this makes, where pip knows a folder with torch for CPUs (its setting
  find-links) or the environment is there already. Vectors are compared.

    python bench/embedding.py [--threads 4] [--texts 256] [--repeats 3] [--peer FOLDER]
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.embedding_bound import Seconds, Turn, blas_products, clocked, in_batches, onnx_products, session_of
from bench.embedding_plain import Peer, peer_python
from feature_repo.embedding import EmbeddingCache, Encoder, open_encoder, packaged_model
from feature_repo.embedding.graph import TOKENS, VECTORS

MFLOP_A_TOKEN = 6 * 2 * (4 * 384 * 384 + 2 * 384 * 1536) / 1e6
AIM_BOUND, AIM_NAIVE, AIM_STORED = 0.9, 4, 100
OURS, INT8, STORED, NAIVE = "ours, fp32", "ours, int8", "ours, from the cache", "naive: 32 as they come, padded"
PLAIN, PLAIN_NAIVE = "sentence-transformers", "sentence-transformers, naive"
BOUND, BLAS = "bound: products, onnxruntime", "bound: products, numpy"


def sentences(count: int, fewest: int, most: int) -> list[str]:
    """Random English words of the model's vocabulary."""
    random = np.random.default_rng(42)
    vocabulary = (packaged_model() / "vocab.txt").read_text().split("\n")
    words = [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 3]
    return [" ".join(random.choice(words, size)) for size in random.integers(fewest, most + 1, count)]


def token_ids(texts: list[str]) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged_model() / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]


def naive(graph: Path, threads: int) -> Callable[[list[str]], None]:
    """What it encodes is padded: the vectors are wrong, the arithmetic is that of a loop that pads."""
    session = session_of(str(graph), threads)

    def loop(texts: list[str]) -> None:
        for start in range(0, len(texts), 32):
            ids = token_ids(texts[start : start + 32])
            padded = np.zeros((len(ids), max(map(len, ids))), np.int32)
            for row, tokens in zip(padded, ids, strict=True):
                row[: len(tokens)] = tokens
            session.run([VECTORS], {TOKENS: padded})

    return loop


def best(turns: dict[str, Turn], repeats: int) -> dict[str, Seconds]:
    """Each one's best turn, after one that does not count."""
    taken: dict[str, list[Seconds]] = {name: [] for name in turns}
    for name in list(turns) * (repeats + 1):
        taken[name].append(turns[name]())
    return {name: {kind: min(turn[kind] for turn in each[1:]) for kind in each[0]} for name, each in taken.items()}


def table(title: str, count: int, tokens: int, seconds: dict[str, Seconds]) -> None:
    print(f"\n{title:<34}{'texts/s':>10}{'/ core-s':>10}{'GFLOP/s':>10}{'of bound':>10}{'of peer':>9}{'of naive':>10}")
    for name, each in seconds.items():
        rate, per_core = count / each["wall"], count / each["processor"]
        flops = "" if name == STORED else f"{MFLOP_A_TOKEN * tokens / each['wall'] / 1e3:.0f}"
        bases = (BOUND, PLAIN, NAIVE)
        ratios = [f"{seconds[base]['wall'] / each['wall']:.2f}" if base in seconds else "" for base in bases]
        shown = zip(ratios, (10, 9, 10), strict=True)
        print(f"{name:<34}{rate:>10.0f}{per_core:>10.0f}{flops:>10}" + "".join(f"{r:>{w}}" for r, w in shown))
    share, blas = (ratio(seconds, OURS, bound, "processor") for bound in (BOUND, BLAS))
    print(f"ours, fp32, per second of processor: {share:.2f} of the bound by onnxruntime, {blas:.2f} of that by numpy")


def ratio(seconds: dict[str, Seconds], name: str, base: str, kind: str) -> float:
    """How many times as fast as a base."""
    return seconds[base][kind] / seconds[name][kind]


def missed(equal: dict[str, Seconds], mixed: dict[str, Seconds]) -> list[str]:
    """Aims that the 30 words and the mixed lengths do not reach. The bound, of products alone, is the faster one.

    The naive loop is that of sentence-transformers; without it ours, which is faster than a right one, having no mask.
    """
    naive_loop = PLAIN_NAIVE if PLAIN_NAIVE in mixed else NAIVE
    found = {
        f"at least {AIM_BOUND} of the bound": (ratio(equal, OURS, BOUND, "processor"), AIM_BOUND),
        f"at least {AIM_NAIVE} times {naive_loop}, on mixed lengths": (
            ratio(mixed, OURS, naive_loop, "wall"),
            AIM_NAIVE,
        ),
        f"at least {AIM_STORED} times as fast from the cache": (ratio(mixed, STORED, OURS, "wall"), AIM_STORED),
    }
    return [f"{aim}: {value:.2f}" for aim, (value, least) in found.items() if value < least]


def compared(encoders: dict[str, Encoder], peer: Peer | None, texts: list[str], folder: Path) -> None:
    """How far the vectors are from each other's. Raises AssertionError beyond 1e-5 in fp32."""
    vectors = {name: encoder.encode(texts) for name, encoder in encoders.items()}
    alone = np.concatenate([encoders[OURS].encode([text]) for text in texts[:64]])
    print(f"ours alone and in company: at most {np.abs(alone - vectors[OURS][:64]).max():.1e} apart")
    cosine = (vectors[OURS] * vectors[INT8]).sum(axis=1)
    print(f"cosine of int8 to fp32: mean {cosine.mean():.4f}, least {cosine.min():.4f}")
    if peer:
        peer.turn(texts, vectors=folder / "peer.npy")()
        apart = np.abs(np.load(folder / "peer.npy") - vectors[OURS]).max()
        print(f"ours and sentence-transformers: at most {apart:.1e} apart")
        assert apart < 1e-5


def turns_of(texts: list[str], encoders: dict[str, Encoder], folder: Path, threads: int) -> dict[str, Turn]:
    """Ours and the bounds."""
    tokens = sum(map(len, token_ids(texts)))
    cache = EmbeddingCache(folder, encoders[OURS])
    loop = naive(folder / f"{encoders[OURS].name}.onnx", threads)
    turns: dict[str, Turn] = {OURS: clocked(lambda: encoders[OURS].encode(texts))}
    turns[INT8] = clocked(lambda: encoders[INT8].encode(texts))
    turns[STORED] = clocked(lambda: cache.encode(texts))
    turns[NAIVE] = clocked(lambda: loop(texts))
    turns[BOUND] = in_batches(onnx_products(), tokens, threads)
    turns[BLAS] = in_batches(blas_products(), tokens, threads)
    return turns


def run(folder: Path, peer_folder: Path, threads: int, count: int, repeats: int) -> None:
    encoders = {OURS: open_encoder(folder, threads=threads), INT8: open_encoder(folder, None, threads, "int8")}
    python = peer_python(peer_folder)
    peer = Peer(python, threads) if python else None
    sets = {"30 words": sentences(count, 30, 30), "5 to 200 words": sentences(count, 5, 200)}
    print(f"{count} texts, {threads} threads of {os.cpu_count()} cores, on which {os.getloadavg()[0]:.1f} are at work")
    found = []
    for title, texts in sets.items():
        turns = turns_of(texts, encoders, folder, threads)
        if peer:
            turns |= {PLAIN: peer.turn(texts), PLAIN_NAIVE: peer.turn(texts, batch=32)}
        tokens = sum(map(len, token_ids(texts)))
        found.append(best(turns, repeats))
        table(f"{title}, {tokens / count:.0f} tokens", count, tokens, found[-1])
    compared(encoders, peer, sets["5 to 200 words"], folder)
    if peer:
        peer.close()
    if short := missed(*found):
        raise SystemExit("missed: " + "; ".join(short))


def main() -> None:
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", type=Path, default=Path(tempfile.gettempdir()) / "talentml-sentence-transformers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1, "blas"):
        run(Path(folder), given.peer, given.threads, given.texts, given.repeats)


if __name__ == "__main__":
    main()
