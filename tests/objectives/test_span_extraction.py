"""The loss of a reader, against the reference implementation and by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from interlingua.objectives.span_extraction import span_loss  # noqa: E402


def test_it_is_the_loss_of_transformers_where_every_place_is_allowed() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    model = transformers.BertForQuestionAnswering(config).eval()
    ids = torch.randint(0, 20, (3, 9))
    targets = torch.tensor([[0, 0], [2, 5], [8, 8]])
    out = model(input_ids=ids, start_positions=targets[:, 0], end_positions=targets[:, 1])
    logits = torch.stack([out.start_logits, out.end_logits], dim=-1)
    loss = span_loss(logits, targets, torch.ones(3, 9, dtype=torch.bool))
    assert float(loss.detach()) == pytest.approx(float(out.loss.detach()), abs=1e-6)


def test_forbidden_places_get_no_probability_and_no_gradient() -> None:
    logits = torch.randn(2, 5, 2, requires_grad=True)
    allowed = torch.tensor([[True, False, True, True, False], [True, False, False, True, True]])
    targets = torch.tensor([[2, 3], [0, 0]])
    loss = span_loss(logits, targets, allowed)
    loss.backward()
    assert torch.equal(logits.grad[~allowed], torch.zeros(4, 2))
    scores = logits.detach().double().numpy()
    by_hand = 0.0
    for row, places in enumerate(allowed.numpy()):
        for side in (0, 1):
            p = np.exp(scores[row, :, side]) * places
            by_hand -= np.log(p[targets[row, side]] / p.sum()) / 4
    assert float(loss.detach()) == pytest.approx(by_hand, abs=1e-6)
