"""Against SentencePiece on real sentences, and the starter's audit on them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from interlingua.corpus.texts import Text, open_texts
from interlingua.vocab.audit import audit
from interlingua.vocab.audit_page import render
from interlingua.vocab.sentencepiece_model import train_model


@pytest.fixture(scope="module")
def sentences(data_dir: Path) -> list[Text]:
    folder = data_dir / "sib200"
    if not folder.is_dir():
        pytest.skip("no sib200 here")
    return list(open_texts(sorted(folder.glob("*/test.tsv"))))


@pytest.mark.parametrize(("kind", "byte_fallback"), [("unigram", True), ("bpe", False)])
def test_every_sentence_of_40_languages_is_cut_as_sentencepiece_cuts_it(
    sentences: list[Text], kind, byte_fallback
) -> None:
    import sentencepiece
    import tokenizers

    assert len({text.lang for text in sentences}) >= 20
    plain = [text.text for text in sentences]
    trained = train_model(
        plain[::4],
        kind=kind,
        size=5000,
        byte_fallback=byte_fallback,
        coverage=0.999,
        normalization="nmt_nfkc",
    )
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(trained.document()))
    processor = sentencepiece.SentencePieceProcessor()
    processor.load_from_serialized_proto(trained.model)
    ours = tokenizer.encode_batch(plain, add_special_tokens=False)
    theirs = processor.encode(plain)
    apart = [text for text, a, b in zip(plain, ours, theirs, strict=True) if a.ids != b]
    # A letter and a mark of three bytes each that compose: `tokenizers` leaves them.
    assert len(apart) <= 3
    assert all(not unicodedata.is_normalized("NFC", text) for text in apart)
    assert processor.id_to_piece(4999) == "<mask>" == tokenizer.id_to_token(4999)


def test_the_starter_is_audited_and_drawn(starter, sentences: list[Text], data_dir: Path) -> None:
    files = [data_dir / "sib200" / tag / "test.tsv" for tag in ("eng_Latn", "yor_Latn", "zsm_Latn")]
    found = audit(starter.tokenizer(), open_texts(files), name="<starter>", reference="en")
    assert list(found.languages) == ["yor_Latn", "zsm_Latn", "eng_Latn"]
    yoruba = found.languages["yor_Latn"]
    assert yoruba.shared == 204 and yoruba.premium is not None and yoruba.premium > 1
    page = render(found, against=found)
    assert "&lt;starter&gt;" in page and "<starter>" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('class="row"') == 2


def test_no_premium_where_the_script_is_unknown(starter, tmp_path: Path) -> None:
    (tmp_path / "x.dzo_Tibt.txt").write_text("བོད་སྐད་ཡིན།\n" * 3, encoding="utf-8")
    (tmp_path / "x.eng_Latn.txt").write_text("This is the language.\n" * 3, encoding="utf-8")
    found = audit(starter.tokenizer(), open_texts([tmp_path]), name="s", reference="en")
    dzongkha = found.languages["dzo_Tibt"]
    assert next(iter(found.languages)) == "dzo_Tibt"
    assert dzongkha.unknown_characters > 0.5
    assert (dzongkha.shared, dzongkha.premium) == (3, None)
