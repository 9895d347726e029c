"""Fewer pieces: a text whose pieces stay is cut up as before, whatever kind of vocabulary it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from interlingua.base.errors import ModelError
from interlingua.corpus import phrasebook
from interlingua.corpus.texts import Text, open_texts
from interlingua.languages.segmentation import count_units, unit_of
from interlingua.vocab.changes import measure_change
from interlingua.vocab.sentencepiece_model import train_model
from interlingua.vocab.trim import written_in
from interlingua.vocab.vocabulary import NEW, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

tokenizers = pytest.importorskip("tokenizers")
TEXTS = [text.text for text in open_texts(phrasebook.test_files())]


def _sentencepiece(kind: Any, *, byte_fallback: bool) -> Tokenizer:
    trained = train_model(
        TEXTS,
        kind=kind,
        size=2500,
        byte_fallback=byte_fallback,
        coverage=0.99,
        normalization="nmt_nfkc",
    )
    return tokenizers.Tokenizer.from_str(json.dumps(trained.document()))


def _byte_level() -> Tokenizer:
    """As GPT-2 has it, with the post-processor and the tokens of RoBERTa."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2500,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens(["<mask>"])
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(
        ("</s>", 1), ("<s>", 0), add_prefix_space=False
    )
    return tokenizer


@pytest.fixture(scope="module", params=["unigram", "unigram bytes", "bpe", "bpe bytes", "gpt2"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "gpt2":
        return _byte_level()
    kind, _, byte_fallback = request.param.partition(" ")
    return _sentencepiece(kind, byte_fallback=bool(byte_fallback))


def test_a_text_whose_pieces_stay_is_cut_up_as_before(tokenizer: Tokenizer) -> None:
    vocabulary = Vocabulary.of(tokenizer, name="t")
    used = TEXTS[::3]
    ids = {i for e in tokenizer.encode_batch(used, add_special_tokens=False) for i in e.ids}
    revision = vocabulary.kept(ids)
    after = revision.vocabulary.tokenizer()
    assert len(revision.origin) == after.get_vocab_size() < len(vocabulary)
    kept = set(revision.origin.tolist())
    same = 0
    for text in [*TEXTS, "\u16a0 x", "", "  two  "]:
        old, new = tokenizer.encode(text), after.encode(text)
        if set(old.ids) <= kept:
            same += 1
            assert revision.origin[new.ids].tolist() == old.ids, text
            assert after.decode(new.ids) == tokenizer.decode(old.ids)
    assert len(used) <= same
    pair = after.encode("a", "b")
    assert revision.origin[pair.ids].tolist() == tokenizer.encode("a", "b").ids


def test_special_tokens_and_the_unknown_one_keep_their_names(tokenizer: Tokenizer) -> None:
    revision = Vocabulary.of(tokenizer, name="t").kept([])
    before, after = Vocabulary.of(tokenizer, name="t"), revision.vocabulary
    names = [before.pieces[i] for i in sorted(before.special)]
    assert [after.pieces[i] for i in sorted(after.special)] == names
    again = Vocabulary.of(after.tokenizer(), name="again")
    assert again.pieces == after.pieces and again.unknown_id == after.unknown_id


def test_pieces_are_added_behind_the_model_and_before_added_tokens() -> None:
    tokenizer = _sentencepiece("unigram", byte_fallback=False)
    tokenizer.add_tokens(["<extra>"])
    vocabulary = Vocabulary.of(tokenizer, name="t")
    lowest = float(vocabulary.scores.min())
    revision = vocabulary.with_pieces(["▁xyzzy", "plugh"], [lowest + 1, lowest])
    after = revision.vocabulary.tokenizer()
    assert after.token_to_id("<extra>") == len(vocabulary) - 1 + 2
    assert np.flatnonzero(revision.origin == NEW).tolist() == [
        after.token_to_id("▁xyzzy"),
        after.token_to_id("plugh"),
    ]
    assert after.encode("xyzzyplugh<extra>", add_special_tokens=False).tokens == [
        "▁xyzzy",
        "plugh",
        "<extra>",
    ]
    for text in TEXTS[::5]:
        assert revision.origin[after.encode(text).ids].tolist() == tokenizer.encode(text).ids


def test_only_unigram_can_be_extended_and_wordpiece_not_even_trimmed() -> None:
    with pytest.raises(ModelError, match="Unigram"):
        Vocabulary.of(_byte_level(), name="t").with_pieces(["a"], [0.0])
    wordpiece = tokenizers.Tokenizer(tokenizers.models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    with pytest.raises(ModelError, match=r"model-x is WordPiece"):
        Vocabulary.of(wordpiece, name="model-x")


def test_changes_are_counted() -> None:
    tokenizer = _sentencepiece("unigram", byte_fallback=False)
    vocabulary = Vocabulary.of(tokenizer, name="t")
    text = next(t for t in TEXTS if len(t.split()) > 3 and t.isascii())
    gone = set(tokenizer.encode(text, add_special_tokens=False).ids)
    long = max(gone, key=lambda i: len(vocabulary.pieces[i]))
    revision = vocabulary.kept(set(range(len(vocabulary))) - {long})
    texts = [Text(text, "eng_Latn", "1"), Text("a", "eng_Latn", "2"), Text("日", "jpn_Jpan", "1")]
    found = measure_change(tokenizer, revision, texts)
    assert (found["eng_Latn"].texts, found["eng_Latn"].unchanged) == (2, 1)
    assert found["eng_Latn"].after > found["eng_Latn"].before
    assert found["eng_Latn"].units == len(text.split()) + 1
    assert found["jpn_Jpan"].unit == "character" and found["jpn_Jpan"].units == 1


@pytest.mark.parametrize(
    ("lang", "text", "unit", "count"),
    [
        ("deu_Latn", "Das – kostet 3,50 €, oder?", "word", 4),
        ("jpn_Jpan", "猫は3匹。", "character", 4),
        ("tha_Thai", "น้ำ ดี", "character", 2),
        ("bod_Tibt", "བོད་སྐད་ཡིན།", "syllable", 3),
        ("und", "a b", "word", 2),
        ("deu_Latn", "." * 1_000_000, "word", 0),
    ],
)
def test_units_of_scripts(lang: str, text: str, unit: str, count: int) -> None:
    assert unit_of(lang) == unit
    assert count_units(text, unit_of(lang)) == count


def test_which_pieces_are_of_a_script() -> None:
    assert written_in("Straße", ("Latn",)) and written_in("42 %", ("Latn",))
    assert not written_in("дом", ("Latn",)) and not written_in("aд", ("Latn",))
    assert written_in("ひ漢", ("Jpan",)) and not written_in("ひ", ("Hans",))
