"""Plain sentence-transformers, in an environment of its own, for bench/embedding.py to compare with.

Reads a line of JSON per task from the standard input and answers each with one: {"model", "threads"} loads;
{"texts", "batch", "vectors"} encodes, in one call or in a loop over batches of so many texts as they come, and saves.
"""

import json
import os
import sys
import time
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"


def loaded(model: str, threads: int) -> Any:
    import torch  # type: ignore[import-not-found]
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]

    torch.set_num_threads(threads)
    return SentenceTransformer(model, device="cpu")


def encoded(model: Any, texts: list[str], batch: int | None, vectors: str | None) -> dict[str, float]:
    """Seconds by the clock and of processor."""
    import numpy as np

    begun, used = time.perf_counter(), time.process_time()
    parts = [texts] if batch is None else [texts[at : at + batch] for at in range(0, len(texts), batch)]
    found = [model.encode(part, show_progress_bar=False) for part in parts]
    seconds = {"wall": time.perf_counter() - begun, "processor": time.process_time() - used}
    if vectors:
        np.save(vectors, np.concatenate(found))
    return seconds


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    model = None
    for line in sys.stdin:
        task = json.loads(line)
        answer: dict[str, float] = {}
        if model is None:
            model = loaded(**task)
        else:
            answer = encoded(model, **task)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
