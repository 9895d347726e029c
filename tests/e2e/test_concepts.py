"""The code and the figures of docs/concepts, against torch, transformers and closed forms."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import regex
import torch
from torch import Tensor
from torch.nn import functional

from interlingua.models.folder import ModelFolder

ROOT = Path(__file__).parents[2]
LANGUAGE_MODELS = ROOT / "docs" / "concepts" / "language-models.md"
B, H, L, S, K = 2, 4, 9, 11, 16


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """``examples/attention.py``."""
    spec = importlib.util.spec_from_file_location("attention", ROOT / "examples" / "attention.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: str | Path) -> str:
    process = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def near(a: Tensor, b: Tensor, *, within: float = 1e-5) -> None:
    assert a.shape == b.shape
    assert (a - b).abs().max() < within


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture
def padding() -> Tensor:
    mask = torch.ones(B, S, dtype=torch.long)
    mask[1, 7:] = 0
    return mask


def test_attention_is_torchs(example: ModuleType, padding: Tensor) -> None:
    q, k, v = drawn(B, H, L, K), drawn(B, H, S, K) + 1, drawn(B, H, S, K) - 1
    bias = drawn(H, L, S)
    near(example.attention(q, k, v), functional.scaled_dot_product_attention(q, k, v))
    allowed = example.unpadded(padding)
    theirs = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    near(example.attention(q, k, v, allowed=allowed), theirs)
    theirs = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    near(example.attention(q, k, v, bias=bias), theirs)
    theirs = functional.scaled_dot_product_attention(q, q, q, is_causal=True)
    near(example.attention(q, q, q, allowed=example.causal(L)), theirs)


def test_nothing_leaks_through_a_mask(example: ModuleType, padding: Tensor) -> None:
    q, k, v = drawn(B, H, L, K), drawn(B, H, S, K), drawn(B, H, S, K) - 1
    changed = k.clone()
    changed[1, :, 7:] = 99
    allowed = example.unpadded(padding)
    assert torch.equal(
        example.attention(q, k, v, allowed=allowed),
        example.attention(q, changed, v, allowed=allowed),
    )
    later = q.clone()
    later[:, :, 5:] = -3
    before, after = (example.attention(x, x, x, allowed=example.causal(L)) for x in (q, later))
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_attention_is_torchs(example: ModuleType, padding: Tensor, cross: bool) -> None:
    torch.manual_seed(1)
    width = H * K
    ours = example.MultiHeadAttention(width, H)
    theirs = torch.nn.MultiheadAttention(width, H, batch_first=True)
    three = (ours.query, ours.key, ours.value)
    memory = drawn(B, S, width)
    x = drawn(B, L, width) if cross else memory
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([linear.weight for linear in three]))
        theirs.in_proj_bias.copy_(torch.cat([linear.bias for linear in three]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
        found, _ = theirs(x, memory, memory, key_padding_mask=padding == 0)
        near(ours(x, memory, example.unpadded(padding)), found)
        if not cross:
            found, _ = theirs(x, x, x, attn_mask=~example.causal(S))
            near(ours(x, x, example.causal(S)), found)


def test_attention_alone_knows_no_order(example: ModuleType) -> None:
    x = drawn(1, L, H * K)
    ours = example.MultiHeadAttention(H * K, H)
    order = torch.randperm(L, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        near(ours(x[:, order], x[:, order]), ours(x, x)[:, order])


def test_sinusoidal_positions(example: ModuleType) -> None:
    from transformers.models.m2m_100.modeling_m2m_100 import M2M100SinusoidalPositionalEmbedding
    from transformers.models.xlm.modeling_xlm import create_sinusoidal_embeddings

    found = example.sinusoidal(60, 32)
    for place in (0, 1, 7, 59):
        for i in range(16):
            angle = place / 10000 ** (2 * i / 32)
            assert float(found[place, 2 * i]) == pytest.approx(math.sin(angle), abs=2e-5)
            assert float(found[place, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=2e-5)
    near(found, create_sinusoidal_embeddings(60, 32, torch.empty(60, 32)), within=2e-5)
    # PE(p + s) is a rotation of PE(p), so that the product of two depends on their distance
    near((found[5:] @ found[5:].T)[0], (found[:-5] @ found[:-5].T)[0], within=1e-4)
    theirs = M2M100SinusoidalPositionalEmbedding.get_embedding(60, 32)
    angle = torch.arange(60)[:, None] / 10000 ** (torch.arange(16) / 15)
    near(torch.cat([angle.sin(), angle.cos()], dim=1), theirs, within=2e-5)


def test_learned_positions_of_xlmr(example: ModuleType) -> None:
    from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaEmbeddings

    input_ids = torch.tensor([[0, 9, 9, 9, 2], [0, 9, 2, 1, 1]])
    found = example.learned_positions(input_ids, 1)
    assert found.tolist() == [[2, 3, 4, 5, 6], [2, 3, 4, 1, 1]]
    theirs = XLMRobertaEmbeddings.create_position_ids_from_input_ids(input_ids, 1)
    assert torch.equal(found, theirs)


@pytest.mark.parametrize(("buckets", "furthest"), [(32, 128), (16, 50), (64, 1000)])
@pytest.mark.parametrize("both", [False, True])
def test_buckets_of_t5(example: ModuleType, both: bool, buckets: int, furthest: int) -> None:
    from transformers.models.t5.modeling_t5 import T5Attention

    distance = torch.arange(-furthest * 2, furthest * 2 + 1)
    found = example.bucket(distance, both=both, buckets=buckets, furthest=furthest)
    theirs = T5Attention._relative_position_bucket(distance, both, buckets, furthest)
    assert torch.equal(found, theirs)
    assert (found.min(), found.max()) == (0, buckets - 1)


@pytest.mark.parametrize("decoder", [False, True])
def test_attention_of_t5_is_ours_with_a_bias(example: ModuleType, decoder: bool) -> None:
    from transformers import T5Config
    from transformers.models.t5.modeling_t5 import T5Attention

    torch.manual_seed(2)
    config = T5Config(
        d_model=H * K, d_kv=K, num_heads=H, is_decoder=decoder, attn_implementation="eager"
    )
    layer = T5Attention(config, has_relative_attention_bias=True, layer_idx=0).eval()
    x = drawn(B, L, H * K)
    place = torch.arange(L)
    with torch.no_grad():
        bias = layer.relative_attention_bias(
            example.bucket(place - place[:, None], both=not decoder)
        ).permute(2, 0, 1)
        near(bias[None], layer.compute_bias(L, L), within=1e-7)
        q, k, v = (
            part(x).unflatten(-1, (H, K)).transpose(1, 2) for part in (layer.q, layer.k, layer.v)
        )
        ours = example.attention(q * math.sqrt(K), k, v, bias=bias)  # T5 does not divide
        near(layer.o(ours.transpose(1, 2).flatten(-2)), layer(x)[0])


def test_rotary_is_that_of_llama_and_modernbert(example: ModuleType) -> None:
    from transformers import LlamaConfig, ModernBertConfig
    from transformers.models.llama import modeling_llama as llama
    from transformers.models.modernbert import modeling_modernbert as modernbert

    q, k = drawn(B, H, L, K), drawn(B, H, L, K) - 1
    places = torch.arange(L) + 40
    sizes = {"hidden_size": H * K, "num_attention_heads": H}
    module = llama.LlamaRotaryEmbedding(LlamaConfig(**sizes))
    cos, sin = module(q, places[None])
    for ours, theirs in zip((q, k), llama.apply_rotary_pos_emb(q, k, cos, sin), strict=True):
        near(example.rotary(ours, places), theirs)
    config = ModernBertConfig(**sizes, num_hidden_layers=3)
    assert config.layer_types == ["full_attention", "sliding_attention", "sliding_attention"]
    assert config.sliding_window == 64
    for kind, base in {"full_attention": 160_000.0, "sliding_attention": 10_000.0}.items():
        cos, sin = modernbert.ModernBertRotaryEmbedding(config)(q, places[None], kind)
        theirs, _ = modernbert.apply_rotary_pos_emb(q, k, cos, sin)
        near(example.rotary(q, places, base), theirs)


def test_rotary_scores_depend_on_the_distance_alone(example: ModuleType) -> None:
    q, k = drawn(L, K).double(), drawn(L, K).double() - 1
    places = torch.arange(L).double()
    scores = [example.rotary(q, places + s) @ example.rotary(k, places + s).T for s in (0, 300)]
    near(*scores, within=1e-9)
    near(example.rotary(q, places).norm(dim=-1), q.norm(dim=-1), within=1e-9)


def test_rotary_of_the_paper_turns_neighbouring_columns(example: ModuleType) -> None:
    from transformers.models.roformer.modeling_roformer import RoFormerSelfAttention

    q, k, places = drawn(1, H, L, K), drawn(1, H, L, K) - 1, torch.arange(L)
    angle = places[:, None] * 10000 ** (-torch.arange(K // 2) / (K // 2))
    turned = RoFormerSelfAttention.apply_rotary_position_embeddings(
        torch.cat([angle.sin(), angle.cos()], dim=-1)[None, None], q, k
    )
    apart = torch.arange(K).reshape(-1, 2).T.flatten()  # 0, 2, 4, ..., 1, 3, 5, ...
    near(example.rotary(q[..., apart], places), turned[0][..., apart])
    ours = example.rotary(q[..., apart], places) @ example.rotary(k[..., apart], places).mT
    near(ours, turned[0] @ turned[1].mT)


def test_the_window_is_modernberts(example: ModuleType) -> None:
    from transformers.masking_utils import sliding_window_bidirectional_overlay

    place = torch.arange(L)
    theirs = sliding_window_bidirectional_overlay(3)(0, 0, place[:, None], place)
    assert torch.equal(example.window(L, 3), theirs)


def test_the_example_of_attention_runs() -> None:
    out = run(ROOT / "examples" / "attention.py")
    figures = [float(value) for value in regex.findall(r": (\d\.\de-\d\d)", out)]
    assert len(figures) == 6
    assert max(figures) < 1e-5


def test_the_example_of_ngrams_runs_on_the_phrasebook(starter: ModelFolder) -> None:
    out = run(ROOT / "examples" / "ngram_bits.py", "--characters", "4", "--subwords", "2")
    head, _, *rows = [line.split(" | ") for line in out.splitlines()[:6]]
    assert len(head) == 18
    assert head[1] == "arb_Arab"
    for row in rows:
        values = [float(cell.strip(" |")) for cell in row[1:]]
        assert all(0.8 < value < 6 for value in values)
        assert values[-1] == pytest.approx(sum(values[:-1]) / 16, abs=1e-3)
    # one model of sixteen languages has more to choose from than one of each
    assert all(float(a) < float(b) for a, b in zip(rows[0][1:-1], rows[1][1:-1], strict=True))


def cells_of(text: str, tag: str) -> dict[tuple[str, str], str]:
    """The column of a language in every table that has one: by the table's corner and the row."""
    found = {}
    for part in text.split("\n\n"):
        rows = [[cell.strip() for cell in line.split("|")] for line in part.splitlines()]
        if tag in rows[0]:
            column = rows[0].index(tag)
            found |= {(rows[0][1], row[1]): row[column] for row in rows[2:] if len(row) > column}
    return found


@pytest.mark.parametrize(
    ("train", "tag"),
    [("ntrex/newstest2019.deu.txt", "deu_Latn"), ("sib200/swh_Latn/train.tsv", "swh_Latn")],
)
def test_the_figures_in_the_page_are_those_of_its_command(
    starter: ModelFolder, data_dir: Path, train: str, tag: str
) -> None:
    """One column of each table, computed again."""
    arguments = ("--train", data_dir / train, "--test", data_dir / "sib200" / tag / "test.tsv")
    found = cells_of(run(ROOT / "examples" / "ngram_bits.py", *arguments), tag)
    stated = cells_of(LANGUAGE_MODELS.read_text(encoding="utf-8"), tag)
    own = {place for place in stated if place[1].endswith("one language")}
    assert len(own) == (4 if tag == "deu_Latn" else 2)
    assert {place: stated[place] for place in own} == {place: found[place] for place in own}
