"""Bits per byte of Kneser-Ney n-grams, over characters and over subwords, language by language.

    python examples/ngram_bits.py                     # the phrasebook that is shipped
    python examples/ngram_bits.py --train ntrex/*.txt --test sib200/*/test.tsv

Languages with training text are scored: by a model of their own, and by one model of all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from interlingua.corpus.phrasebook import test_files
from interlingua.corpus.rows import read_table
from interlingua.languages import tag_of
from interlingua.models.alphabet import CHARACTERS, Alphabet, subwords
from interlingua.models.folder import open_model
from interlingua.models.ngram import KneserNey, Measured
from interlingua.tasks.examples import language_of_path

Texts = dict[str, list[str]]


def read(paths: Sequence[Path]) -> Texts:
    """The texts of each language: lines, or a column ``text``; the path names the language."""
    texts: Texts = {}
    for path in paths:  # newstest2019.arb.txt: the last part before the ending
        tag = language_of_path(path) or tag_of(path.stem.rpartition(".")[2])
        texts.setdefault(tag, []).extend(row.values["text"] for row in read_table(path))
    return texts


def phrasebook() -> tuple[Texts, Texts]:
    """Three sentences of four to learn from, and every fourth to be scored on."""
    texts = read(test_files())
    train = {tag: [t for i, t in enumerate(rows) if i % 4] for tag, rows in texts.items()}
    return train, {tag: rows[::4] for tag, rows in texts.items()}


def fit(texts: Sequence[str], alphabet: Alphabet, order: int) -> KneserNey:
    """A model of texts spelt in an alphabet."""
    spelt = (text.ids for text in alphabet.spell(texts))
    return KneserNey.fit(spelt, order=order, vocabulary=alphabet.size)


def show(name: str, cells: Sequence[str]) -> None:
    """A row of a table."""
    print("|", " | ".join([name, *cells]), "|", flush=True)


def bits(found: Sequence[Measured]) -> list[str]:
    """Bits per byte of each language, and their mean."""
    figures = [each.bits_per_byte for each in found]
    return [f"{figure:.3f}" for figure in [*figures, sum(figures) / len(figures)]]


def main() -> None:
    """Fit, measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", nargs="+", type=Path, help="files to learn from")
    parser.add_argument("--test", nargs="+", type=Path, help="files to score")
    parser.add_argument("--model", default="starter", help="whose tokenizer makes the subwords")
    parser.add_argument("--characters", type=int, default=6, help="order over characters")
    parser.add_argument("--subwords", type=int, default=3, help="order over subwords")
    given = parser.parse_args()
    if (given.train is None) != (given.test is None):
        parser.error("give both --train and --test, or neither")
    train, test = phrasebook() if given.train is None else (read(given.train), read(given.test))
    tags = sorted(train.keys() & test.keys())
    if not tags:
        parser.error(f"no language in both: {', '.join(train)}; {', '.join(test)}")
    pieces = subwords(open_model(given.model).tokenizer())
    everything = [text for tag in tags for text in train[tag]]

    show("bits per byte", [*tags, "mean"])
    show("---", ["---"] * (len(tags) + 1))
    perplexities: dict[str, list[str]] = {}
    for alphabet, order in ((CHARACTERS, given.characters), (pieces, given.subwords)):
        name = f"{alphabet.name}, order {order}"
        own = [fit(train[tag], alphabet, order).measure(test[tag], alphabet) for tag in tags]
        show(f"{name}, one language", bits(own))
        joint = fit(everything, alphabet, order)
        show(f"{name}, all of them", bits([joint.measure(test[tag], alphabet) for tag in tags]))
        perplexities[f"{name}, one language"] = [f"{found.perplexity:.1f}" for found in own]
    print()
    show("perplexity", tags)
    show("---", ["---"] * len(tags))
    for name, cells in perplexities.items():
        show(name, cells)
    hidden = sum(found.hidden for found in own)
    print(f"\nBytes that the subwords do not know, charged eight bits each: {hidden}")


if __name__ == "__main__":
    main()
