r"""Masked bits per byte of held-out text in one language, before and after, with intervals.

    python recipes/adapt-language/measure.py --before runs/adapt/2-control \
        --after runs/adapt/2-adapt --pairs runs/adapt/1-pairs.jsonl.zst --lang zul_Latn

The texts are those of the clusters that the recipes held out, by the same hash; ``--texts`` names
others, all of which are taken. Masks are the same for both models, which share a tokenizer.
Intervals resample the texts, the same for both.

Legend: N rows.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interlingua.base.config import make
from interlingua.base.files import write_json
from interlingua.base.seeding import generator
from interlingua.batches.token_store import Text, build_store
from interlingua.corpus.rows import Faults
from interlingua.evaluation.bootstrap import interval
from interlingua.inference.hardware import device
from interlingua.languages.tags import tag_of
from interlingua.models.folder import open_model
from interlingua.models.language_model import LanguageModel, load_language_model
from interlingua.objectives.masked_lm import IGNORE
from interlingua.training.arithmetic import Arithmetic
from interlingua.training.corpus_run import Start
from interlingua.training.language_modelling import LanguageModelLearner, Strand
from interlingua.training.pretrain import learns_positions, vocabulary_of
from interlingua.training.pretrain_data import held_out, read_texts
from interlingua.training.pretrain_settings import (
    CorpusData,
    ObjectiveSettings,
    PretrainSettings,
)

RESAMPLES = 10_000
MAX_TOKENS = 94
Floats = NDArray[np.float64]


def texts_of(files: list[Path], lang: str, share: float) -> list[Text]:
    """Texts of a language, of the share of the clusters that is put aside, none twice."""
    data = make(CorpusData, {"languages": [lang]})
    found = {
        read.text.text: read.text
        for read in read_texts(files, data, Faults("stop"), pairs=False)
        if held_out(read.cluster, share)
    }
    return list(found.values())


@torch.no_grad()
def bits(model: Path, texts: list[Text]) -> tuple[Floats, Floats]:
    """Bits that a model spends on the hidden tokens of each row, and the bytes they cover [N]."""
    start = Start.of(open_model(model))
    objective = make(ObjectiveSettings, {"kind": "mlm"})
    loaded, made = load_language_model(start.folder)
    assert not made, f"{model} has no language-modelling head"
    found = []
    with tempfile.TemporaryDirectory() as place:
        store = build_store(texts, start.tokenizer, Path(place) / "s", max_tokens=MAX_TOKENS)
        learner = LanguageModelLearner(
            LanguageModel(loaded),
            [Strand(objective, store, None, np.zeros(0, dtype=np.int64))],
            vocabulary_of(start, (objective,)),
            settings=make(PretrainSettings, {}),
            arithmetic=Arithmetic(device(), bfloat16=False),
            learned_positions=learns_positions(start.folder),
        )
        learner.training_mode(False)
        for row in range(len(store)):
            rows = np.array([row])
            hidden = learner.question(rows, row).labels != IGNORE
            if hidden.any():
                nats = float(learner.loss(rows, np.array([0]), row)) * hidden.sum()
                covered = learner.question(rows, row).bytes[hidden].sum()
                found.append((nats / math.log(2), covered))
    of_bits, of_bytes = np.array(found, dtype=np.float64).T
    return of_bits, of_bytes


def compared(before: Floats, after: Floats, covered: Floats) -> dict[str, dict[str, float]]:
    """Bits per byte of both models and their difference, with 95 % intervals."""
    draws = generator(0, "bits").integers(0, len(covered), (RESAMPLES, len(covered)))
    totals = covered[draws].sum(axis=1)
    columns = {"before": before, "after": after, "difference": after - before}
    told = {}
    for name, of in columns.items():
        mean = float(of.sum() / covered.sum())
        low, high = interval(of[draws].sum(axis=1) / totals, mean)
        told[name] = {"bits_per_byte": mean, "low": low, "high": high}
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True, help="what both were trained with")
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="other texts")
    parser.add_argument("--lang", required=True)
    parser.add_argument("--held-out", type=float, default=0.05, help="as in the recipes")
    parser.add_argument("--json", type=Path, help="file to write")
    given = parser.parse_args()
    lang = tag_of(given.lang)
    report: dict[str, Any] = {}
    sources = {"held out": texts_of([given.pairs], lang, given.held_out)}
    for file in given.texts:
        sources[str(file)] = texts_of([file], lang, 1.0)
    for name, texts in sources.items():
        before, covered = bits(given.before, texts)
        after, again = bits(given.after, texts)
        assert np.array_equal(covered, again), "the models have different tokenizers"
        report[name] = {"texts": len(texts), **compared(before, after, covered)}
        print(f"{name}: {len(texts)} texts in {lang}")
        for column in ("before", "after", "difference"):
            of = report[name][column]
            span = f"({of['low']:.3f} to {of['high']:.3f})"
            print(f"  {column:10} {of['bits_per_byte']:.3f} {span} bits per byte")
    if given.json:
        write_json(given.json, report)


if __name__ == "__main__":
    main()
