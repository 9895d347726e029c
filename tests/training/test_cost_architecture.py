"""Parameters and operations against models that are really built and run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from interlingua.base.errors import ModelError
from interlingua.models.language_model import LanguageModel
from interlingua.models.scratch import NewModel, config_of, model_of
from interlingua.objectives import token_loss as token_loss_module
from interlingua.objectives.token_loss import token_loss
from interlingua.training.cost.architecture import Architecture, Batch, Trained, architecture_of
from interlingua.training.settings import LoraSettings
from interlingua.training.trainable import add_lora

SHAPES = ["bert", "xlm-roberta", "modernbert", "mt5", "llama"]
IDS = {"pad": 1, "start": 0, "end": 2}


def built(shape: str, *, layers: int = 2) -> tuple[Any, Architecture]:
    new = NewModel.model_validate(
        {"shape": shape, "tokenizer": "-", "layers": layers, "width": 48, "heads": 4}
        | {"intermediate": 112, "max_length": 96}
    )
    config = config_of(new, vocabulary=700, **IDS)
    return model_of(new, vocabulary=700, **IDS), architecture_of(config.to_dict())


def parameters(model: Any) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_are_those_of_the_model_built(shape: str) -> None:
    model, counted = built(shape, layers=3)
    assert counted.total == parameters(model)
    table = model.get_input_embeddings().weight
    assert counted.table == table.numel()
    assert counted.trained(Trained()) == counted.total
    assert counted.trained(Trained(table=False)) == counted.total - table.numel()
    assert counted.trained(Trained(table=False, rows=5)) == counted.total - 695 * 48
    adapted = add_lora(model, LoraSettings(rank=3), seed=0)
    low = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert counted.trained(Trained(rank=3)) == low


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("LlamaForCausalLM", {"num_key_value_heads": 2, "head_dim": 24, "attention_bias": True}),
    ("LlamaForCausalLM", {"mlp_bias": True, "tie_word_embeddings": True}),
    ("MistralForCausalLM", {"num_key_value_heads": 2}),
    ("ModernBertForMaskedLM", {"norm_bias": True, "mlp_bias": True, "attention_bias": True}),
    ("RobertaForMaskedLM", {}),
    ("CamembertForMaskedLM", {}),
    ("BertForMaskedLM", {"type_vocab_size": 3}),
    ("T5ForConditionalGeneration", {}),
    ("MT5ForConditionalGeneration", {"tie_word_embeddings": False, "d_kv": 10}),
]


@pytest.mark.parametrize(("name", "options"), OTHERS)
def test_parameters_of_relatives(name: str, options: dict[str, Any]) -> None:
    kind = getattr(transformers, name)
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    if "T5" in name:
        sizes = {"d_model": 48, "num_layers": 2, "num_heads": 4, "d_ff": 64}
    given = {**sizes, "vocab_size": 300, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
    more = {"cls_token_id": 1, "sep_token_id": 2} if "Modern" in name else {}
    config = kind.config_class(**given, **more, **options)
    assert architecture_of(config.to_dict()).total == parameters(kind(config))


@pytest.mark.parametrize(("shape", "name"), [("bert", "BertModel"), ("mt5", "MT5EncoderModel")])
def test_parameters_of_a_bare_encoder(shape: str, name: str) -> None:
    model, counted = built(shape)
    options = {"add_pooling_layer": False} if shape == "bert" else {}
    bare = getattr(transformers, name)(model.config, **options)
    assert counted.encoder().total == parameters(bare)


def measured(model: Any, batch: Batch, *, target: bool) -> tuple[int, int]:
    """Operations as torch counts them: forward, and forward and backward."""
    ids = torch.randint(3, 700, (batch.rows, batch.length))
    decoder_ids = torch.randint(3, 700, (batch.rows, batch.target)) if target else None
    labelled = torch.zeros(
        (decoder_ids if decoder_ids is not None else ids).shape, dtype=torch.bool
    )
    labelled.view(-1)[: batch.labelled] = True
    right = torch.randint(0, 700, (batch.labelled,))
    output = model.output
    # Torch does not count its fused attention of the CPU: the plain one does the same products.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        with torch.no_grad():
            states = model(ids, torch.ones_like(ids), labelled, decoder_ids=decoder_ids)
            token_loss(states, right, output.weight, output.bias)
        forward = counter.get_total_flops()
        states = model(ids, torch.ones_like(ids), labelled, decoder_ids=decoder_ids)
        token_loss(states, right, output.weight, output.bias).backward()
    return forward, counter.get_total_flops() - forward


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("part", ["all", "frozen table", "low rank"])
def test_operations_are_those_that_torch_counts(shape: str, part: str) -> None:
    model, counted = built(shape)
    trained = Trained()
    if part == "frozen table":
        model.get_input_embeddings().requires_grad_(False)
        trained = Trained(table=False)
    elif part == "low rank":
        model = add_lora(model, LoraSettings(rank=3), seed=0)
        trained = Trained(rank=3)
    batch = Batch(rows=3, length=40, labelled=17)
    if shape == "mt5":
        batch = replace(batch, target=24)
    forward, both = measured(LanguageModel(model), batch, target=shape == "mt5")
    assert counted.forward(batch, trained) == pytest.approx(forward, rel=0.002)
    assert counted.step(batch, trained) == pytest.approx(both, rel=0.002)


def test_logits_that_are_not_kept_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_loss_module, "KEPT", 0)
    model, counted = built("bert")
    batch = Batch(rows=3, length=40, labelled=17)
    _, both = measured(LanguageModel(model), batch, target=False)
    assert counted.step(batch, Trained()) == pytest.approx(both, rel=0.002)


def test_a_family_that_is_not_known() -> None:
    with pytest.raises(ModelError, match="'bloom' cannot be told"):
        architecture_of({"model_type": "bloom"})
