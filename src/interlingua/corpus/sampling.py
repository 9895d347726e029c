"""How much text of each language a model or a vocabulary is trained on.

Shares are counted in bytes of UTF-8, before any tokenizer exists. Legend: ``n_l`` bytes there are
of language ``l``, ``q_l = n_l / sum n`` its share, ``B`` bytes to take in all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from interlingua.corpus.texts import Text

MAX_PASSES = 10
"""How often a text may be taken at most: more would teach single sentences by heart."""


def by_temperature(
    sizes: Mapping[str, int], *, budget: int, temperature: float
) -> dict[str, float]:
    """Bytes to take of each language when shares are flattened by an exponent.

    ``p_l = q_l ** temperature / sum_k q_k ** temperature`` (Conneau and Lample 2019, arXiv
    1901.07291, section 3.1; XLM-R takes 0.3): 1 keeps the shares as they are, 0 makes all equal.
    Languages get ``p_l * B``, but none more than `MAX_PASSES` times what there is of it; ``B`` is
    at most what takes the best provided language once.

    Args:
        sizes: Bytes there are, by language.
        budget: ``B``.
        temperature: The exponent, from 0 to 1.
    """
    total = sum(sizes.values())
    raised = {lang: (size / total) ** temperature for lang, size in sizes.items()}
    shares = {lang: share / sum(raised.values()) for lang, share in raised.items()}
    taken = min(budget, max(size / shares[lang] for lang, size in sizes.items()))
    return {lang: min(shares[lang] * taken, MAX_PASSES * size) for lang, size in sizes.items()}


def by_unimax(sizes: Mapping[str, int], *, budget: int, epochs: float) -> dict[str, float]:
    """Bytes to take of each language when all get the same, as far as there is text.

    UniMax (Chung et al., ICLR 2023, arXiv 2304.09151, algorithm 1): from the smallest language
    up, each gets an equal part of what is left of the budget, but no text is taken more than
    ``epochs`` times. The budget is at most all there is: with more, the languages that have text
    would catch up again by repeating it.

    Args:
        sizes: Bytes there are, by language.
        budget: ``B``.
        epochs: How often a text is taken at most.
    """
    left = float(min(budget, sum(sizes.values())))
    taken = {}
    ordered = sorted(sizes, key=lambda lang: (sizes[lang], lang))
    for i, lang in enumerate(ordered):
        taken[lang] = min(left / (len(ordered) - i), epochs * sizes[lang])
        left -= taken[lang]
    return taken


def annealed(
    sizes: Mapping[str, int], *, budget: int, phases: Sequence[tuple[float, float]]
) -> list[dict[str, float]]:
    """Bytes to take of each language in each phase of a training, one temperature after the other.

    mmBERT (Marone et al. 2025, arXiv 2509.06888, section 3) lowers the temperature from phase to
    phase, so that small languages come late, when what was learned of large ones carries over and
    they need not be repeated often. Over all phases no text is taken more than `MAX_PASSES` times.

    Args:
        sizes: Bytes there are, by language.
        budget: ``B``, of all phases.
        phases: Share of the budget and temperature of each.
    """
    left = {lang: float(MAX_PASSES * size) for lang, size in sizes.items()}
    taken = []
    for share, temperature in phases:
        wanted = by_temperature(sizes, budget=round(budget * share), temperature=temperature)
        taken.append({lang: min(bytes_, left[lang]) for lang, bytes_ in wanted.items()})
        left = {lang: left[lang] - taken[-1][lang] for lang in left}
    return taken


def draw(texts: Iterable[Text], passes: Mapping[str, float], *, seed: int) -> Iterator[Text]:
    """Every text as often as its language is to be taken; a fraction by chance.

    The chance is a hash of text and seed, so that a text is taken or not wherever it stands.

    Args:
        texts: The texts.
        passes: By language, how often it is to be taken: 2.5 is twice, and half of it once more.
        seed: Same seed, same draw.
    """
    for text in texts:
        whole, rest = divmod(passes[text.lang], 1)
        again = rest > 0 and chance(text.text, seed) < rest
        for _ in range(int(whole) + again):
            yield text


def chance(key: str, seed: int, purpose: str = "") -> float:
    """A number in [0, 1) that depends on its arguments alone, so that choices by it repeat."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def held_out(text: str, *, share: float, seed: int) -> bool:
    """Whether a text is put aside for testing; equal texts always are together."""
    return chance(text, seed, "held out") < share
