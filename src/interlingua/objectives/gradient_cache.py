r"""A contrastive batch of any size in the memory of a part of it.

A contrastive loss needs the vectors of the whole batch at once, but its gradient passes to the
parameters through each vector alone:

    dL/dtheta = sum_i (dL/dx_i) (dx_i/dtheta)

So the batch is encoded part by part without keeping activations; from all vectors the loss and
dL/dx_i are computed; then each part is encoded once more, with activations, and dL/dx_i is passed
on (Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, RepL4NLP
2021, section 3). The second encoding has to draw the same dropout as the first: the state of the
random numbers before each part is noted and put back. The gradient is that of the plain loss, for
one more forward pass; memory is that of the largest part.

Legend: P rows of a batch, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class RandomState:
    """Where torch's random numbers stand on the CPU, and on a GPU where one is used."""

    cpu: Tensor
    gpu: Tensor | None
    device: torch.device

    @classmethod
    def now(cls, device: torch.device) -> RandomState:
        """As it is at this moment."""
        gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(torch.get_rng_state(), gpu, device)

    @contextmanager
    def replayed(self) -> Iterator[None]:
        """Draw from here once more inside the block; afterwards go on as if nothing had been."""
        with torch.random.fork_rng([] if self.gpu is None else [self.device]):
            torch.set_rng_state(self.cpu)
            if self.gpu is not None:
                torch.cuda.set_rng_state(self.gpu, self.device)
            yield


@dataclass(frozen=True, slots=True)
class VectorGradients:
    """A loss and its slopes.

    Attributes:
        loss: Its value.
        vectors: dL/dx, of the shape of each tensor of vectors.
        parameters: dL/dw of what the loss has besides, such as a temperature.
    """

    loss: Tensor
    vectors: list[Tensor]
    parameters: list[Tensor]


def vector_gradients(
    loss: Callable[[list[Tensor]], Tensor], vectors: Sequence[Tensor], parameters: Sequence[Tensor]
) -> VectorGradients:
    """The loss of vectors, and its gradient with respect to them.

    Args:
        loss: From tensors of vectors, each [P, D], to a scalar.
        vectors: Their values.
        parameters: Other tensors the loss depends on.
    """
    leaves = [vector.detach().requires_grad_() for vector in vectors]
    with torch.enable_grad():
        value = loss(leaves)
        found = torch.autograd.grad(
            value, [*leaves, *parameters], allow_unused=True, materialize_grads=True
        )
    return VectorGradients(value.detach(), list(found[: len(leaves)]), list(found[len(leaves) :]))


def pull(tensors: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """A scalar whose gradient with respect to the tensors is as given: sum of their products.

    Its value means nothing.
    """
    products = [(t * g).sum() for t, g in zip(tensors, gradients, strict=True)]
    return torch.stack(products).sum()


def cached_backward(
    parts: Sequence[Callable[[], Tensor]],
    loss: Callable[[Tensor], Tensor],
    *,
    parameters: Sequence[Tensor] = (),
    device: torch.device | None = None,
) -> Tensor:
    """Compute a loss over the vectors of several parts and add its gradient to all parameters.

    Args:
        parts: Each encodes a part of the batch, [p, D]; called twice.
        loss: From all vectors [P, D] to a scalar.
        parameters: Trained tensors the loss has besides.
        device: Where the encoder lies; the CPU if not given.

    Returns:
        The loss, detached.
    """
    states, encoded = [], []
    for part in parts:
        states.append(RandomState.now(device or torch.device("cpu")))
        with torch.no_grad():
            encoded.append(part())
    whole = vector_gradients(lambda given: loss(given[0]), [torch.cat(encoded)], parameters)
    slopes = torch.split(whole.vectors[0], [len(vectors) for vectors in encoded])
    for part, state, slope in zip(parts, states, slopes, strict=True):
        with state.replayed():
            pull([part()], [slope]).backward()  # type: ignore[no-untyped-call]
    if parameters:
        pull(parameters, whole.parameters).backward()  # type: ignore[no-untyped-call]
    return whole.loss


__all__ = ["RandomState", "VectorGradients", "cached_backward", "pull", "vector_gradients"]
