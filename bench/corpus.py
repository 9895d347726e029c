"""Building a corpus: ours against a datatrove pipeline of the same decisions, taking turns.

    python bench/corpus.py --json
    python bench/corpus.py --data corpus/debian/documents/*.jsonl.zst --documents 10000 --json

Both read the same JSON lines and repair, normalise, identify (py3langid, documents and lines),
search for benchmark texts, filter, replace personal data, remove equal texts and near-duplicates
(runs of five tokens, as many bands and rows) and write JSON lines. The peer is built of datatrove's
own readers, writers, FTFY and PII formatters and its four MinHash stages; what it has no step for
is a filter of a few lines over the same libraries, one document at a time, as its filters are. Its
word tokenizers want spaCy, so that the cheaper regular expression of ours stands in. It is given
the quality thresholds that ours has to find out. Each runs in a process of its own on one core.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.config import make
from interlingua.corpus.phrasebook import question_files, test_files
from interlingua.corpus.pipeline.recipe import CorpusRecipe
from interlingua.corpus.rows import read_table
from interlingua.inference.hardware import processor

if TYPE_CHECKING:
    from collections.abc import Iterator

SENTENCES = 6  # of a document made of the phrasebook


def documents(patterns: list[str], count: int) -> Iterator[dict[str, Any]]:
    """Documents of files, as many of each, or made of the phrasebook's sentences."""
    if patterns:
        each = max(1, count // len(patterns))
        for name in patterns:
            for number, row in enumerate(read_table(name)):
                if number == each:
                    break
                lang = str(row.values.get("lang") or "und")
                yield {
                    "id": f"{Path(name).name}/{number}",
                    "text": row.values["text"],
                    "lang": lang,
                }
        return
    chance = np.random.default_rng(0)
    sentences = {
        file.name.split(".")[1]: [str(row.values["text"]) for row in read_table(file)]
        for file in test_files()
    }
    for number in range(count):
        lang = sorted(sentences)[number % len(sentences)]
        chosen = chance.choice(sentences[lang], SENTENCES, replace=False)
        text = "\n\n".join(" ".join(chosen[i : i + 3]) for i in range(0, SENTENCES, 3))
        if number % 50 == 0:
            text += f" Mail: user{number}@mail.example.org, 8.8.8.8"
        yield {"id": str(number), "text": text, "lang": lang}


def recipe(place: Path) -> CorpusRecipe:
    """Our side's settings, from which the peer's are taken."""
    corpus = {
        "inputs": [{"path": str(place / "in.jsonl")}],
        "decontamination": {"benchmarks": [str(file) for file in question_files()]},
        "quality": {"min_documents": 500},
        "near_duplicates": {"similarity": 0.01},  # datatrove does not check what a band brings up
        "split": {"validation": 0},
    }
    return make(CorpusRecipe, {"corpus": corpus})


def ours(place: Path) -> dict[str, Any]:
    """Build with this package; seconds and what was kept."""
    from interlingua.corpus.decontaminate import Searched
    from interlingua.corpus.pipeline.prepare import Setup, prepare
    from interlingua.corpus.pipeline.run import build_corpus
    from interlingua.corpus.records import Document

    settings = recipe(place)
    prepare([Document("Ein Satz – “so”.", "und", "1", "x")], Setup(settings.corpus, Searched({})))
    card, seconds, cpu = _timed(lambda: build_corpus(settings, out=place / "ours"))
    (place / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
    return {"seconds": seconds, "cpu": cpu, "kept": _kept(place / "ours" / "shards")}


def theirs(place: Path) -> dict[str, Any]:
    """Build with datatrove; seconds and what was kept."""
    from loguru import logger

    logger.remove()
    logging.disable(logging.WARNING)
    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    from datatrove_corpus import pipelines, run

    card = json.loads((place / "card.json").read_text(encoding="utf-8"))
    made = pipelines(place, recipe(place).corpus, card)
    _, seconds, cpu = _timed(lambda: run(made, place / "logs"))
    return {"seconds": seconds, "cpu": cpu, "kept": _kept(place / "theirs")}


def _timed(call: Any) -> tuple[Any, float, float]:  # noqa: ANN401 - any function
    started, used = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - started, time.process_time() - used


def _kept(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.jsonl*"))
    return sorted(str(row.values["id"]) for file in files for row in read_table(file))


def child(who: str, place: Path) -> None:
    """One build on one core, told as JSON."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    done = ours(place) if who == "ours" else theirs(place)
    # Not getrusage: its maximum is inherited from the parent process.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    done["peak_mb"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps(done))


def build(who: str, place: Path) -> dict[str, Any]:
    """Run one side in a process of its own."""
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, "--child", who, "--place", str(place)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--data", nargs="*", default=[], help="files of documents; else phrasebook")
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--place", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, Path(given.place))
        return
    rounds: dict[str, list[dict[str, Any]]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder:
        lines = [json.dumps(row) + "\n" for row in documents(given.data, given.documents)]
        for number in range(given.pairs):
            place = Path(folder) / str(number)
            place.mkdir()
            (place / "in.jsonl").write_text("".join(lines), encoding="utf-8")
            for who, done in rounds.items():
                done.append(build(who, place))
    print(json.dumps(report(len(lines), rounds), indent=None if given.json else 2))


def report(count: int, rounds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The document of the measurements."""
    mine, peer = rounds["ours"], rounds["theirs"]
    kept, other = set(mine[0]["kept"]), set(peer[0]["kept"])

    def ratio(name: str) -> float:
        return round(median(b[name] / a[name] for a, b in zip(mine, peer, strict=True)), 2)

    return {
        "name": "corpus",
        "unit": "documents/s/core",
        "peer": "datatrove",
        "peer_version": metadata.version("datatrove"),
        "ours": round(count / median(one["seconds"] for one in mine), 1),
        "theirs": round(count / median(one["seconds"] for one in peer), 1),
        "ratio": ratio("seconds"),
        "ratio_tuned": None,
        "ratio_cpu": ratio("cpu"),
        "fraction_of_limit": None,
        "peak_mb": {
            who: round(max(one["peak_mb"] for one in done)) for who, done in rounds.items()
        },
        "quality": {
            "documents": count,
            "kept_ours": len(kept),
            "kept_theirs": len(other),
            # Of a cluster each keeps one, not always the same.
            "same_fate": round(1 - len(kept ^ other) / count, 4),
            "ok": abs(len(kept) - len(other)) <= 0.01 * count,
        },
        "pairs": len(mine),
        "machine": processor(),
    }


if __name__ == "__main__":
    main()
