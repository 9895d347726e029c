"""BLEU, chrF and ROUGE against the packages that define them."""

from __future__ import annotations

import random

import pytest

from interlingua.base.errors import LanguageError
from interlingua.languages.segmentation import script_words
from interlingua.tasks.metrics.rouge import english_words, rouge_l, rouge_n
from interlingua.tasks.metrics.translation import bleu, chrf, tokenizer_for

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "12",
    "नमस्ते",
    "दुनिया",
    "你好世界",
    "สวัสดี",
    "élan",
    "Über,",
    "naïve",
]


@pytest.mark.parametrize("tokens", [english_words, script_words])
def test_rouge_equals_rouge_score(tokens):
    scorer = pytest.importorskip("rouge_score.rouge_scorer")

    class Tokenizer:
        def tokenize(self, text):
            return tokens(text)

    theirs = scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Tokenizer())
    rng = random.Random(0)
    for _ in range(5000):
        summary = " ".join(rng.choices(WORDS, k=rng.randrange(12)))
        reference = " ".join(rng.choices(WORDS, k=rng.randrange(12)))
        expected = theirs.score(reference, summary)
        for name, ours in (
            ("rouge1", rouge_n(summary, reference, n=1, tokens=tokens)),
            ("rouge2", rouge_n(summary, reference, n=2, tokens=tokens)),
            ("rougeL", rouge_l(summary, reference, tokens=tokens)),
        ):
            figures = (ours.precision, ours.recall, ours.f1)
            assert figures == pytest.approx(tuple(expected[name])), (name, summary, reference)


def test_the_english_definition_is_rouge_scores_own():
    tokenize = pytest.importorskip("rouge_score.tokenize").tokenize
    for text in ("The cat's 3rd été, naïve Über_x", "नमस्ते a1", ""):
        assert english_words(text) == tokenize(text, None)


def test_every_script_counts():
    assert script_words("สวัสดี नमस्ते 你好,abc1 été") == [
        *["ส", "วั", "ส", "ดี"],
        *["नमस्ते", "你", "好", "abc1", "été"],
    ]
    for text in ("नमस्ते दुनिया", "你好", "مرحبا", "สวัสดี"):
        assert rouge_l(text, text, tokens=script_words).f1 == 1
        assert rouge_l(text, text, tokens=english_words).f1 == 0


def test_the_tokenizer_follows_the_language():
    assert tokenizer_for("zh-Hant").name == "zh"
    assert tokenizer_for("de").name == "13a"
    assert tokenizer_for("tha_Thai").name == "char"
    for code, name in (("ja", "ja-mecab"), ("ko", "ko-mecab")):
        chosen = tokenizer_for(code)
        assert chosen.name in {name, "char"}
        assert chosen.name == name or "not installed" in chosen.reason
    with pytest.raises(LanguageError):
        tokenizer_for("klingonese")


def test_bleu_and_chrf_are_sacrebleus():
    sacrebleu = pytest.importorskip("sacrebleu")
    found, right = (
        ["the cat sat on a mat", "今天 天气 好"],
        ["The cat sat on the mat", "今天天气好"],
    )
    expected = sacrebleu.corpus_bleu(found, [right], lowercase=True).score
    assert bleu(found, [right], tokenizer="13a", lowercase=True).score == expected
    ours = bleu(found, [right], tokenizer="zh")
    assert ours.score == sacrebleu.corpus_bleu(found, [right], tokenize="zh").score
    assert "tok:zh" in ours.signature
    assert chrf(found, [right]).score == sacrebleu.corpus_chrf(found, [right], word_order=2).score


@pytest.mark.parametrize("tokenizer", ["13a", "zh", "char", "intl"])
def test_bleu_and_chrf_equal_sacrebleu_on_many_corpora(tokenizer):
    """Over four tokenizers 10,000 sentences, in corpora of one to nine, one or two references."""
    sacrebleu = pytest.importorskip("sacrebleu")
    rng = random.Random(tokenizer)

    def sentence():
        return " ".join(rng.choices(WORDS, k=rng.randrange(9)))

    def changed(text):
        return " ".join(w if rng.random() < 0.8 else rng.choice(WORDS) for w in text.split())

    sentences = 0
    while sentences < 2500:
        rows = rng.randrange(1, 10)
        found = [sentence() for _ in range(rows)]
        right = [[changed(text) for text in found] for _ in range(rng.randrange(1, 3))]
        lowercase = rng.random() < 0.5
        theirs = sacrebleu.corpus_bleu(found, right, tokenize=tokenizer, lowercase=lowercase)
        assert bleu(found, right, tokenizer=tokenizer, lowercase=lowercase).score == theirs.score
        for order in (0, 2):
            theirs = sacrebleu.corpus_chrf(found, right, word_order=order)
            assert chrf(found, right, word_order=order).score == theirs.score
        sentences += rows
