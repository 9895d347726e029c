"""Models from nothing, and their language-modelling loss beside that of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, ModelError
from interlingua.models.folder import open_model
from interlingua.models.language_model import LanguageModel, kind_of, load_language_model
from interlingua.models.scratch import NewModel, model_of, write_new
from interlingua.objectives.token_loss import token_loss

VOCABULARY = 20_000  # several slices
SHAPES = ("bert", "xlm-roberta", "modernbert", "mt5", "llama")


def new(shape: str, **changes: Any) -> NewModel:
    values = {"shape": shape, "tokenizer": "none", "layers": 2, "width": 32, "heads": 4}
    return make(NewModel, {**values, "max_length": 64, **changes})


def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, VOCABULARY, (3, 12), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    ids[1, 8:] = 1
    labels = torch.full_like(ids, -100)
    labels[:, 3:6] = ids[:, 3:6]
    return ids, mask, labels


@pytest.mark.parametrize("shape", SHAPES)
def test_loss_and_every_gradient_are_those_of_transformers(shape: str) -> None:
    torch.manual_seed(0)
    model = model_of(new(shape), vocabulary=VOCABULARY, pad=1, start=0, end=2).eval()
    ids, mask, labels = batch()
    decoder = {"decoder_input_ids": ids} if shape == "mt5" else {}
    logits = model(input_ids=ids, attention_mask=mask, **decoder).logits
    expected = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    expected.backward()
    wanted = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    wrapped = LanguageModel(model)
    chosen = labels != -100
    states = wrapped(ids, mask, chosen, decoder_ids=ids if decoder else None)
    scale = 1 / int(chosen.sum())
    output = wrapped.output
    found = token_loss(states, labels[chosen], output.weight, output.bias, scale=scale)  # type: ignore[arg-type]
    found.backward()
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    assert {name for name, p in model.named_parameters() if p.grad is not None} == set(wanted)
    for name, parameter in model.named_parameters():
        if name in wanted:
            torch.testing.assert_close(parameter.grad, wanted[name], atol=5e-6, rtol=1e-4)
    again = wrapped.plain()(input_ids=ids, attention_mask=mask, **decoder).logits
    assert torch.equal(again, logits)


def test_loss_of_the_library_itself() -> None:
    """The library's own ``labels=`` for a decoder shifts by one, as `next_tokens` does."""
    from interlingua.objectives.causal_lm import next_tokens

    torch.manual_seed(0)
    model = model_of(new("llama"), vocabulary=VOCABULARY, pad=1, start=0, end=2).eval()
    ids, mask, _ = batch()
    expected = model(
        input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)
    ).loss
    labels = torch.from_numpy(next_tokens(ids.numpy(), mask.numpy()))
    wrapped = LanguageModel(model)
    chosen = labels != -100
    states = wrapped(ids, mask, chosen)
    found = token_loss(
        states,
        labels[chosen],
        wrapped.output.weight,
        scale=1 / int(chosen.sum()),  # type: ignore[arg-type]
    )
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_new_folder_opens_everywhere(tmp_path: Path, shape: str, tokenizer_folder: Path) -> None:
    import transformers

    write_new(tmp_path / "new", new(shape, tokenizer=str(tokenizer_folder)), seed=3)
    folder = open_model(tmp_path / "new")
    model, made = load_language_model(folder)
    assert made == []
    assert model.get_output_embeddings().weight.data_ptr() == (
        model.get_input_embeddings().weight.data_ptr()
    )
    expected = {"mt5": "sequence", "llama": "causal"}.get(shape, "masked")
    assert kind_of(folder) == expected
    assert transformers.AutoTokenizer.from_pretrained(folder.path)("a b").input_ids
    write_new(tmp_path / "again", new(shape, tokenizer=str(tokenizer_folder)), seed=3)
    assert open_model(tmp_path / "again").fingerprint == folder.fingerprint


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="5 heads do not divide a width of 32"):
        new("bert", heads=5)
    with pytest.raises(ModelError, match="no tokenizer"):
        write_new(tmp_path / "new", new("bert", tokenizer=str(tmp_path)), seed=0)
    assert not (tmp_path / "new").exists()
