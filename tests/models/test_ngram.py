"""Kneser-Ney against the formula written out, against a sum of one, and against a hand."""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import ConfigError, DataError
from interlingua.batches.tokens import clean
from interlingua.corpus.rows import read_table
from interlingua.models.alphabet import BYTES, CHARACTERS, Alphabet, subwords
from interlingua.models.folder import ModelFolder
from interlingua.models.ngram import KneserNey, discounts

START, END = "<s>", "</s>"


def naive(
    sequences: Sequence[Sequence[int]], *, order: int, vocabulary: int
) -> Callable[[int | str, Sequence[int | str]], float]:
    """P(symbol | context), straight from the recursion, with tuples in dictionaries."""
    opened: Counter[tuple[int | str, ...]] = Counter()
    for sequence in sequences:
        padded = (START, *sequence, END)
        for n in range(1, order + 1):
            opened.update(padded[i : i + n] for i in range(len(padded) - n + 1))
    before: dict[tuple[int | str, ...], set[int | str]] = defaultdict(set)
    for gram in opened:
        before[gram[1:]].add(gram[0])

    def adjusted(gram: tuple[int | str, ...]) -> int:
        if gram == (START,):
            return 0
        if len(gram) == order or gram[0] == START:
            return opened[gram]
        return len(before[gram])

    outcomes = [*range(vocabulary), END]
    taken: dict[int, dict[int, float]] = {}
    for n in range(1, order + 1):
        sizes = Counter(adjusted(gram) for gram in opened if len(gram) == n)
        one, two, three, four = (sizes[r] for r in (1, 2, 3, 4))
        y = one / (one + 2 * two) if one and two else 0.5
        taken[n] = {1: y, 2: y, 3: y}
        if one and two and three and four:
            modified = {
                1: 1 - 2 * y * two / one,
                2: 2 - 3 * y * three / two,
                3: 3 - 4 * y * four / three,
            }
            if min(modified.values()) > 0:
                taken[n] = modified

    def probability(symbol: int | str, context: Sequence[int | str]) -> float:
        return recursion(symbol, tuple(context)[max(0, len(context) - order + 1) :])

    def recursion(symbol: int | str, context: tuple[int | str, ...]) -> float:
        shorter = 1 / (vocabulary + 1)
        if context:
            shorter = recursion(symbol, context[1:])
        n = len(context) + 1
        counts = {w: c for w in outcomes if (c := adjusted((*context, w))) > 0}
        if not counts:
            return shorter
        total = sum(counts.values())
        rest = sum(taken[n][min(c, 3)] for c in counts.values()) / total
        count = counts.get(symbol, 0)
        share = (count - taken[n][min(count, 3)]) / total if count else 0.0
        return share + rest * shorter

    return probability


