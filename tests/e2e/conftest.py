"""A small model that trains in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.models.folder import ModelFolder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, starter: ModelFolder) -> Path:
    """A model of two narrow layers with the starter's tokenizer: quick to train, random weights."""
    import torch
    from transformers import BertConfig, BertModel

    from interlingua.models.save import save_model

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("small")
    config = BertConfig(
        vocab_size=250_037,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    save_model(
        folder,
        encoder=BertModel(config, add_pooling_layer=False),
        source=starter,
        info=starter.info,
        head=None,
    )
    return folder
