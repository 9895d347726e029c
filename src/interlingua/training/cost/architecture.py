"""Parameters and operations of an architecture, counted from its configuration alone.

A model is an embedding table, one or two stacks of Transformer layers, and a head over the
vocabulary. Operations are floating-point operations of matrix products, two for a multiplication
with its addition, as Kaplan et al. (2020, arXiv 2001.08361, table 1) and Hoffmann et al. (2022,
arXiv 2203.15556, appendix F) count them; norms and softmax do not count. A layer over B texts of L
tokens takes, forward,

    2 B L (2 D I + 2 D K + g D F)  +  4 B L^2 I

for its matrices (g is 3 where the feed-forward layer is gated, else 2), and for the scores and the
mixing of its attention. Backward takes the first term once for the gradient of what comes in and
once more for that of the matrices, if they are trained, and twice the second. The output layer is
computed at M labelled positions only, as `objectives.token_loss` does: 2 M V D each for the logits,
for the gradient of the states, and for that of the table, if it is trained; what is not kept for
the gradients of table and bias is computed once more. What attention kernels compute twice to save
memory does not count.

Legend: B texts, L tokens, M labelled positions, V vocabulary, D width, F feed-forward width, I
width of all heads together, K that of all keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from interlingua.base.errors import ModelError, quoted
from interlingua.base.optional import require
from interlingua.objectives.token_loss import SLICE, kept_slices

_BERT = ("bert", "roberta", "xlm-roberta", "camembert")
_T5 = ("t5", "mt5")
_LLAMA = ("llama", "mistral")
FAMILIES = (*_BERT, "modernbert", *_T5, *_LLAMA)
"""The values of ``model_type`` that can be counted."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of a layer: rows, columns, and whether the other stack's tokens pass it."""

    inputs: int
    outputs: int
    other: bool = False

    @property
    def size(self) -> int:
        """Its entries."""
        return self.inputs * self.outputs


@dataclass(frozen=True, slots=True)
class Stack:
    """Transformer layers of one kind.

    Attributes:
        layers: How many.
        width: D.
        inner: Width of all heads together I.
        keys: Width of all keys K, and of all values.
        heads: Attention heads.
        feed: Width of the feed-forward layer F.
        gated: Whether that has a gate.
        fused: Whether query, key and value are one matrix, and gate and input are.
        cross: Whether each layer attends to another stack too.
        vectors: Parameters of a layer that are no matrices: biases and norms.
        once: Parameters of the stack that no layer has for itself: last norm, position biases.
    """

    layers: int
    width: int
    inner: int
    keys: int
    heads: int
    feed: int
    gated: bool
    vectors: int
    once: int
    fused: bool = False
    cross: bool = False

    def into(self) -> list[Matrix]:
        """The matrices of a layer that what comes in passes first: query, key and value."""
        if self.fused:
            return [Matrix(self.width, self.inner + 2 * self.keys)]
        return [Matrix(self.width, size) for size in (self.inner, self.keys, self.keys)]

    def matrices(self) -> Iterator[Matrix]:
        """The matrices of a layer."""
        yield from self.into()
        yield Matrix(self.inner, self.width)
        if self.cross:
            yield Matrix(self.width, self.inner)
            yield from [Matrix(self.width, self.inner, other=True)] * 2
            yield Matrix(self.inner, self.width)
        wide = 1 + self.gated
        yield from [Matrix(self.width, self.feed * (wide if self.fused else 1))] * (
            1 if self.fused else wide
        )
        yield Matrix(self.feed, self.width)

    @property
    def size(self) -> int:
        """Entries of all matrices of all layers."""
        return self.layers * sum(matrix.size for matrix in self.matrices())


@dataclass(frozen=True, slots=True)
class Batch:
    """The sizes of a step that decide what it costs.

    Attributes:
        rows: Texts B.
        length: Padded tokens of each L.
        labelled: Positions with something to guess M.
        target: Padded tokens of each that the decoder of an encoder-decoder reads.
        tokens: Tokens that are no padding.
        bfloat16: Whether products are in bfloat16, else float32.
    """

    rows: int
    length: int
    labelled: int = 0
    target: int = 0
    tokens: int = 0
    bfloat16: bool = False

    @property
    def kept(self) -> int:
        """Entries of the vocabulary whose products the output layer keeps."""
        return SLICE * kept_slices(self.labelled, 2 if self.bfloat16 else 4)

    @property
    def padded(self) -> int:
        """Tokens of the rectangles that the model computes on."""
        return self.rows * (self.length + self.target)


