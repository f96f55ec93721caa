"""BERT with mean pooling as an ONNX graph, written from the weights. No torch, no exporter.

Its input are texts of one length, so that nothing is padded: no mask, no arithmetic on padding, no influence of a text
on its neighbours. Which operators, by measurement (one AVX-512 core, texts of 42 tokens, us of about 105 per token):
- LayerNormalization after Add 2.6, the fused SkipLayerNormalization 18.8: its CPU kernel is not vectorised;
- Gelu on the output of Gemm 3.7, BiasGelu 4.8; FastGelu and its kin approximate;
- attention spelled out 5.8, by MultiHeadAttention 9.3 (of 256 tokens both 20); with a mask it would be slower still
  (microsoft/onnxruntime#29655);
- three Gemms for query, key and value rather than one of triple width, which would have to be split again.
In int8 DynamicQuantizeMatMul is faster still (2.5 times fp32, ours 2.1), but has one scale per batch: a vector then
moves by .03 with its neighbours, and the mean cosine to fp32 is .9940 instead of .9977 (titles of 300 issues).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_repo.embedding.model import Array, Bert, tensors

if TYPE_CHECKING:
    import onnx

Precision = Literal["fp32", "int8"]
VERSION = "1"  # raise it when the graph changes: older ones are then built anew
TOKENS, VECTORS = "tokens", "vectors"
FUSED = "com.microsoft"
OPSETS = {"": 20, FUSED: 1}
BITS = 127  # the largest of 8 bits with a sign


def build(bert: Bert, precision: Precision) -> "onnx.ModelProto":
    """The graph: tokens int32 (texts, length) to vectors float32 (texts, width) of unit length.

    int8: the dense layers' weights as 8 bits per output channel, their inputs as 8 bits per token.
    """
    from onnx import TensorProto, helper

    graph = _Graph(tensors(bert.folder), precision)
    hidden = _embedded(graph, bert)
    for layer in range(bert.layers):
        hidden = _layer(graph, bert, hidden, f"encoder.layer.{layer}.")
    mean = graph.add("ReduceMean", graph.add("Reshape", hidden, "batched"), "along", keepdims=0)
    graph.add("LpNormalization", mean, output=VECTORS, axis=-1, p=2)
    given = helper.make_tensor_value_info(TOKENS, TensorProto.INT32, ["texts", "length"])
    found = helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, ["texts", bert.width])
    drawn = helper.make_graph(graph.nodes, "sentences", [given], [found], graph.constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(drawn, opset_imports=opsets, ir_version=10, producer_name="talentml")


class _Graph:
    """Nodes and constants as they are added. Activations are named after their node."""

    def __init__(self, weights: dict[str, Array], precision: Precision) -> None:
        self.weights, self.precision = weights, precision
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._whole: dict[str, tuple[str, str]] = {}
        self.constant("along", [1])
        if precision == "int8":
            self.constant("step", np.float32(1 / BITS))
            self.constant("zero", np.uint8(BITS + 1))
            self.constant("tiny", np.float32(1e-9))

    def constant(self, name: str, values: Array | Sequence[int] | np.generic) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def add(self, kind: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """One operator; the name of its output."""
        from onnx import helper

        output = output or f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def normalised(self, values: str, name: str, epsilon: float) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", values, scale, shift, epsilon=epsilon)

    def dense(self, values: str, name: str) -> str:
        """values, of shape (tokens, in), through a linear layer."""
        matrix, bias = self.weights[f"{name}.weight"].T, self.weight(f"{name}.bias")
        if self.precision == "fp32":
            return self.add("Gemm", values, self.constant(name, matrix), bias)
        return self.add("Add", self._whole_product(values, name, matrix), bias)

    def _whole_product(self, values: str, name: str, matrix: Array) -> str:
        """values @ matrix in 8 bits: a scale per token on the left, per output on the right."""
        scale = np.abs(matrix).max(axis=0) / BITS
        whole = self.constant(name, np.rint(matrix / scale).astype(np.int8))
        scales = self.constant(f"{name}.scale", scale.astype(np.float32))
        rounded, largest = self._rounded(values)
        product = self.add("MatMulIntegerToFloat", rounded, whole, "step", scales, "zero", domain=FUSED)
        return self.add("Mul", product, largest)

    def _rounded(self, values: str) -> tuple[str, str]:
        """Values as whole numbers around 128, and each token's largest magnitude; once for all that read them."""
        if values not in self._whole:
            high = self.add("ReduceMax", values, "along", keepdims=1)
            low = self.add("Neg", self.add("ReduceMin", values, "along", keepdims=1))
            largest = self.add("Max", high, low, "tiny")
            rounded = self.add("QuantizeLinear", self.add("Div", values, largest), "step", "zero")
            self._whole[values] = rounded, largest
        return self._whole[values]


def _embedded(graph: _Graph, bert: Bert) -> str:
    """Word and place of each token, shape (tokens, width). Also names the shapes "flat", "batched" and "heads"."""
    place = graph.weights["embeddings.position_embeddings.weight"][: bert.tokens]
    kind = graph.weights["embeddings.token_type_embeddings.weight"][0]  # a single text: all of the first kind
    words = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), TOKENS)
    length = graph.add("Shape", TOKENS, start=1)
    places = graph.add("Slice", graph.constant("places", place + kind), graph.constant("first", [0]), length)
    shape = graph.add("Shape", TOKENS)
    graph.add("Concat", shape, graph.constant("width", [bert.width]), output="batched", axis=0)
    split = graph.constant("split", [bert.heads, bert.width // bert.heads])
    graph.add("Concat", shape, split, output="heads", axis=0)
    flat = graph.constant("flat", [-1, bert.width])
    hidden = graph.add("Reshape", graph.add("Add", words, places), flat)
    return graph.normalised(hidden, "embeddings.LayerNorm", bert.epsilon)


def _layer(graph: _Graph, bert: Bert, hidden: str, name: str) -> str:
    seen = graph.dense(_attention(graph, bert, hidden, f"{name}attention.self."), f"{name}attention.output.dense")
    hidden = graph.normalised(graph.add("Add", seen, hidden), f"{name}attention.output.LayerNorm", bert.epsilon)
    wide = graph.add("Gelu", graph.dense(hidden, f"{name}intermediate.dense"))
    narrow = graph.dense(wide, f"{name}output.dense")
    return graph.normalised(graph.add("Add", narrow, hidden), f"{name}output.LayerNorm", bert.epsilon)


def _attention(graph: _Graph, bert: Bert, hidden: str, name: str) -> str:
    """What each token sees of the others of its text, shape (tokens, width)."""

    def by_head(part: str) -> str:
        apart = graph.add("Reshape", graph.dense(hidden, f"{name}{part}"), "heads")
        return graph.add("Transpose", apart, perm=[0, 2, 1, 3])

    query, key, value = map(by_head, ("query", "key", "value"))
    alpha = (bert.width / bert.heads) ** -0.5
    likeness = graph.add("FusedMatMul", query, key, domain=FUSED, transB=1, alpha=alpha)
    seen = graph.add("MatMul", graph.add("Softmax", likeness, axis=-1), value)
    return graph.add("Reshape", graph.add("Transpose", seen, perm=[0, 2, 1, 3]), "flat")