def drawn(seed: int, *, vocabulary: int, sentences: int, length: int) -> list[list[int]]:
    """Sequences that repeat themselves enough for counts of one, two, three and four."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocabulary + 1)
    return [
        rng.choice(vocabulary, rng.integers(0, length + 1), p=weights / weights.sum()).tolist()
        for _ in range(sentences)
    ]


def named(model: KneserNey, symbol: int | str) -> int:
    return {START: model.start, END: model.end}.get(symbol, symbol)


def test_three_symbols_by_hand() -> None:
    """Train on "a a b" alone; docs/concepts/language-models.md works the figures out."""
    a, b = 0, 1
    model = KneserNey.fit([[a, a, b]], order=2, vocabulary=2)
    end, start = model.end, model.start
    figures = {(a, start): 0.75, (a, a): 0.5, (b, a): 0.375, (end, a): 0.125, (end, b): 0.625}
    for (symbol, context), expected in figures.items():
        assert model.logprob(symbol, [context]) == pytest.approx(math.log(expected), abs=1e-12)
    assert np.exp(-model.score([a, a, b])) == pytest.approx([0.75, 0.5, 0.375, 0.625])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_the_formula_written_out(order: int, seed: int) -> None:
    vocabulary = 7
    known = drawn(seed, vocabulary=5, sentences=60, length=12)  # two symbols never occur
    model = KneserNey.fit(known, order=order, vocabulary=vocabulary)
    probability = naive(known, order=order, vocabulary=vocabulary)
    for sequence in drawn(seed + 10, vocabulary=vocabulary, sentences=25, length=15):
        padded = [START, *sequence, END]
        expected = [probability(padded[i], padded[:i]) for i in range(1, len(padded))]
        assert np.exp(-model.score(sequence)) == pytest.approx(expected, abs=1e-9)
        for i in range(1, len(padded)):
            found = model.logprob(named(model, padded[i]), [named(model, s) for s in padded[:i]])
            assert math.exp(found) == pytest.approx(expected[i - 1], abs=1e-9)


def test_the_formula_is_tried_with_three_discounts_and_with_one() -> None:
    rows = [
        discounts(np.array([len(g) for g in groups]))
        for groups in ([[0]] * 5 + [[0] * 2] * 3 + [[0] * 3] * 2 + [[0] * 4], [[0]] * 4)
    ]
    y = 5 / 11
    assert rows[0] == pytest.approx([0, 1 - 2 * y * 3 / 5, 2 - 3 * y * 2 / 3, 3 - 4 * y / 2])
    assert rows[1].tolist() == [0, 0.5, 0.5, 0.5]
    assert discounts(np.array([1, 1, 1, 2])).tolist() == [0, 0.6, 0.6, 0.6]
    # D(2) would be 2 - 3 * 1/3 * 5 < 0
    odd = np.repeat([1, 2, 3, 4], [1, 1, 5, 1])
    assert discounts(odd).tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])


@settings(max_examples=60, deadline=None)
@given(
    known=st.lists(st.lists(st.integers(0, 3), max_size=9), min_size=1, max_size=9),
    order=st.integers(1, 5),
    context=st.lists(st.integers(0, 5), max_size=6),
    opens=st.booleans(),
)
def test_probabilities_add_up_to_one_and_none_is_zero(
    known: list[list[int]], order: int, context: list[int], opens: bool
) -> None:
    model = KneserNey.fit(known, order=order, vocabulary=6)
    before = [model.start, *context] if opens else context
    found = [math.exp(model.logprob(symbol, before)) for symbol in range(model.end + 1)]
    assert sum(found) == pytest.approx(1, abs=1e-12)
    assert min(found) > 0


def test_all_sequences_of_a_length_and_shorter_add_up_with_what_goes_on() -> None:
    model = KneserNey.fit([[0, 1, 0], [1, 1], [0]], order=3, vocabulary=2)
    ended, open_ended = 0.0, 0.0
    for length in range(5):
        for sequence in product(range(2), repeat=length):
            nats = model.score(list(sequence))
            ended += math.exp(-nats.sum())
            if length == 4:
                open_ended += math.exp(-nats[:-1].sum()) * (1 - math.exp(-nats[-1]))
    assert ended + open_ended == pytest.approx(1, abs=1e-12)


def test_symbols_never_seen_share_alike() -> None:
    model = KneserNey.fit([[0, 1, 0, 2]], order=3, vocabulary=100)
    found = {round(model.logprob(symbol, [0, 1]), 12) for symbol in range(3, 100)}
    assert len(found) == 1
    # an unseen context says nothing: the shorter one stands
    assert model.logprob(0, [77, 1]) == pytest.approx(model.logprob(0, [1]), abs=1e-12)


def test_more_context_helps_where_there_is_structure() -> None:
    texts = ["the cat sat on the mat and the dog sat on the log"] * 3
    sizes = [
        KneserNey.fit([s.ids for s in BYTES.spell(texts)], order=n, vocabulary=BYTES.size)
        .measure(["the cat sat on the log"], BYTES)
        .bits_per_byte
        for n in (1, 2, 3, 5)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < math.log2(BYTES.size + 1)


@pytest.mark.parametrize("alphabet", [BYTES, CHARACTERS], ids=["bytes", "characters"])
def test_what_is_measured_is_the_sum_of_what_is_scored(alphabet: Alphabet) -> None:
    texts = ["ሰላም, world", "", "naïve 𓀀", "a\ud800b"]
    model = KneserNey.fit(
        [s.ids for s in alphabet.spell(texts[:2])], order=3, vocabulary=alphabet.size
    )
    found = model.measure(texts, alphabet)
    scored = [model.score(spelt.ids) for spelt in alphabet.spell(texts)]
    assert found.nats == pytest.approx(sum(nats.sum() for nats in scored))
    assert found.symbols == sum(map(len, scored))
    assert found.bytes == sum(len(clean(text).encode()) for text in texts)
    assert found.bits_per_byte == pytest.approx(found.nats / math.log(2) / found.bytes)
    assert found.perplexity == pytest.approx(math.exp(found.nats / found.symbols))


def test_characters_are_code_points() -> None:
    (spelt,) = CHARACTERS.spell(["aሰ𓀀"])
    assert spelt.ids.tolist() == [ord(c) for c in "aሰ𓀀"]
    assert CHARACTERS.size == sys.maxunicode + 1


def test_an_untrained_model_costs_the_uniform_share() -> None:
    model = KneserNey.fit([[]], order=2, vocabulary=256)
    # the only thing seen is an end, discounted by a half; a byte gets its share of the rest
    assert model.logprob(65, [66]) == pytest.approx(math.log(0.5 / 257))


def test_unknown_subwords_cost_the_bytes_they_hide() -> None:
    from tokenizers import Tokenizer, models

    pieces = [("<unk>", 0.0), ("a", -1.0), ("b", -1.0)]
    kinds = {
        "unigram": models.Unigram(pieces, 0),
        "bpe": models.BPE({"<unk>": 0, "a": 1, "b": 2}, [], unk_token="<unk>"),
    }
    for kind, vocabulary in kinds.items():
        alphabet = subwords(Tokenizer(vocabulary))
        spelt = list(alphabet.spell(["ab", "a☃b"]))
        assert [s.ids.tolist() for s in spelt] == [[1, 2], [1, 0, 2]], kind
        assert [(s.bytes, s.hidden) for s in spelt] == [(2, 0), (5, 3)], kind
        model = KneserNey.fit([s.ids for s in spelt], order=2, vocabulary=alphabet.size)
        found = model.measure(["a☃b"], alphabet)
        nats = model.score([1, 0, 2]).sum()
        assert found.bits_per_byte == pytest.approx((nats / math.log(2) + 24) / 5), kind


def test_subwords_of_the_starter_hide_nothing_it_can_spell(starter: ModelFolder) -> None:
    alphabet = subwords(starter.tokenizer())
    plain, odd = alphabet.spell(["Guten Morgen, мир", "a𓀀"])
    assert (plain.hidden, odd.hidden) == (0, 4)
    assert starter.tokenizer().decode(plain.ids.tolist()) == "Guten Morgen, мир"


def test_what_cannot_be_fitted_is_told() -> None:
    with pytest.raises(ConfigError, match="order 0"):
        KneserNey.fit([[0]], order=0, vocabulary=1)
    with pytest.raises(DataError, match="no sequences"):
        KneserNey.fit([], order=2, vocabulary=1)
    with pytest.raises(DataError, match="no text to measure"):
        KneserNey.fit([[0]], order=2, vocabulary=256).measure([""], BYTES)
    with pytest.raises(AssertionError, match="out of range"):
        KneserNey.fit([[3]], order=2, vocabulary=3)


def test_real_text_is_predicted_better_by_its_own_language(data_dir: Path) -> None:
    def texts(name: str, lines: int) -> list[str]:
        rows = read_table(data_dir / "sib200" / name)
        return [row.values["text"] for row, _ in zip(rows, range(lines), strict=False)]

    english, french = (texts(f"{tag}/train.tsv", 300) for tag in ("eng_Latn", "fra_Latn"))
    test = texts("fra_Latn/test.tsv", 100)
    own, other = (
        KneserNey.fit([s.ids for s in CHARACTERS.spell(t)], order=5, vocabulary=CHARACTERS.size)
        .measure(test, CHARACTERS)
        .bits_per_byte
        for t in (french, english)
    )
    assert own < 2.7 < other < 8