@dataclass(frozen=True, slots=True)
class Trained:
    """Which part of a model is trained.

    Attributes:
        table: Whether the embedding table is, and an output layer tied to it.
        rank: Rank of low-rank terms that are trained instead of everything else; 0: none.
        rows: Rows of the table that are trained where the whole is not.
    """

    table: bool = True
    rank: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a configuration says, as far as costs go.

    Attributes:
        family: ``model_type``.
        vocabulary: V.
        width: D.
        positions: Entries of learned tables besides that of the vocabulary.
        stacks: The stack of an encoder or a decoder, or that of an encoder and of a decoder.
        vectors: Parameters of norms outside stacks and head.
        transform: Entries of the matrix before the output layer; 0: there is none.
        head: Parameters of the head that are no matrices.
        tied: Whether the output layer is the embedding table.
    """

    family: str
    vocabulary: int
    width: int
    positions: int
    stacks: tuple[Stack, ...]
    vectors: int = 0
    transform: int = 0
    head: int = 0
    tied: bool = True

    @property
    def table(self) -> int:
        """Entries of the embedding table."""
        return self.vocabulary * self.width

    @property
    def embedding(self) -> int:
        """Parameters of the embedding table, of an output layer of its own, of positions."""
        return self.table * (1 if self.tied else 2) + self.positions

    @property
    def matrices(self) -> int:
        """Entries of the matrices of layers and head, without any table."""
        return sum(stack.size for stack in self.stacks) + self.transform

    @property
    def total(self) -> int:
        """All parameters."""
        vectors = sum(stack.layers * stack.vectors + stack.once for stack in self.stacks)
        return self.embedding + self.matrices + vectors + self.vectors + self.head

    def encoder(self) -> Architecture:
        """The bare encoder, without a head over the vocabulary."""
        return replace(self, stacks=self.stacks[:1], transform=0, head=0, tied=True)

    def trained(self, trained: Trained) -> int:
        """How many parameters are trained, of low-rank terms included."""
        if trained.rank:
            of_layers = sum(
                stack.layers * (matrix.inputs + matrix.outputs)
                for stack in self.stacks
                for matrix in stack.matrices()
            )
            return trained.rank * (of_layers + (2 * self.width if self.transform else 0))
        return self.total - (0 if trained.table else self.table - trained.rows * self.width)

    def forward(self, batch: Batch, trained: Trained = Trained()) -> int:
        """Operations of a forward pass, logits of labelled positions included."""
        linear, scores = self._layers(batch)
        return linear + scores + self._low_rank(batch, trained.rank) + self._output(batch)

    def step(self, batch: Batch, trained: Trained) -> int:
        """Operations of a forward and a backward pass."""
        linear, scores = self._layers(batch)
        output = self._output(batch)
        if trained.rank:
            low_rank = 3 * self._low_rank(batch, trained.rank) - self._spared(batch, trained.rank)
            return 2 * linear + 3 * scores + 2 * output + low_rank
        again = 2 * batch.labelled * self.width * max(self.vocabulary - batch.kept, 0)
        return 3 * linear + 3 * scores + (2 + trained.table) * output + again

    def _passing(self, batch: Batch) -> Iterator[tuple[Stack, int, int]]:
        """Each stack with the length of its texts, and of those it attends to besides."""
        for stack in self.stacks:
            if stack.cross:
                yield stack, batch.target, batch.length
            else:
                yield stack, batch.length, 0

    def _layers(self, batch: Batch) -> tuple[int, int]:
        """Operations of matrices and of attention, forward."""
        linear = scores = last = 0
        for stack, own, other in self._passing(batch):
            for matrix in stack.matrices():
                length = other if matrix.other else own
                linear += 2 * stack.layers * batch.rows * length * matrix.size
            scores += 4 * stack.layers * batch.rows * own * (own + other) * stack.inner
            last = own
        return linear + 2 * batch.rows * last * self.transform, scores

    def _output(self, batch: Batch) -> int:
        return 2 * batch.labelled * self.table

    def _low_rank(self, batch: Batch, rank: int) -> int:
        """Operations of low-rank terms, forward."""
        found = last = 0
        for stack, own, other in self._passing(batch):
            for matrix in stack.matrices():
                length = other if matrix.other else own
                terms = rank * (matrix.inputs + matrix.outputs)
                found += 2 * stack.layers * batch.rows * length * terms
            last = own
        return found + (4 * batch.rows * last * rank * self.width if self.transform else 0)

    def _spared(self, batch: Batch, rank: int) -> int:
        """Gradients that nobody needs: of what comes into the first layer, all below being frozen.

        Query, key and value, and the first halves of the terms beside them, go without.
        """
        return sum(
            2 * batch.rows * own * (matrix.size + rank * matrix.inputs)
            for stack, own, _ in self._passing(batch)
            for matrix in stack.into()
        )


def architecture_of(config: dict[str, Any]) -> Architecture:
    """What a ``config.json`` says; what it leaves out is as ``transformers`` has it.

    Raises:
        ModelError: The family is not among `FAMILIES`.
        MissingExtraError: ``transformers`` is not installed.
    """
    family = str(config.get("model_type"))
    if family not in FAMILIES:
        raise ModelError(
            f"the cost of a {quoted(family)} cannot be told",
            remedy=f"Known are: {', '.join(FAMILIES)}",
        )
    library = require("transformers", extra="train")
    known = {name: value for name, value in config.items() if name != "model_type"}
    whole = library.AutoConfig.for_model(family, **known).to_dict()
    if family in _BERT:
        return _bert(family, whole)
    if family in _T5:
        return _t5(family, whole)
    return _llama(family, whole) if family in _LLAMA else _modernbert(family, whole)


def _bert(family: str, c: dict[str, Any]) -> Architecture:
    d, f, v = c["hidden_size"], c["intermediate_size"], c["vocab_size"]
    stack = Stack(
        layers=c["num_hidden_layers"],
        width=d,
        inner=d,
        keys=d,
        heads=c["num_attention_heads"],
        feed=f,
        gated=False,
        vectors=4 * d + f + d + 4 * d,  # biases of attention and feed-forward, two norms
        once=0,
    )
    positions = (c["max_position_embeddings"] + c["type_vocab_size"]) * d
    return Architecture(
        family,
        v,
        d,
        positions,
        (stack,),
        vectors=2 * d,
        transform=d * d,
        head=3 * d + v,  # bias and norm of the transform, bias of the output layer
        tied=c["tie_word_embeddings"],
    )


def _modernbert(family: str, c: dict[str, Any]) -> Architecture:
    d, f, v = c["hidden_size"], c["intermediate_size"], c["vocab_size"]
    norm = d * (1 + c["norm_bias"])
    biases = c["attention_bias"] * 4 * d + c["mlp_bias"] * (2 * f + d)
    stack = Stack(
        layers=c["num_hidden_layers"],
        width=d,
        inner=d,
        keys=d,
        heads=c["num_attention_heads"],
        feed=f,
        gated=True,
        fused=True,
        vectors=2 * norm + biases,
        once=0,  # a norm at the end, and none before the first layer's attention
    )
    head = norm + c["classifier_bias"] * d + c["decoder_bias"] * v
    return Architecture(
        family,
        v,
        d,
        0,
        (stack,),
        vectors=norm,
        transform=d * d,
        head=head,
        tied=c["tie_word_embeddings"],
    )


def _t5(family: str, c: dict[str, Any]) -> Architecture:
    d, heads = c["d_model"], c["num_heads"]
    inner = heads * c["d_kv"]
    encoder = Stack(
        layers=c["num_layers"],
        width=d,
        inner=inner,
        keys=inner,
        heads=heads,
        feed=c["d_ff"],
        gated=bool(c["is_gated_act"]),
        vectors=2 * d,
        once=d + c["relative_attention_num_buckets"] * heads,
    )
    decoder = replace(encoder, layers=c["num_decoder_layers"], vectors=3 * d, cross=True)
    tied = c["tie_word_embeddings"]
    return Architecture(family, c["vocab_size"], d, 0, (encoder, decoder), tied=tied)


def _llama(family: str, c: dict[str, Any]) -> Architecture:
    d, heads, f = c["hidden_size"], c["num_attention_heads"], c["intermediate_size"]
    each = c.get("head_dim") or d // heads
    inner, keys = heads * each, (c.get("num_key_value_heads") or heads) * each
    attention = c.get("attention_bias", False) * (inner + 2 * keys + d)
    stack = Stack(
        layers=c["num_hidden_layers"],
        width=d,
        inner=inner,
        keys=keys,
        heads=heads,
        feed=f,
        gated=True,
        vectors=2 * d + attention + c.get("mlp_bias", False) * (2 * f + d),
        once=d,
    )
    tied = c["tie_word_embeddings"]
    return Architecture(family, c["vocab_size"], d, 0, (stack,), tied=tied)


__all__ = [
    "FAMILIES",
    "Architecture",
    "Batch",
    "Matrix",
    "Stack",
    "Trained",
    "architecture_of",
]
