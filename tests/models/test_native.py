"""Native heads: what we save, transformers opens with equal logits, and we open again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from interlingua.base.errors import ModelError
from interlingua.models.encoder import load_encoder
from interlingua.models.folder import ModelFolder, open_model
from interlingua.models.heads import Head
from interlingua.models.native import (
    ANSWER_LABELS,
    NativeKind,
    check_native,
    load_module,
    native_head,
    native_kind,
    with_head,
)
from interlingua.models.save import save_model

SMALL: dict[str, Any] = {
    "vocab_size": 2500,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
SHAPES: dict[str, Any] = {
    "bert": ("BertConfig", SMALL),
    "xlm-roberta": ("XLMRobertaConfig", {**SMALL, "pad_token_id": 1, "type_vocab_size": 1}),
    "distilbert": (
        "DistilBertConfig",
        {
            "vocab_size": 2500,
            "dim": 16,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dim": 24,
            "max_position_embeddings": 40,
        },
    ),
    "mt5": (
        "MT5Config",
        {
            "vocab_size": 2500,
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 24,
            "num_layers": 2,
            "num_heads": 2,
        },
    ),
}
LABELS: dict[NativeKind, tuple[str, ...]] = {
    "token-classification": ("O", "B-PER", "I-PER"),
    "question-answering": ANSWER_LABELS,
}


def parent(folder: Path, tokenizer: Path, shape: str) -> ModelFolder:
    name, values = SHAPES[shape]
    torch.manual_seed(0)
    config = getattr(transformers, name)(**values)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((tokenizer / "tokenizer.json").read_bytes())
    return open_model(folder)


def saved(
    tmp_path: Path, tokenizer: Path, shape: str, kind: NativeKind
) -> tuple[ModelFolder, Head]:
    source = parent(tmp_path / "parent", tokenizer, shape)
    rng = np.random.default_rng(1)
    labels = LABELS[kind]
    head = Head(
        rng.normal(size=(len(labels), 16)).astype(np.float32),
        rng.normal(size=len(labels)).astype(np.float32),
        labels,
        rng.normal(size=16).astype(np.float32),
    )
    info = source.info.model_copy(
        update={"labels": labels if kind == "token-classification" else ()}
    )
    (tmp_path / "out").mkdir()
    model = with_head(load_encoder(source), head, kind)
    save_model(tmp_path / "out", encoder=model, source=source, info=info, head=None)
    return open_model(tmp_path / "out"), head


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("shape", ["bert", "xlm-roberta", "distilbert", "mt5"])
def test_transformers_opens_what_we_save_with_equal_logits(
    tmp_path: Path, tokenizer_folder: Path, shape: str, kind: NativeKind
) -> None:
    if (shape, kind) == ("mt5", "question-answering"):
        source = parent(tmp_path / "parent", tokenizer_folder, shape)
        with pytest.raises(ModelError, match="more than a linear layer"):
            check_native(source, kind)
        return
    folder, head = saved(tmp_path, tokenizer_folder, shape, kind)
    check_native(folder, kind)
    assert native_kind(folder) == kind
    loader = {
        "token-classification": transformers.AutoModelForTokenClassification,
        "question-answering": transformers.AutoModelForQuestionAnswering,
    }[kind]
    peer, report = loader.from_pretrained(folder.path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    ids = torch.randint(5, 2000, (3, 9), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    ids[1, 6:] = folder.pad_id
    with torch.inference_mode():
        out = peer.eval()(input_ids=ids, attention_mask=mask)
        expected = (
            out.logits
            if kind == "token-classification"
            else torch.stack([out.start_logits, out.end_logits], dim=-1)
        )
        found = load_module(folder, "tokens")(ids, mask)
        states = load_encoder(folder)(input_ids=ids, attention_mask=mask).last_hidden_state
    real = mask.bool()
    torch.testing.assert_close(found[real], expected[real], atol=1e-5, rtol=0)
    by_hand = head.logits(states[real].numpy())
    np.testing.assert_allclose(found[real].numpy(), by_hand, atol=1e-5)
    read = native_head(folder)
    assert read is not None and read.labels == LABELS[kind]
    if kind == "token-classification":
        assert peer.config.id2label == dict(enumerate(LABELS[kind]))


def test_a_bare_encoder_has_no_native_head(tmp_path: Path, tokenizer_folder: Path) -> None:
    source = parent(tmp_path / "parent", tokenizer_folder, "bert")
    assert native_head(source) is None
    with pytest.raises(ModelError, match="no head over tokens"):
        load_module(source, "tokens")


def test_a_head_of_many_layers_is_refused(tmp_path: Path, tokenizer_folder: Path) -> None:
    config = transformers.ModernBertConfig(
        **{**SMALL, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}, classifier_bias=True
    )
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path / "m")
    (tmp_path / "m" / "tokenizer.json").write_bytes(
        (tokenizer_folder / "tokenizer.json").read_bytes()
    )
    with pytest.raises(ModelError, match="more than a linear layer"):
        check_native(open_model(tmp_path / "m"), "token-classification")
