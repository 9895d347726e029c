"""The memory of a run, from sizes alone.

Weights, AdamW's two moments, gradients, and copies of what is trained where the best or the mean of
the parameters is kept; what layers save for the backward pass, and the logits of one slice of the
vocabulary; and the same of a validation batch, of one layer alone. They are added up: not all are
there at one moment, but allocators seldom hand back what they have once taken. What a layer saves
has been counted tensor by tensor; a test counts again.

Legend: T padded tokens, L length, M labelled positions, D width, F feed-forward width, H heads.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from interlingua.objectives.token_loss import SLICE, kept_slices
from interlingua.training.cost.architecture import Architecture, Batch, Stack, Trained
from interlingua.training.trainable import attends_by_products

_SINGLE, _HALF = 4, 2
_INDEX = 8
_STATISTICS = 16  # bytes of the means and variances of two norms
_FIXED = 4  # tensors of width D outside the layers: embeddings, their norm, the head


@dataclass(frozen=True, slots=True)
class _Saved:
    """What a layer saves of a token.

    Attributes:
        single: Tensors of width D that are float32 always: inputs of norms.
        wide: Tensors of width D where products are float32.
        half: The same where they are bfloat16: a tensor is cast for each product it enters.
        feed: Tensors of width F.
        dropped: Masks of width D, where hidden states are dropped.
        scores: Whether attention saves a table of L entries a head.
        other: Tensors of width D that are saved of each token of the other stack, and in bfloat16.
        fused: Tensors of width D that attention by plain products does without.
    """

    single: int
    wide: int
    half: int
    feed: int
    dropped: int = 2
    scores: bool = False
    other: tuple[int, int] = (0, 0)
    fused: int = 0


_BERT = _Saved(single=2, wide=6, half=8, feed=2)
_SAVED = {
    "modernbert": _Saved(single=2, wide=8, half=8, feed=4, fused=2),
    "llama": _Saved(single=4, wide=6, half=9, feed=4, dropped=0),
    "mistral": _Saved(single=4, wide=6, half=9, feed=4, dropped=0),
}
_T5_ENCODER = _Saved(single=7, wide=3, half=6, feed=7, dropped=4, scores=True)
_T5_DECODER = _Saved(single=9, wide=6, half=9, feed=7, dropped=5, scores=True, other=(2, 4))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a run takes.

    Attributes:
        weights: Parameters, float32.
        optimizer: AdamW's two moments of what is trained.
        kept: Copies of what is trained: of the best validation, of the mean, of the start.
        gradients: Gradients of what is trained.
        activations: What layers save for the backward pass of the largest part of a step.
        logits: Logits of one slice of the vocabulary, with what their softmax takes besides.
        validation: The states and logits of a batch that is run forward only.
        process: What the process takes before any model.
    """

    weights: int
    optimizer: int
    kept: int
    gradients: int
    activations: int
    logits: int
    validation: int = 0
    process: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(getattr(self, part.name) for part in fields(self))

    def facts(self) -> dict[str, int]:
        """All parts and their total."""
        return {**asdict(self), "total": self.total}


def memory_of(
    architecture: Architecture,
    batch: Batch,
    trained: Trained,
    *,
    bfloat16: bool,
    dropout: bool,
    copies: int,
    cpu: bool = False,
    checked: Batch | None = None,
) -> Memory:
    """The memory of training.

    Args:
        architecture: The model.
        batch: The largest part of a step that is worked on at once.
        trained: Which part of the model is trained.
        bfloat16: Whether products are in bfloat16, parameters being float32 all the same.
        dropout: Whether hidden states are dropped.
        copies: Copies of what is trained that are kept beside it.
        cpu: Whether it is trained on a processor, where short rows keep their tables of attention.
        checked: The largest batch that is run forward only.
    """
    taught = architecture.trained(trained)
    extra = taught if trained.rank else trained.rows * architecture.width
    return Memory(
        weights=_SINGLE * (architecture.total + extra),
        optimizer=2 * _SINGLE * taught,
        kept=copies * _SINGLE * taught,
        gradients=_SINGLE * taught,
        activations=activations(architecture, batch, bfloat16=bfloat16, dropout=dropout, cpu=cpu),
        logits=_logits(architecture, batch, bfloat16=bfloat16),
        validation=0 if checked is None else _resting(architecture, checked, bfloat16=bfloat16),
    )


def memory_at_rest(architecture: Architecture, batch: Batch, *, bfloat16: bool) -> Memory:
    """The memory of a model that is only run: its weights, and the states of one layer."""
    states = _resting(architecture, batch, bfloat16=bfloat16)
    return Memory(_SINGLE * architecture.total, 0, 0, 0, states, 0)


def _resting(architecture: Architecture, batch: Batch, *, bfloat16: bool) -> int:
    """Bytes of one layer's states and of the logits, where nothing is saved."""
    one = replace(
        architecture, stacks=tuple(replace(stack, layers=1) for stack in architecture.stacks)
    )
    states = activations(one, batch, bfloat16=bfloat16, dropout=False)
    return states + _logits(architecture, batch, bfloat16=bfloat16)


def activations(
    architecture: Architecture, batch: Batch, *, bfloat16: bool, dropout: bool, cpu: bool = False
) -> int:
    """Bytes that a forward pass saves for the backward pass, matrices cast to bfloat16 included."""
    products = cpu and attends_by_products(batch.length)
    size = _HALF if bfloat16 else _SINGLE
    found = _HALF * architecture.matrices if bfloat16 else 0
    last = batch.rows * batch.length
    for stack in architecture.stacks:
        own, other = (batch.target, batch.length) if stack.cross else (batch.length, 0)
        saved = _saved(architecture.family, stack)
        of_token = _layer(stack, saved, own + other, size=size, dropout=dropout, products=products)
        crossed = size * stack.inner * saved.other[bfloat16] * other
        found += stack.layers * batch.rows * (own * of_token + crossed)
        last = batch.rows * own
    return found + _FIXED * _SINGLE * architecture.width * last + _INDEX * batch.padded


def _saved(family: str, stack: Stack) -> _Saved:
    if stack.cross:
        return _T5_DECODER
    return _T5_ENCODER if family in ("t5", "mt5") else _SAVED.get(family, _BERT)


def _layer(
    stack: Stack, saved: _Saved, length: int, *, size: int, dropout: bool, products: bool
) -> int:
    """Bytes of one token in one layer."""
    wide = (saved.half if size == _HALF else saved.wide) - saved.fused * products
    tables = saved.scores or products
    copied = _HALF if products and size == _HALF else 0  # of the softmax, for the product
    attention = (_SINGLE + copied) * stack.heads * (length if tables else 1)
    mask = 0 if tables else size * length
    states = stack.width * (_SINGLE * saved.single + size * (wide + saved.dropped * dropout))
    return states + size * stack.feed * saved.feed + attention + mask + _STATISTICS


def _logits(architecture: Architecture, batch: Batch, *, bfloat16: bool) -> int:
    """Logits of a slice in float32, their exponentials, products as they come, and those kept."""
    if not batch.labelled:
        return 0
    entry = 2 * _SINGLE + (_HALF if bfloat16 else 0)
    states = 2 * _SINGLE * architecture.width
    size = _HALF if bfloat16 else _SINGLE
    kept = size * min(SLICE * kept_slices(batch.labelled, size), architecture.vocabulary)
    return batch.labelled * (min(SLICE, architecture.vocabulary) * entry + kept + states)


__all__ = ["Memory", "activations", "memory_at_rest", "memory_of"]
