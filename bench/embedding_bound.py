"""The least time that a model of sentences can take: its dense layers' matrix products alone, with its own weights."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from feature_repo.embedding import packaged_model
from feature_repo.embedding.encoder import BATCH_TOKENS
from feature_repo.embedding.model import tensors

LAYERS = [f"attention.self.{name}" for name in ("query", "key", "value")]
LAYERS += ["attention.output.dense", "intermediate.dense", "output.dense"]

Seconds = dict[str, float]  # wall, processor
Turn = Callable[[], Seconds]
Products = Callable[[np.ndarray[Any, Any]], object]


def clocked(work: Callable[[], object]) -> Turn:
    def turn() -> Seconds:
        begun, used = time.perf_counter(), time.process_time()
        work()
        return {"wall": time.perf_counter() - begun, "processor": time.process_time() - used}

    return turn


def session_of(model: str | bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnx_products() -> Products:
    """The model's 36 dense layers without anything between them, on one thread."""
    from onnx import TensorProto, helper, numpy_helper

    weights = tensors(packaged_model())
    names = [f"encoder.layer.{layer}.{name}" for layer in range(6) for name in LAYERS]
    constants = [numpy_helper.from_array(np.ascontiguousarray(weights[f"{name}.weight"].T), name) for name in names]
    nodes = [helper.make_node("MatMul", [f"{place}", name], [f"{place + 1}"]) for place, name in enumerate(names)]
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, ["rows", 384]) for end in ("0", f"{len(names)}")]
    graph = helper.make_graph(nodes, "products", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = session_of(model.SerializeToString(), 1)
    return lambda rows: session.run(None, {"0": rows})


def blas_products() -> Products:
    weights = tensors(packaged_model())
    names = [f"encoder.layer.{layer}.{name}.weight" for layer in range(6) for name in LAYERS]
    matrices = [np.ascontiguousarray(weights[name].T) for name in names]

    def multiplied(rows: np.ndarray[Any, Any]) -> object:
        for matrix in matrices:
            rows = rows @ matrix
        return rows

    return multiplied


def in_batches(products: Products, tokens: int, threads: int) -> Turn:
    """So many tokens through the products, a batch per thread at a time, a part of a batch counted as a part."""
    rows = np.full((BATCH_TOKENS, 384), 1e-3, np.float32)
    count = -(-tokens // BATCH_TOKENS // threads) * threads

    def work() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(products, [rows] * count))

    turn = clocked(work)
    return lambda: {kind: each * tokens / (count * BATCH_TOKENS) for kind, each in turn().items()}
