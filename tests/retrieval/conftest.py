"""A narrow random model with the characters of the phrasebook, quick to open."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory, tokenizer_folder: Path) -> Path:
    """Two layers of width 32, random weights, prefixes ``query`` and ``passage``."""
    return make_model(tmp_path_factory.mktemp("toy"), tokenizer_folder, seed=0)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory, tokenizer_folder: Path) -> Path:
    """The same with other weights."""
    return make_model(tmp_path_factory.mktemp("other"), tokenizer_folder, seed=1)


def make_model(folder: Path, tokenizer_folder: Path, *, seed: int) -> Path:
    import json
    import shutil

    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=2500,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=256,
        pad_token_id=1,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(tokenizer_folder / "tokenizer.json", folder)
    info = {"prefixes": {"query": "q: ", "passage": "p: "}, "default_prefix": "query"}
    (folder / "interlingua.json").write_text(json.dumps(info))
    return folder
