"""What a corpus build finds of planted near-duplicates, benchmark sentences and personal data.

    python bench/planted.py --data corpus/debian/documents/*.jsonl.zst --benchmarks sib200/ --json

Copies of a tenth of the documents have a few tokens changed, so few that their exact Jaccard
similarity stays at 0.8 or more; a fiftieth gets a benchmark sentence in other case and punctuation;
a fiftieth gets an e-mail address, an account, a card, a phone number and an address of a machine.
Recall is the share that is found. Precision is, of the pairs of near-duplicates found, the share
whose exact similarity is what was asked for, and of the documents dropped for a benchmark text, the
share that one was planted in: the others hold such a text already, or are mistakes. Without files
the documents are made of the shipped phrasebook, and the benchmark is its questions.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from typing import Any

import numpy as np
from corpus import documents

from interlingua.base.config import make
from interlingua.corpus.decontaminate import (
    Decontamination,
    benchmark_files,
    benchmark_texts,
    index_benchmarks,
)
from interlingua.corpus.near_duplicates import NearDuplicates, similar
from interlingua.corpus.phrasebook import question_files
from interlingua.corpus.pipeline.prepare import Setup, prepare
from interlingua.corpus.pipeline.recipe import CorpusSettings
from interlingua.corpus.records import Document
from interlingua.corpus.tokens import hash_tokens, runs

NEAR = NearDuplicates()
LEAST = 0.8  # exact similarity of a planted copy
BATCH = 512


def jaccard(left: str, right: str) -> float:
    """The exact similarity of two texts: the share of their runs of tokens that both have."""
    rows = runs(hash_tokens([left, right]), NEAR.run, short=True)
    a, b = set(rows.of(0).tolist()), set(rows.of(1).tolist())
    return len(a & b) / max(1, len(a | b))


def changed(text: str, chance: random.Random) -> str:
    """A copy with one token in fifty replaced by another of the text."""
    spaced = text.count(" ") > len(text) / 20
    parts = text.split(" ") if spaced else list(text)
    for _ in range(max(1, len(parts) // 100)):
        parts[chance.randrange(len(parts))] = chance.choice(parts)
    return (" " if spaced else "").join(parts)


def person(chance: random.Random) -> dict[str, str]:
    """Made-up personal data with valid checks."""
    card = [4, *(chance.randrange(10) for _ in range(14))]
    total = sum(d if i % 2 else 2 * d - 9 * (d > 4) for i, d in enumerate(card))
    account = "".join(str(chance.randrange(10)) for _ in range(18))
    return {
        "email": f"someone{chance.randrange(10**6)}@mail.example.org",
        "iban": f"DE{98 - int(account + '131400') % 97:02d}{account}",
        "card": "".join(map(str, [*card, -total % 10])),
        "ip": ".".join(str(chance.randrange(11, 99)) for _ in range(4)),
        "phone": f"+49 30 {chance.randrange(200000, 999999)}",
    }


def plant(
    rows: list[dict[str, Any]], sentences: list[str], chance: random.Random
) -> tuple[list[Document], dict[str, dict[str, str]]]:
    """Documents with what is planted in them, and the personal data by document."""
    planted = [Document(row["text"], row["lang"], row["id"], "bench") for row in rows]
    data: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows):
        text, name = str(row["text"]), str(row["id"])
        if number % 10 == 0 and len(runs(hash_tokens([text]), 1).values) >= NEAR.tokens:
            copy = changed(text, chance)
            if copy != text and jaccard(text, copy) >= LEAST:
                planted.append(Document(copy, row["lang"], f"near:{name}", "bench"))
        if number % 50 == 1:
            sentence = chance.choice(sentences)
            shown = chance.choice([sentence, sentence.upper(), sentence.replace(",", " --")])
            planted.append(Document(f"{text}\n{shown}", row["lang"], f"bench:{name}", "bench"))
        if number % 50 == 2:
            data[f"person:{name}"] = person(chance)
            text += " " + " , ".join(data[f"person:{name}"].values())
            planted.append(Document(text, row["lang"], f"person:{name}", "bench"))
    return planted, data


def measure(
    planted: list[Document], data: dict[str, dict[str, str]], benchmarks: list[str]
) -> dict[str, Any]:
    """Recall and precision of each kind."""
    rules = Decontamination(benchmarks=tuple(benchmarks))
    searched = index_benchmarks(benchmark_files(benchmarks), rules)
    settings = make(CorpusSettings, {"inputs": [{"path": "-"}], "language": {"lines": False}})
    setup = Setup(settings, searched)
    texts: dict[str, tuple[str, str]] = {}
    signed, flagged = [], list[str]()
    for start in range(0, len(planted), BATCH):
        batch = planted[start : start + BATCH]
        flags = searched.found(hash_tokens([document.text for document in batch]))
        flagged += [one.id for one, flag in zip(batch, flags, strict=True) if flag]
        done = prepare(batch, setup)
        rows = [json.loads(line + b"}") for line in done.lines]
        texts |= {row["id"]: (row["text"], row["lang"]) for row in rows}
        signed.append(done.signatures)
    names = list(texts)
    numbers = {
        lang: number for number, lang in enumerate(sorted({lang for _, lang in texts.values()}))
    }
    groups = np.array([numbers[lang] for _, lang in texts.values()])
    pairs = similar(np.concatenate(signed), groups, NEAR)
    found = {frozenset((names[a], names[b])) for a, b in pairs.tolist()}
    linked = {name for pair in found for name in pair}
    copies = [document.id for document in planted if document.id.startswith("near:")]
    copies = [name for name in copies if name in texts]
    bench = [document.id for document in planted if document.id.startswith("bench:")]
    hits = [name for name in flagged if name.startswith("bench:")]
    sample = random.Random(0).sample(sorted(map(sorted, found)), min(2000, len(found)))
    exact = np.array([jaccard(texts[a][0], texts[b][0]) for a, b in sample])
    left = Counter(
        rule
        for name, values in data.items()
        if name in texts
        for rule, value in values.items()
        if value in texts[name][0]
    )
    scrubbed = sum(name in texts for name in data)
    return {
        "near_duplicates": {
            "planted": len(copies),
            "recall": round(sum(name in linked for name in copies) / max(1, len(copies)), 4),
            "pairs": len(found),
            "precision": round(float((exact >= NEAR.similarity).mean()), 4),
            "precision_within_0.1": round(float((exact >= NEAR.similarity - 0.1).mean()), 4),
        },
        "benchmark_sentences": {
            "planted": len(bench),
            "recall": round(len(hits) / max(1, len(bench)), 4),
            "precision": round(len(hits) / max(1, len(flagged)), 4),
            "documents_found": len(flagged),
        },
        "personal_data": {
            "planted": scrubbed * 5,
            "recall": round(1 - left.total() / max(1, scrubbed * 5), 4),
            "left": dict(left),
        },
    }


def main() -> None:
    """Plant, measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--data", nargs="*", default=[], help="files of documents; else phrasebook")
    parser.add_argument("--benchmarks", nargs="*", default=[], help="files or folders")
    parser.add_argument("--documents", type=int, default=3000)
    given = parser.parse_args()
    benchmarks = given.benchmarks or [str(file) for file in question_files()]
    tokens = [text for file in benchmark_files(benchmarks) for text in benchmark_texts(file)]
    sentences = [text for text in tokens if 60 <= len(text) <= 400]
    rows = list(documents(given.data, given.documents))
    planted, data = plant(rows, sentences, random.Random(0))
    document = {
        "name": "planted",
        "documents": len(rows),
        "languages": len({row["lang"] for row in rows}),
        "quality": measure(planted, data, benchmarks),
    }
    print(json.dumps(document, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
