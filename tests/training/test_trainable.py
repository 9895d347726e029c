"""What a strategy trains is exactly what it says, and merging or averaging changes nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from interlingua.batches.tokens import Tokenized
from interlingua.models.encoder import PooledEncoder
from interlingua.models.heads import Head
from interlingua.training.arithmetic import Arithmetic
from interlingua.training.averaging import RunningMean, points
from interlingua.training.classifier import ClassifierLearner, Part
from interlingua.training.distributed import Processes
from interlingua.training.loop import Loop
from interlingua.training.settings import FullSettings, LoraSettings, TeachingSettings
from interlingua.training.trainable import (
    BEFORE,
    add_lora,
    attend_by_products,
    depth_of,
    join_rows,
    layer_of,
    merged,
    rate,
    set_dropout,
    train_rows,
    trained_from,
)

ALONE = Processes(0, 1, torch.device("cpu"))
SHAPE: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
LABELS = ("a", "b", "c")


def bert(seed: int = 0) -> BertModel:
    torch.manual_seed(seed)
    return BertModel(BertConfig(**SHAPE), add_pooling_layer=False).eval()


def rows(count: int = 24, *, seed: int = 0, most: int = 40) -> Part:
    rng = np.random.default_rng(seed)
    ids = [
        rng.integers(1, most, size=int(rng.integers(3, 12))).astype(np.int32) for _ in range(count)
    ]
    none: NDArray[np.int32] = np.zeros(count, np.int32)
    tokens = Tokenized(ids, none.astype(bool), none, none)
    names = [str(i) for i in range(count)]
    return Part(tokens, rng.integers(0, 3, size=count), names, ["eng_Latn"] * count)


def learner(encoder: nn.Module, settings: TeachingSettings, **changes: Any) -> ClassifierLearner:
    rng = np.random.default_rng(1)
    head = Head(rng.normal(size=(3, 16)).astype(np.float32), np.zeros(3, np.float32), LABELS)
    given: dict[str, Any] = {
        "train": rows(),
        "validation": rows(seed=5),
        "settings": settings,
        "metric": "accuracy",
        "pad_id": 0,
        "arithmetic": Arithmetic(torch.device("cpu"), bfloat16=False),
        "rate": lambda name: 0.01,
    }
    return ClassifierLearner(PooledEncoder(encoder), head, **{**given, **changes})


def ids_of(part: Part) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, part.tokens.input_ids))
    ids = torch.zeros(len(part.ids), longest, dtype=torch.int64)
    for i, row in enumerate(part.tokens.input_ids):
        ids[i, : len(row)] = torch.from_numpy(row)
    return ids, (ids != 0).long()


def test_layers_are_told_by_name() -> None:
    names = [name for name, _ in bert().named_parameters()]
    assert depth_of(names) == 3
    assert layer_of("embeddings.word_embeddings.weight", 3) == BEFORE
    assert layer_of("encoder.layer.2.output.dense.weight", 3) == 2
    assert layer_of("final_layer_norm.weight", 3) == 2
    assert rate("encoder.layer.2.output.dense.weight", 3, top=1.0, decay=0.5) == 1.0
    assert rate("encoder.layer.0.output.dense.weight", 3, top=1.0, decay=0.5) == 0.25
    assert rate("embeddings.LayerNorm.weight", 3, top=1.0, decay=0.5) == 0.125


@pytest.mark.parametrize(
    ("unfreezing", "epoch", "lowest"),
    [((), 0, BEFORE), ((0, 1, 3), 0, 3), ((0, 1, 3), 1, 2), ((0, 1, 3), 2, BEFORE), ((1,), 7, 2)],
)
def test_unfreezing_counts_from_the_top(
    unfreezing: tuple[int, ...], epoch: int, lowest: int
) -> None:
    assert trained_from(unfreezing, epoch, 3) == lowest


def test_gradual_unfreezing_trains_exactly_the_layers_it_says(tmp_path: Path) -> None:
    encoder = bert()
    encoder.get_input_embeddings().requires_grad_(False)
    settings = FullSettings(epochs=3, unfreezing=(0, 1, 3), max_rows=8, checkpoint="last")
    seen: list[set[int]] = []

    class Watched(ClassifierLearner):
        def score(self) -> float:
            now = {name: p.detach().clone() for name, p in encoder.named_parameters()}
            changed = {
                layer_of(name, 3)
                for name, p in now.items()
                if not torch.equal(p, self.before[name])
            }
            seen.append(changed)
            self.before = now
            return super().score()

    watched = learner(encoder, settings, unfreezing=settings.unfreezing)
    watched.__class__ = Watched
    watched.before = {name: p.detach().clone() for name, p in encoder.named_parameters()}  # type: ignore[attr-defined]
    table = encoder.get_input_embeddings().weight.detach().clone()
    Loop(watched, settings, folder=tmp_path, seed=1, fingerprint={}, processes=ALONE).run()
    assert seen[:3] == [set(), {2}, {BEFORE, 0, 1, 2}]
    assert torch.equal(table, encoder.get_input_embeddings().weight)


def test_dropout_is_set_on_hidden_states_alone() -> None:
    encoder = bert()
    set_dropout(encoder, 0.25)
    shares = {name: m.p for name, m in encoder.named_modules() if isinstance(m, nn.Dropout)}
    assert shares.pop("embeddings.dropout") == 0.25
    for name, share in shares.items():
        assert share == (0.0 if name.endswith("self.dropout") else 0.25), name
    assert len(shares) == 9


def test_lora_merged_equals_lora_unmerged() -> None:
    encoder = bert()
    ids, mask = ids_of(rows())
    plain = encoder(ids, mask).last_hidden_state.detach()
    adapted = add_lora(encoder, LoraSettings(rank=4), seed=3)
    assert torch.allclose(
        adapted(ids, mask).last_hidden_state, plain, atol=1e-6
    )  # B starts at zero
    torch.manual_seed(5)
    trained = [p for p in adapted.parameters() if p.requires_grad]
    with torch.no_grad():
        for parameter in trained:
            parameter.add_(torch.randn_like(parameter) * 0.05)
    unmerged = adapted(ids, mask).last_hidden_state.detach()
    assert not torch.allclose(unmerged, plain, atol=1e-3)
    whole = merged(adapted)
    assert isinstance(whole, BertModel)
    assert {name for name, _ in whole.named_parameters()} == {
        n for n, _ in bert().named_parameters()
    }
    assert torch.allclose(whole(ids, mask).last_hidden_state, unmerged, atol=1e-6)


def test_lora_trains_its_terms_and_the_head_alone(tmp_path: Path) -> None:
    encoder = bert()
    before = {name: p.detach().clone() for name, p in encoder.named_parameters()}
    settings = LoraSettings(epochs=2, rank=4)
    taught = learner(add_lora(encoder, settings, seed=3), settings)
    assert all("lora_" in name or name.startswith("head.") for name in taught.named_parameters())
    Loop(taught, settings, folder=tmp_path, seed=1, fingerprint={}, processes=ALONE).run()
    named = dict(taught.encoder.encoder.named_parameters())  # type: ignore[union-attr]
    for name, value in before.items():
        holder = f"base_model.model.{name}"
        holder = holder if holder in named else holder.replace(".weight", ".base_layer.weight")
        holder = holder if holder in named else holder.replace(".bias", ".base_layer.bias")
        assert torch.equal(named[holder], value)


def test_trained_rows_move_as_in_the_whole_table(tmp_path: Path) -> None:
    def teach(encoder: BertModel, folder: str) -> torch.Tensor:
        settings = FullSettings(epochs=2, weight_decay=0.0, max_rows=8, checkpoint="last")
        taught = learner(encoder, settings)
        Loop(
            taught, settings, folder=tmp_path / folder, seed=1, fingerprint={}, processes=ALONE
        ).run()
        join_rows(encoder)
        return encoder.get_input_embeddings().weight.detach()

    whole = bert()
    start = whole.get_input_embeddings().weight.detach().clone()
    expected = teach(whole, "whole")
    few = bert()
    train_rows(few, rows().tokens.input_ids)
    found = teach(few, "rows")
    assert isinstance(few.get_input_embeddings(), nn.Embedding)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert torch.equal(found[40:], start[40:])  # ids that no row uses
    assert not torch.equal(found[:40], start[:40])


def test_the_mean_of_identical_parameters_is_the_identity() -> None:
    same = {"w": torch.randn(7, 5), "b": torch.randn(3)}
    mean = RunningMean()
    for _ in range(7):
        mean.add(same)
    out = {name: torch.zeros_like(tensor) for name, tensor in same.items()}
    mean.put(out)
    assert all(torch.equal(out[name], same[name]) for name in same)


def test_the_mean_is_the_mean() -> None:
    tensors = [torch.randn(4, 4) for _ in range(6)]
    mean = RunningMean()
    for tensor in tensors:
        mean.add({"w": tensor})
    torch.testing.assert_close(mean.tensors["w"], torch.stack(tensors).mean(dim=0))


def test_points_lie_in_the_second_half_and_end_at_the_end() -> None:
    assert points(100, 5) == {60, 70, 80, 90, 100}
    assert points(3, 10) <= {2, 3}


def test_an_averaged_run_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    settings = FullSettings(
        epochs=3, max_rows=8, checkpoint="average", average_over=4, checkpoint_steps=2, dropout=0.3
    )

    class Killed(Exception):
        pass

    class Dying(ClassifierLearner):
        left = 7

        def loss(self, rows: Any, part: Any, step: int) -> torch.Tensor:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return super().loss(rows, part, step)

    def run(folder: str, *, dying: bool = False, resume: bool = False) -> bytes:
        torch.manual_seed(0)
        taught = learner(bert(), settings)
        if dying:
            taught.__class__ = Dying
        loop = Loop(
            taught, settings, folder=tmp_path / folder, seed=4, fingerprint={}, processes=ALONE
        )
        loop.run(resume=resume)
        return b"".join(p.detach().numpy().tobytes() for p in taught.named_parameters().values())

    whole = run("whole")
    with pytest.raises(Killed):
        run("killed", dying=True)
    assert run("killed", resume=True) == whole


def test_class_weights_make_classes_count_alike() -> None:
    settings = FullSettings(class_weights="balanced")
    taught = learner(bert(), settings)
    counts = np.bincount(taught.train.labels, minlength=3)
    assert taught.class_weights is not None
    np.testing.assert_allclose(taught.class_weights.numpy() * counts, len(taught.train.labels) / 3)


@pytest.mark.parametrize(
    ("config", "model", "loader"),
    [
        (BertConfig(**SHAPE), BertModel, "BertForSequenceClassification"),
        (
            XLMRobertaConfig(**{**SHAPE, "pad_token_id": 1, "type_vocab_size": 1}),
            XLMRobertaModel,
            "XLMRobertaForSequenceClassification",
        ),
    ],
)
def test_logits_and_loss_are_those_of_transformers(config: Any, model: Any, loader: str) -> None:
    import transformers

    config.num_labels = 3
    torch.manual_seed(2)
    peer = getattr(transformers, loader)(config).eval()
    torch.manual_seed(3)
    ours = model(config, add_pooling_layer=False).eval()
    inner = peer.bert if hasattr(peer, "bert") else peer.roberta
    ours.load_state_dict({k: v for k, v in inner.state_dict().items() if "pooler" not in k})
    pad_id = config.pad_token_id
    ids, mask = ids_of(rows())
    ids = torch.where(mask.bool(), ids.clamp(min=2), torch.full_like(ids, pad_id))
    # The peers put a dense layer and tanh between the first state and the linear head.
    labels = torch.from_numpy(rows().labels)
    expected = peer(input_ids=ids, attention_mask=mask, labels=labels)
    pooled = PooledEncoder(ours, pooling="cls", normalize=False)(ids, mask)
    if hasattr(peer, "bert"):
        features, linear = inner.pooler.activation(inner.pooler.dense(pooled)), peer.classifier
    else:
        features = torch.tanh(peer.classifier.dense(pooled))
        linear = peer.classifier.out_proj
    head = Head(linear.weight.detach().numpy(), linear.bias.detach().numpy(), LABELS)
    np.testing.assert_allclose(
        head.logits(features.detach().numpy()), expected.logits.detach().numpy(), atol=1e-5
    )
    from interlingua.objectives.cross_entropy import cross_entropy

    found = cross_entropy(torch.from_numpy(head.logits(features.detach().numpy())), labels)
    assert float(found) == pytest.approx(float(expected.loss), abs=1e-6)


def test_attention_by_products_has_the_same_states_and_gradients() -> None:
    """Of rows with padding; long rows, and other devices, keep the fused kernel."""
    torch.manual_seed(0)
    fused, plain = (BertModel(BertConfig(**SHAPE), add_pooling_layer=False) for _ in range(2))
    plain.load_state_dict(fused.state_dict())
    cpu = torch.device("cpu")
    attend_by_products(plain, length=9, device=cpu)
    attend_by_products(fused, length=9, device=torch.device("meta"))
    attend_by_products(fused, length=100_000, device=cpu)
    kinds = [model.config._attn_implementation for model in (fused, plain)]
    assert kinds == ["sdpa", "eager"]
    assert "attn_implementation" not in plain.config.to_json_string()
    ids = torch.randint(3, 60, (3, 9))
    mask = (torch.arange(9) < torch.tensor([[9], [4], [1]])).long()
    for model in (fused, plain):
        states = model.eval()(input_ids=ids, attention_mask=mask).last_hidden_state
        (states * mask.unsqueeze(-1)).pow(3).sum().backward()
    for (name, a), b in zip(fused.named_parameters(), plain.parameters(), strict=True):
        assert a.grad is not None
        assert b.grad is not None
        torch.testing.assert_close(b.grad, a.grad, atol=1e-4, rtol=1e-3, msg=name)
