"""Translations found among sentences that mostly have none: by vectors, and with words beside them.

    python recipes/search/mining.py --data-dir ntrex --languages arb deu jpn --model starter

Of a text that is parallel in many languages, one sentence a line, ``*.CODE.txt``, the first 60 % of
the foreign lines and the last 70 % of the English ones are taken, so that 30 % of all are on both
sides. F1 as for BUCC: the threshold of each half of the sources is chosen on the other half.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from interlingua.base.errors import DataError
from interlingua.corpus.rows import Faults, read_lines
from interlingua.evaluation.untaught import kept_pairs
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model
from interlingua.retrieval.matching import WordMatch
from interlingua.retrieval.mining import first_of_equals, isotropic, mine
from interlingua.tasks.metrics.mining import bucc_scores

FOREIGN, ENGLISH = 0.6, 0.3
"""The foreign lines end here, the English ones begin here."""


def lines_of(folder: Path, code: str) -> list[str]:
    """The lines of a language's file."""
    (path,) = folder.glob(f"*.{code}.txt")
    return [line for _, line in read_lines(path, Faults())]


def f1(encoder: Encoder, foreign: list[str], english: list[str]) -> dict[str, float]:
    """F1 of mined pairs by vectors, and with words; line i of both is one sentence."""
    if len(foreign) != len(english):
        raise DataError(f"{len(foreign)} foreign and {len(english)} English lines are not parallel")
    first = int(ENGLISH * len(english))
    sides = foreign[: int(FOREIGN * len(foreign))], english[first:]
    found = [first_of_equals(side) for side in sides]
    names = [[str(row + start) for row in found[i][1]] for i, start in ((0, 0), (1, first))]
    gold = {(name, name) for name in set(names[0]) & set(names[1])}
    texts = [texts for texts, _ in found]
    vectors = [isotropic(encoder.encode(side).vectors) for side in texts]
    scores = {}
    for told, match in (("vectors", None), ("words", WordMatch(encoder.folder, *texts))):
        kept, _ = kept_pairs(mine(vectors[0], vectors[1], match=match), names, gold)
        scores[told] = round(bucc_scores(gold, kept).f1, 4)
    return scores


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", required=True, help="codes in the files' names")
    parser.add_argument("--english", default="eng", help="the code of English")
    parser.add_argument("--model", default="starter")
    given = parser.parse_args()
    encoder = Encoder(open_model(given.model))
    english = lines_of(given.data_dir, given.english)
    document = {
        code: f1(encoder, lines_of(given.data_dir, code), english) for code in given.languages
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
