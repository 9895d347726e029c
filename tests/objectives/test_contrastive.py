"""Contrastive objectives: by hand, against naive loops, and gradient caching against none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interlingua.objectives.contrastive_predictive import (
    contrastive_predictive,
    predicted,
    prediction_heads,
)
from interlingua.objectives.cross_lingual_contrastive import (
    cross_lingual_contrastive,
    sentence_vectors,
)
from interlingua.objectives.gradient_cache import cached_backward, vector_gradients
from interlingua.objectives.info_nce import (
    FalseNegatives,
    Further,
    clamp_log_scale,
    contrast,
    duplicates,
    info_nce,
    log_scale,
)
from interlingua.objectives.matryoshka import matryoshka
from interlingua.objectives.momentum_queue import KeyQueue, follow
from interlingua.objectives.preserving import preserving


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def naive(
    queries: Tensor,
    candidates: Tensor,
    temperature: float,
    margin: float = 0.0,
    ignored: Any = None,
    ceiling: Any = None,
) -> list[float]:
    """The formula, one number at a time, in double precision."""
    q, c = queries.detach().double().numpy(), candidates.detach().double().numpy()
    losses = []
    for i in range(len(q)):
        cosine = [float(q[i] @ x / np.linalg.norm(q[i]) / np.linalg.norm(x)) for x in c]
        right = math.exp((cosine[i] - margin) / temperature)
        total = right
        for j, value in enumerate(cosine):
            out = j == i or (ignored is not None and bool(ignored[i][j]))
            if not out and not (ceiling is not None and value > ceiling(cosine[i])):
                total += math.exp(value / temperature)
        losses.append(-math.log(right / total))
    return losses


def test_two_pairs_by_hand() -> None:
    sources = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    targets = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    # cosines: row 0: 1, 1/sqrt 2; row 1: 0, 1/sqrt 2; temperature 1/2
    a, r = 2.0, math.sqrt(2.0)
    forward = (math.log(1 + math.exp(r - a)) + math.log(1 + math.exp(0 - r))) / 2
    backward = (math.log(1 + math.exp(0 - a)) + math.log(2.0)) / 2
    one = info_nce(sources, targets, temperature=0.5, symmetric=False)
    both = info_nce(sources, targets, temperature=0.5)
    assert float(one) == pytest.approx(forward, abs=1e-6)
    assert float(both) == pytest.approx((forward + backward) / 2, abs=1e-6)


@pytest.mark.parametrize("margin", [0.0, 0.2])
@pytest.mark.parametrize("temperature", [0.05, 0.7])
@pytest.mark.parametrize("more", [0, 4])
def test_info_nce_is_the_naive_loop(margin: float, temperature: float, more: int) -> None:
    x, y, hard = vectors(7, 5), vectors(7, 5, seed=1), vectors(more, 5, seed=2)
    groups = torch.tensor([0, 1, 2, 1, 4, 5, 5])
    mask = duplicates(groups, groups)
    absent = torch.arange(7 * more).reshape(7, more) % 3 == 0
    wide = torch.cat([mask, absent], dim=1)
    forward = naive(x, torch.cat([y, hard]), temperature, margin, wide)
    backward = naive(y, torch.cat([x, hard]), temperature, margin, wide)
    further = (Further(hard, absent), Further(hard, absent)) if more else (None, None)
    options: dict[str, Any] = {"temperature": temperature, "margin": margin, "ignored": mask}
    one = info_nce(x, y, symmetric=False, further=further, **options)
    both = info_nce(x, y, further=further, **options)
    assert float(one) == pytest.approx(np.mean(forward), abs=1e-6)
    assert float(both) == pytest.approx(np.mean(forward + backward), abs=1e-6)


@pytest.mark.parametrize(
    ("rule", "value"), [("ratio", 0.95), ("ratio", 1.1), ("difference", 0.05), ("difference", -0.3)]
)
def test_false_negatives_are_ignored(rule: Any, value: float) -> None:
    x, y = vectors(9, 3).abs(), vectors(9, 3, seed=1).abs()  # close together: some win

    def ceiling(right: float) -> float:
        return right * value if rule == "ratio" else right - value

    found = contrast(x, y, temperature=0.3, false_negatives=FalseNegatives(rule, value))
    expected = naive(x, y, 0.3, ceiling=ceiling)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    assert not np.allclose(expected, naive(x, y, 0.3))


def test_the_same_text_twice_is_no_negative() -> None:
    """A batch with a pair twice has the loss of the batch with it once."""
    x, y = vectors(4, 6), vectors(4, 6, seed=1)
    twice = torch.tensor([0, 1, 2, 3, 3])
    mask = duplicates(twice, twice)
    found = contrast(x[twice], y[twice], temperature=0.1, ignored=mask)
    once = contrast(x, y, temperature=0.1)
    assert (found[:3] > once[:3]).all()  # they see the negative twice
    torch.testing.assert_close(found[3], once[3])
    torch.testing.assert_close(found[4], once[3])
    unmasked = contrast(x[twice], y[twice], temperature=0.1)
    torch.testing.assert_close(unmasked[3].exp(), once[3].exp() + 1)


def test_a_learned_temperature_is_bounded_and_has_the_right_slope() -> None:
    x, y = vectors(5, 4), vectors(5, 4, seed=1)
    learned = log_scale(0.07).requires_grad_()
    assert float((-learned.detach()).exp()) == pytest.approx(0.07)
    loss = info_nce(x, y, temperature=(-learned).exp())
    (slope,) = torch.autograd.grad(loss, learned)
    step = 1e-3
    at = [float(info_nce(x, y, temperature=0.07 * math.exp(-e))) for e in (-step, step)]
    assert float(slope) == pytest.approx((at[1] - at[0]) / (2 * step), rel=1e-2)
    for start, end in ((9.0, 100.0), (-1.0, 1.0), (3.0, math.exp(3.0))):
        value = torch.tensor(start)
        clamp_log_scale(value)
        assert float(value.exp()) == pytest.approx(end, rel=1e-5)


def test_the_queue_keeps_the_newest_keys() -> None:
    queue = KeyQueue(5, 2)
    groups = torch.arange(20).reshape(10, 2)
    keys = vectors(10, 2)
    queue.add(keys[:3], groups[:3])
    assert queue.ignored(groups[:1]).tolist() == [[True, False, False, True, True]]
    queue.add(keys[3:7], groups[3:7])
    assert sorted(queue.groups[:, 0].tolist()) == [4, 6, 8, 10, 12]
    for row, group in zip(queue.keys, queue.groups[:, 0] // 2, strict=True):
        assert torch.equal(row, keys[group])
    queue.add(keys, groups)  # more than it holds
    assert sorted(queue.groups[:, 0].tolist()) == [10, 12, 14, 16, 18]
    assert queue.ignored(torch.tensor([[99, 12], [99, 19]])).sum(dim=1).tolist() == [0, 1]


def test_xcl_with_queues_is_the_naive_loop() -> None:
    queries, keys = (vectors(6, 4), vectors(6, 4, seed=1)), (vectors(6, 4, seed=2), vectors(6, 4))
    queues = vectors(8, 4, seed=3), vectors(5, 4, seed=4)
    absent = torch.rand(6, 8) < 0.3, torch.rand(6, 5) < 0.3
    mask = duplicates(torch.tensor([0, 1, 2, 2, 4, 5]), torch.tensor([0, 1, 2, 2, 4, 5]))
    found = cross_lingual_contrastive(
        queries, keys, temperature=0.2, queues=queues, ignored=mask, ignored_in_queues=absent
    )
    losses = []
    for side in (0, 1):
        among = torch.cat([keys[1 - side], queues[1 - side]])
        without = torch.cat([mask, absent[1 - side]], dim=1)
        losses += naive(queries[side], among, 0.2, ignored=without)
    assert float(found) == pytest.approx(np.mean(losses), abs=1e-6)


def test_xcl_without_momentum_is_symmetric_info_nce() -> None:
    x, y = vectors(6, 4), vectors(6, 4, seed=1)
    expected = info_nce(x, y, temperature=0.1, margin=0.1)
    found = cross_lingual_contrastive((x, y), (x, y), temperature=0.1, margin=0.1)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_sentence_vectors_are_of_the_layer_and_of_tokens(pooling: Any) -> None:
    states = [vectors(2, 3, 4, seed=i) for i in range(3)]
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    found = sentence_vectors(states, mask, layer=1, pooling=pooling)
    by_hand = states[1][1, :2].mean(dim=0) if pooling == "mean" else states[1][1, 0]
    torch.testing.assert_close(found[1], by_hand)


def test_momentum_by_hand() -> None:
    follower, leader = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 0.0])
    follow([follower], [leader], 0.75)
    assert follower.tolist() == [1.5, 1.5]


def test_contrastive_predictive_knows_documents() -> None:
    contexts, targets = vectors(6, 4), vectors(6, 4, seed=1)
    documents = torch.tensor([0, 0, 1, 2, 2, 2])
    mask = [[bool(a == b) for b in documents] for a in documents]
    found = contrastive_predictive(contexts, targets, documents, temperature=0.3)
    assert float(found) == pytest.approx(np.mean(naive(contexts, targets, 0.3, 0, mask)), abs=1e-6)


def test_two_segments_by_hand() -> None:
    """One document of two segments and one of two others: cosines 1 and 0, temperature 1."""
    contexts = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    found = contrastive_predictive(contexts, contexts, torch.tensor([7, 8]), temperature=1.0)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)


def test_prediction_heads_start_as_nothing_and_are_chosen_by_offset() -> None:
    contexts, offsets = vectors(6, 4), torch.tensor([-2, -1, 1, 2, 1, -2])
    heads = prediction_heads(4, 2)
    torch.testing.assert_close(predicted(contexts, heads, offsets), contexts)
    heads = vectors(4, 4, 4, seed=5).requires_grad_()
    found = predicted(contexts, heads, offsets)
    for row, offset in enumerate(offsets.tolist()):
        head = {-2: 0, -1: 1, 1: 2, 2: 3}[offset]
        torch.testing.assert_close(found[row], heads[head] @ contexts[row])
    (slope,) = torch.autograd.grad(found.sum(), heads)
    assert (slope.abs().sum(dim=(1, 2)) > 0).all()


def test_preserving_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [2.0, 2.0]])
    parents = torch.tensor([[0.0, 5.0], [1.0, 0.0]])
    expected = (2.0 + 2 * (1 - math.sqrt(0.5))) / 2
    assert float(preserving(x, parents)) == pytest.approx(expected, abs=1e-6)
    assert float(preserving(x, 7 * x)) == pytest.approx(0.0, abs=1e-6)


def test_matryoshka_is_the_mean_over_lengths() -> None:
    x, y = vectors(5, 8), vectors(5, 8, seed=1)
    found = matryoshka(lambda d: info_nce(x[:, :d], y[:, :d], temperature=0.1), [2, 8])
    expected = [np.mean(naive(x[:, :d], y[:, :d], 0.1)) for d in (2, 8)]
    expected += [np.mean(naive(y[:, :d], x[:, :d], 0.1)) for d in (2, 8)]
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("sizes", [[11], [4, 4, 3]])
def test_cached_gradient_is_the_plain_gradient(dropout: float, sizes: list[int]) -> None:
    torch.manual_seed(3)
    encoder = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Dropout(dropout), nn.Linear(9, 5))
    learned = log_scale(0.2).requires_grad_()
    inputs, targets = vectors(11, 6).split(sizes), vectors(11, 5, seed=1)
    trained = [*encoder.parameters(), learned]

    def loss(x: Tensor) -> Tensor:
        return info_nce(x, targets, temperature=(-learned).exp())

    torch.manual_seed(4)
    plain = loss(torch.cat([encoder(part) for part in inputs]))
    expected = torch.autograd.grad(plain, trained)
    after = torch.rand(3)
    torch.manual_seed(4)
    parts = [lambda part=part: encoder(part) for part in inputs]
    value = cached_backward(parts, loss, parameters=[learned])
    torch.testing.assert_close(torch.rand(3), after)  # the stream goes on as after one pass
    torch.testing.assert_close(value, plain.detach())
    for parameter, slope in zip(trained, expected, strict=True):
        torch.testing.assert_close(parameter.grad, slope, atol=1e-6, rtol=1e-5)


def test_cached_gradient_keeps_activations_of_one_part_only() -> None:
    """Tensors that autograd holds at once: those of the largest part, not of the batch."""
    encoder = nn.Sequential(nn.Linear(4, 4096), nn.Tanh(), nn.Linear(4096, 4))
    batch = vectors(64, 4)
    held = {"now": 0, "most": 0}

    class Held:
        def __init__(self, tensor: Tensor) -> None:
            self.tensor = tensor
            held["now"] += tensor.numel()
            held["most"] = max(held["most"], held["now"])

        def __del__(self) -> None:
            held["now"] -= self.tensor.numel()

    def most(size: int) -> int:
        held["most"] = held["now"] = 0
        parts = [lambda part=part: encoder(part) for part in batch.split(size)]
        with torch.autograd.graph.saved_tensors_hooks(Held, lambda packed: packed.tensor):
            cached_backward(parts, lambda x: info_nce(x, batch, temperature=0.1))
        return held["most"]

    assert most(64) > 3 * most(8)


def test_vectors_that_the_loss_does_not_use_have_no_slope() -> None:
    x, y = vectors(3, 2), vectors(3, 2, seed=1)
    found = vector_gradients(lambda given: given[0].pow(2).sum(), [x, y], [])
    torch.testing.assert_close(found.vectors[0], 2 * x)
    assert not found.vectors[1].any()
