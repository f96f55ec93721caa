"""Texts to vectors, sorted by length and in batches of one length."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from feature_repo.embedding.graph import TOKENS, VECTORS, VERSION, Precision, build
from feature_repo.embedding.model import PINNED, TOKENIZER, Array, Bert, packaged_model, read_model
from feature_repo.errors import DataError

# Tokens of a batch: fewer leave the matrix product waiting for its weights, more push its results out of the cache.
BATCH_TOKENS = 512
CHUNK = 32_768  # texts that are tokenised at a time: a bound on memory


class Encoder:
    """A model ready to encode. Safe to share between threads.

    name: which weights, tokenizer, graph and precision; vectors of two encoders of one name are interchangeable.
    """

    def __init__(self, bert: Bert, graph: Path, precision: Precision, threads: int) -> None:
        self.name, self.width = f"{bert.name}-{VERSION}-{precision}", bert.width
        self._threads = threads
        self._tokenizer = _tokenizer(bert)
        self._session = _session(graph)

    def encode(self, texts: Sequence[str | None]) -> Array:
        """A vector of unit length per text, float32, shape (texts, width), in the order of the texts.

        None and whitespace are the empty text; what is beyond the model's 256 tokens is left out. A repeated text is
        encoded once. A text's vector is the same in any company, to 1e-6 in fp32.
        Raises DataError for what is neither text nor None.
        """
        clean = plain(texts)
        places = {text: place for place, text in enumerate(dict.fromkeys(clean))}
        distinct = list(places)
        vectors = np.empty((len(distinct), self.width), np.float32)
        for start in range(0, len(distinct), CHUNK):
            self._encode_into(vectors[start : start + CHUNK], distinct[start : start + CHUNK])
        return vectors[np.fromiter(map(places.__getitem__, clean), np.intp, len(clean))]

    def _encode_into(self, vectors: Array, texts: list[str]) -> None:
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        lengths = np.fromiter(map(len, tokens), np.intp, len(tokens))

        def run(batch: Array) -> None:
            given = np.array([tokens[place] for place in batch], np.int32)
            vectors[batch] = self._session.run([VECTORS], {TOKENS: given})[0]

        if self._threads == 1:
            for batch in batches(lengths):
                run(batch)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(run, batches(lengths)))


def batches(lengths: Array) -> Iterator[Array]:
    """Places of texts of one length, together at most BATCH_TOKENS long, a text at least; the longest texts first."""
    order = np.argsort(-lengths, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if len(same):
            most = max(1, BATCH_TOKENS // int(lengths[same[0]]))
            yield from np.array_split(same, -(-len(same) // most))


def plain(texts: Sequence[str | None]) -> list[str]:
    """The texts without None and without the halves of characters that no encoding knows.

    Raises DataError for what is neither text nor None.
    """
    if isinstance(texts, str):
        raise DataError("texts: one str, allowed is a sequence of them")
    for place, text in enumerate(texts):
        if not (text is None or isinstance(text, str)):
            raise DataError(f"texts[{place}]: {type(text).__name__}, allowed str or None")
    return [(text or "").strip().encode(errors="replace").decode() for text in texts]


def open_encoder(folder: Path, model: Path | None = None, threads: int = 1, precision: Precision = "fp32") -> Encoder:
    """An encoder whose graph lies in a folder, where it is built if it is missing or unreadable.

    model: a sentence-transformers folder; None for the packaged all-MiniLM-L6-v2, whose hashes must be the pinned ones.
    Raises DataError for a model that is not a BERT with mean pooling.
    """
    bert = read_model(model or packaged_model(), {} if model else PINNED)
    graph = folder / f"{bert.name}-{VERSION}-{precision}.onnx"
    if graph.exists():
        try:
            return Encoder(bert, graph, precision, threads)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base
            warnings.warn(f"{graph}: cannot be read and is built anew ({error})", stacklevel=2)
    _write(graph, build(bert, precision).SerializeToString())
    return Encoder(bert, graph, precision, threads)


def _write(path: Path, content: bytes) -> None:
    """A whole file or none, whoever writes beside us."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _tokenizer(bert: Bert) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bert.folder / TOKENIZER))
    tokenizer.enable_truncation(bert.tokens)
    tokenizer.no_padding()
    return tokenizer


def _session(graph: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread per batch: batches are independent, so several at once cost less than one divided.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Not beyond basic: it would put the slow SkipLayerNormalization back in.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_mem_pattern = False  # it keeps a plan for every shape that it has seen
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
