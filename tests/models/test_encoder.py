"""Encoders of every shape, and pooling, against transformers and against sums done by hand."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from interlingua.base.errors import ModelError
from interlingua.models.folder import open_model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from interlingua.models.encoder import (  # noqa: E402 - needs torch
    PooledEncoder,
    load_encoder,
    pool,
    pool_pair,
)

KINDS = ["bert", "xlm-roberta", "distilbert", "modernbert", "mt5"]
IDS = torch.tensor([[0, 5, 6, 7, 8, 2], [0, 9, 2, 1, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])


def test_pooling_by_hand() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [50.0, 60.0]], [[7.0, 8.0], [0, 0], [0, 0]]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, 3.0], [7.0, 8.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, 2.0], [7.0, 8.0]]
    nothing = pool(hidden, torch.zeros_like(mask), "mean")
    assert nothing.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_pooling_of_bfloat16_is_float32() -> None:
    hidden = torch.full((1, 1000, 4), 1.0, dtype=torch.bfloat16)
    pooled = pool(hidden, torch.ones(1, 1000, dtype=torch.long), "mean")
    assert pooled.dtype == torch.float32 and pooled.tolist() == [[1.0] * 4]


@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_is_the_mean_of_the_states_of_transformers(tiny_folder, kind) -> None:
    path = tiny_folder(kind)
    folder = open_model(path)
    module = PooledEncoder.for_folder(load_encoder(folder), folder).eval()
    reference = {"mt5": "MT5EncoderModel"}.get(kind, "AutoModel")
    plain = (
        getattr(transformers, reference).from_pretrained(path, attn_implementation="eager").eval()
    )
    with torch.inference_mode():
        vectors = module(IDS, MASK).numpy()
        for row, length in enumerate([6, 3]):  # alone and without padding
            hidden = plain(input_ids=IDS[row : row + 1, :length]).last_hidden_state[0].numpy()
            mean = hidden.mean(axis=0)
            expected = mean / np.linalg.norm(mean)
            np.testing.assert_allclose(vectors[row], expected, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_several_layers_are_joined_at_length_one(tiny_folder, kind, pooling) -> None:
    folder = open_model(tiny_folder(kind))
    encoder = load_encoder(folder)
    module = PooledEncoder(encoder, pooling=pooling, layers=(0, 1)).eval()
    with torch.inference_mode():
        vectors = module(IDS, MASK)
        states = encoder(
            input_ids=IDS, attention_mask=MASK, output_hidden_states=True
        ).hidden_states
    assert vectors.shape == (2, 64)
    weights = (MASK / MASK.sum(1, keepdim=True)).unsqueeze(-1)
    for place, state in enumerate(states[:2]):
        one = (state * weights).sum(1) if pooling == "mean" else state[:, 0]
        expected = one / one.norm(dim=1, keepdim=True) / 2**0.5
        torch.testing.assert_close(vectors[:, place * 32 : place * 32 + 32], expected)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_the_last_layer_is_the_output_of_the_encoder(tiny_folder) -> None:
    encoder = load_encoder(open_model(tiny_folder("xlm-roberta")))
    with torch.inference_mode():
        named = PooledEncoder(encoder, layers=(2,))(IDS, MASK)
        torch.testing.assert_close(named, PooledEncoder(encoder)(IDS, MASK))


def test_without_normalisation_the_length_stays(tiny_folder) -> None:
    encoder = load_encoder(open_model(tiny_folder()))
    with torch.inference_mode():
        raw = PooledEncoder(encoder, normalize=False)(IDS, MASK)
        unit = PooledEncoder(encoder)(IDS, MASK)
        both = PooledEncoder(encoder, normalize=False, layers=(2, 2))(IDS, MASK)
    torch.testing.assert_close(raw / raw.norm(dim=1, keepdim=True), unit)
    torch.testing.assert_close(both, torch.cat([raw, raw], dim=1))
    assert (raw.norm(dim=1) - 1).abs().min() > 0.01


def test_padding_changes_nothing(tiny_folder) -> None:
    encoder = load_encoder(open_model(tiny_folder("xlm-roberta")))
    module = PooledEncoder(encoder, layers=(0, 2))
    more = torch.nn.functional.pad(IDS, (0, 9), value=1)
    with torch.inference_mode():
        padded = module(more, torch.nn.functional.pad(MASK, (0, 9)))
        torch.testing.assert_close(padded, module(IDS, MASK), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("kind", "layers"), [("bert", (0, 2)), ("xlm-roberta", ())])
def test_it_can_be_traced_for_any_shape(tiny_folder, kind, layers) -> None:
    module = PooledEncoder(load_encoder(open_model(tiny_folder(kind))), layers=layers).eval()
    sizes = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens", max=38)}
    with torch.inference_mode(False), torch.no_grad():
        program = torch.export.export(module, (IDS, MASK), dynamic_shapes=(sizes, sizes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(module, (IDS, MASK))
        ids = torch.randint(4, 24, (5, 17))
        mask = torch.ones_like(ids)
        for other in (program.module(), traced):
            torch.testing.assert_close(other(ids, mask), module(ids, mask))


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("xlm-roberta", "XLMRobertaForMaskedLM"),
        ("xlm-roberta", "XLMRobertaForSequenceClassification"),
        ("bert", "BertForPreTraining"),
        ("bert", "BertForTokenClassification"),
        ("mt5", "MT5ForConditionalGeneration"),
    ],
)
def test_the_encoder_inside_a_larger_model_is_found(tiny_folder, kind, cls) -> None:
    path = tiny_folder(kind, cls=cls)
    encoder = load_encoder(open_model(path))
    whole = getattr(transformers, cls).from_pretrained(path).eval()
    inner = whole.encoder if kind == "mt5" else whole.base_model
    with torch.inference_mode():
        expected = inner(input_ids=IDS, attention_mask=MASK).last_hidden_state
        found = encoder(input_ids=IDS, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(found[MASK.bool()], expected[MASK.bool()])
    assert not encoder.training
    assert "pooler" not in "".join(dict(encoder.named_parameters()))


def test_sharded_weights_are_read(tiny_folder, tmp_path) -> None:
    path = tiny_folder()
    whole = load_encoder(open_model(path))
    shards = tmp_path / "shards"
    whole.save_pretrained(shards, max_shard_size="20KB")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (shards / name).write_bytes((path / name).read_bytes())
    folder = open_model(shards)
    assert len(folder.weights) > 1
    for name, values in load_encoder(folder).state_dict().items():
        assert torch.equal(values, whole.state_dict()[name])
    folder.weights[1].write_bytes(b"")
    with pytest.raises(ModelError, match="not safetensors"):
        open_model(shards)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_number_format_is_the_one_asked_for(tiny_folder, dtype) -> None:
    encoder = load_encoder(open_model(tiny_folder()), dtype=dtype)
    assert {str(p.dtype) for p in encoder.parameters()} == {f"torch.{dtype}"}


def _rename(path, old: str, new: str) -> None:
    from safetensors.numpy import load_file, save_file

    weights = {name.replace(old, new): value for name, value in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def test_missing_weights_are_an_error_not_random_numbers(tiny_folder) -> None:
    path = tiny_folder()
    _rename(path / "model.safetensors", "encoder.layer.1.output.dense.weight", "nonsense")
    with pytest.raises(ModelError, match=r"lack 1 tensors of the encoder, as 'encoder.layer.1"):
        load_encoder(open_model(path))


def test_weights_of_another_size_are_an_error(tiny_folder) -> None:
    path = tiny_folder()
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"vocab_size": 30}))
    with pytest.raises(ModelError, match="cannot be loaded as bert") as error:
        load_encoder(open_model(path))
    assert "\n" not in str(error.value)


def test_an_unknown_architecture_is_an_error(tiny_folder) -> None:
    path = tiny_folder()
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"model_type": "nobody-knows"}))
    with pytest.raises(ModelError, match="cannot be loaded as nobody-knows"):
        load_encoder(open_model(path))


def test_loading_says_nothing(tiny_folder, capfd) -> None:
    load_encoder(open_model(tiny_folder("xlm-roberta", cls="XLMRobertaForMaskedLM")))
    assert capfd.readouterr() == ("", "")


def test_a_pair_is_pooled_text_by_text() -> None:
    hidden = torch.randn(2, 7, 3)
    ids = torch.tensor([[0, 5, 6, 2, 2, 7, 2], [0, 5, 2, 1, 1, 1, 1]])  # 2 separates, 1 pads
    mask = (ids != 1).long()
    found = pool_pair(hidden, ids, mask, 2, normalize=False)
    u, v = hidden[0, :3].mean(dim=0), hidden[0, 5]
    expected = torch.cat([u, v, (u - v).abs(), u * v])
    torch.testing.assert_close(found[0], expected)
    alone = hidden[1, :2].mean(dim=0)
    zero = torch.zeros(3)
    torch.testing.assert_close(found[1], torch.cat([alone, zero, alone.abs(), zero]))
    unit = pool_pair(hidden, ids, mask, 2, normalize=True)
    torch.testing.assert_close(unit[0, :3], u / u.norm())
