"""Pretraining reads every form of texts and pairs that the corpus room reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.training.pretrain_data import find, read_texts
from interlingua.training.pretrain_settings import PretrainData


def test_web_files_and_parallel_files(tmp_path: Path) -> None:
    web = tmp_path / "c4-cy.tfrecord-00000-of-00002.json.gz"
    rows = [json.dumps({"text": f"Testun {i}", "url": "u", "timestamp": "t"}) for i in range(3)]
    web.write_bytes(gzip.compress("\n".join([*rows, '{"text": "cut']).encode()))
    data = PretrainData(train=(str(tmp_path / "c4-*.json.gz"),), on_error="skip")
    files = find(data.train, ())
    assert files.train == [web]
    texts = [text for text, _ in read_texts(files.train, data, pairs=False)]
    assert [(text.text, text.lang) for text in texts] == [
        (f"Testun {i}", "cym_Latn") for i in range(3)
    ]
    strict = data.model_copy(update={"on_error": "stop"})
    with pytest.raises(DataError, match=r"c4-cy.*line 4"):
        list(read_texts(files.train, strict, pairs=False))


@pytest.mark.parametrize("given", ["News.de-en", "News.de-en.de", "m.tmx"])
def test_pairs(tmp_path: Path, given: str) -> None:
    (tmp_path / "News.de-en.de").write_text("Hallo\n")
    (tmp_path / "News.de-en.en").write_text("Hello\n")
    sides = [("de", "Hallo"), ("en", "Hello")]
    inside = "".join(f'<tuv lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in sides)
    (tmp_path / "m.tmx").write_text(f"<tmx><tu>{inside}</tu></tmx>")
    files = find([str(tmp_path / given)], ())
    assert len(files.train) == len(files.hashes) == 1
    ((text, _),) = read_texts(files.train, PretrainData(), pairs=True)
    assert (text.text, text.lang, text.second, text.second_lang) == (
        "Hallo",
        "deu_Latn",
        "Hello",
        "eng_Latn",
    )
