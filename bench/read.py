"""Question answering and tagging: ours against transformers, alternating in one run.

    python bench/read.py --json

Peer: `AutoModelForQuestionAnswering` (or `…ForTokenClassification`) of transformers on the same
folder and the same windows of tokens, float32, batches of 32 in the order of the questions, padded
to the longest of the batch; and the same in bfloat16. Answers are decoded by one function for both.
The windows are of the shipped phrasebook's questions, each asked of several of its passages in a
row, or of XQuAD's with --data-dir. Without --model the starter is taught on the phrasebook by a
probe first. Ours in float32 must give the peer's logits to 1e-3; the engine that `auto` chooses
must give its answers where they win by a margin of 0.01 in probability.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from sides.runner import Runner

from interlingua.corpus.phrasebook import question_files, test_files, train_files
from interlingua.corpus.rows import read_table
from interlingua.inference.engine import Engine
from interlingua.inference.hardware import processor
from interlingua.inference.predict import softmax
from interlingua.inference.windows import window_logits
from interlingua.models.folder import ModelFolder, open_model

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = np.ndarray
PASSAGES = 5
"""Passages of the phrasebook in a row: about as long as one of Wikipedia's."""
MARGIN = 0.01
"""Answers less probable above the next one are not compared: bfloat16 may turn them."""
LEAST_SAME = 0.99


@dataclass(frozen=True, slots=True)
class Work:
    """What both sides are given.

    Attributes:
        folder: The model.
        loader: The peer's class.
        input_ids: Token ids of each window.
        decode: What becomes of the logits of the windows: answers, each with the margin of its
            probability over the next.
        engine: Opens our engine, by ``auto`` or in float32.
    """

    folder: ModelFolder
    loader: str
    input_ids: list[np.ndarray]
    decode: Callable[[list[Floats]], list[Any]]
    engine: Callable[[bool], Engine]


def reading(model: str, data_dir: str, count: int) -> Work:
    """Questions and passages of many languages, mixed, the same in every run."""
    from interlingua.inference.read import ContextReader
    from interlingua.tasks.questions import Questions
    from interlingua.tasks.record import TASKS
    from interlingua.tasks.spans import answers, best_spans

    files = sorted(Path(data_dir).glob("xquad/xquad.*.json")) if data_dir else question_files()
    asked: list[tuple[str, str]] = []
    for file in files:
        rows = Questions.read([file], TASKS.get("qa")).rows
        texts = list(dict.fromkeys(row.context for row in rows))
        size = 1 if data_dir else PASSAGES
        for row in rows:
            place = texts.index(row.context)
            around = [texts[(place + i) % len(texts)] for i in range(size)]
            asked.append((row.question, " ".join(around)))
    order = np.random.default_rng(0).permutation(len(asked))
    chosen = [asked[order[i % len(order)]] for i in range(count)]
    folder = open_model(model)
    reader = ContextReader(folder)
    contexts = [context for _, context in chosen]
    windows = reader.windows([question for question, _ in chosen], contexts)

    def decode(logits: list[Floats]) -> list[Any]:
        found = answers(windows, best_spans(windows, logits), contexts, n_best=2)
        return [
            [[best.start, best.end], best.score - (rest[0].score if rest else 0.0)]
            for (best, *rest) in found
        ]

    def engine(exact: bool) -> Engine:
        return ContextReader(folder, exact=exact).engine()

    return Work(folder, "AutoModelForQuestionAnswering", windows.input_ids, decode, engine)


def tagging(model: str, data_dir: str, count: int) -> Work:
    """Sentences of the phrasebook's languages, cut at white space."""
    from interlingua.batches.words import WordTokenizer
    from interlingua.inference.tag import SentenceTagger

    del data_dir
    files = [*test_files(), *train_files()]
    texts = [str(row.values["text"]).split() for file in files for row in read_table(file)]
    order = np.random.default_rng(0).permutation(len(texts))
    folder = open_model(model)
    words = WordTokenizer(folder.tokenizer(), max_length=folder.info.max_length)
    read = words.windows([texts[order[i % len(order)]] for i in range(count)])

    def decode(logits: list[Floats]) -> list[Any]:
        tags: list[Any] = []
        for window, one in zip(read.windows, logits, strict=True):
            p = softmax(one[window.places])
            best = np.sort(p, axis=1)
            margins = (best[:, -1] - best[:, -2]).tolist()
            tags += [list(pair) for pair in zip(p.argmax(axis=1).tolist(), margins, strict=True)]
        return tags

    def engine(exact: bool) -> Engine:
        return SentenceTagger(folder, exact=exact).engine()

    return Work(folder, "AutoModelForTokenClassification", read.input_ids, decode, engine)


WORKS = {"qa": reading, "tagging": tagging}


def ours(work: Work, *, exact: bool = False) -> Callable[[], list[Floats]]:
    """Our logits of all windows, by the engine that `auto` would choose for a long job."""
    engine = work.engine(exact)
    pad_id = work.folder.pad_id
    return lambda: window_logits(engine, work.input_ids, pad_id=pad_id, exact=exact)


def theirs(work: Work, dtype: str) -> Callable[[], list[Floats]]:
    """The logits of transformers: batches of 32 in order, padded to the longest."""
    import torch
    import transformers

    model: Any = getattr(transformers, work.loader).from_pretrained(
        work.folder.path, dtype=getattr(torch, dtype)
    )
    model.eval()

    def run() -> list[Floats]:
        found: list[Floats] = []
        for start in range(0, len(work.input_ids), 32):
            rows = work.input_ids[start : start + 32]
            length = max(map(len, rows))
            ids = torch.full((len(rows), length), work.folder.pad_id)
            mask = torch.zeros_like(ids)
            for i, row in enumerate(rows):
                ids[i, : len(row)] = torch.from_numpy(row)
                mask[i, : len(row)] = 1
            with torch.inference_mode():
                out = model(input_ids=ids, attention_mask=mask)
            if "start_logits" in out:
                logits = torch.stack([out.start_logits, out.end_logits], dim=-1)
            else:
                logits = out.logits
            found += [
                one[: len(row)] for one, row in zip(logits.float().numpy(), rows, strict=True)
            ]
        return found

    return run


def teach(kind: str, out: Path) -> str:
    """A probe of the starter, taught on the phrasebook."""
    from interlingua.training.finetune import finetune

    if kind == "qa":
        finetune(task="qa", train=question_files(), out=out, strategy="probe")
        return str(out)
    rows = []
    for row in islice(read_table(train_files()[0]), 400):
        words = str(row.values["text"]).split()
        tags = ["PROPN" if word[:1].isupper() else "NOUN" for word in words]
        rows.append(json.dumps({"tokens": words, "tags": tags}) + "\n")
    file = out.with_suffix(".en.jsonl")
    file.write_text("".join(rows), encoding="utf-8")
    finetune(task="pos", train=file, out=out, strategy="probe")
    return str(out)


def child(who: str, work: Work) -> None:
    """Answer the words that the parent sends, one JSON value a line."""
    logits = ours(work) if who == "ours" else theirs(work, who)
    for line in sys.stdin:
        word, _, place = line.strip().partition(" ")
        started = time.perf_counter()
        answer: object = None
        if word == "save":
            found = logits()
            np.savez(place, *found)
            answer = work.decode(found)
        elif word == "exact":
            few = Work(work.folder, work.loader, work.input_ids[:64], work.decode, work.engine)
            np.savez(place, *ours(few, exact=True)())
        elif word == "all":
            work.decode(logits())
            answer = time.perf_counter() - started
        elif word == "peak":
            # Not getrusage: its maximum is inherited from the parent process.
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            answer = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps(answer), flush=True)


def measure(kind: str, model: str, given: argparse.Namespace) -> dict[str, Any]:
    """One kind of work, measured."""
    arguments = ["--kind", kind, "--model", model, "--texts", str(given.texts)]
    arguments += ["--data-dir", given.data_dir] if given.data_dir else []
    runners = {name: Runner(__file__, name, arguments) for name in ("ours", "float32", "bfloat16")}
    rounds: dict[str, list[float]] = {name: [] for name in runners}
    with TemporaryDirectory() as folder:
        found = {name: r.ask(f"save {folder}/{name}.npz") for name, r in runners.items()}
        peak = {name: runner.ask("peak") for name, runner in runners.items()}
        runners["ours"].ask(f"exact {folder}/exact.npz")
        with np.load(f"{folder}/exact.npz") as exact, np.load(f"{folder}/float32.npz") as wanted:
            apart = max(float(np.abs(exact[name] - wanted[name]).max()) for name in exact.files)
    for _ in range(given.pairs):
        for name, runner in runners.items():
            rounds[name].append(runner.ask("all"))
    for runner in runners.values():
        runner.stop()
    pairs = {
        peer: median(b / a for a, b in zip(rounds["ours"], rounds[peer], strict=True))
        for peer in ("float32", "bfloat16")
    }
    clear = [
        (mine, right)
        for (mine, _), (right, margin) in zip(found["ours"], found["float32"], strict=True)
        if margin >= MARGIN
    ]
    same = float(np.mean([mine == right for mine, right in clear]))
    rate = {name: given.texts / median(values) for name, values in rounds.items()}
    work = WORKS[kind](model, given.data_dir, given.texts)
    engine = work.engine(False)
    return {
        "ours": round(rate["ours"], 1),
        "theirs": round(rate["float32"], 1),
        "theirs_bfloat16": round(rate["bfloat16"], 1),
        "ratio": round(pairs["float32"], 2),
        "ratio_tuned": round(pairs["bfloat16"], 2),
        "peak_mb": {"ours": round(peak["ours"]), "theirs": round(peak["float32"])},
        "quality": {
            "same_answers": round(same, 4),
            "with_a_margin": round(len(clear) / len(found["ours"]), 4),
            "float32_largest_difference": round(apart, 6),
            "ok": apart < 1e-3 and same >= LEAST_SAME,
        },
        "engine": f"{engine.name} {engine.precision}",
        "tokens_per_window": round(float(np.mean([len(ids) for ids in work.input_ids])), 1),
    }


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--kind", choices=[*WORKS, "both"], default="both")
    parser.add_argument("--model", default="", help="a model taught the kind; with one --kind")
    parser.add_argument("--data-dir", default="", help="a folder with xquad/")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, WORKS[given.kind](given.model, given.data_dir, given.texts))
        return
    kinds = list(WORKS) if given.kind == "both" else [given.kind]
    found = {}
    with TemporaryDirectory() as folder:
        for kind in kinds:
            model = given.model or teach(kind, Path(folder) / kind)
            found[kind] = measure(kind, model, given)
    first, *others = kinds
    document = {
        "name": "read",
        "unit": "questions/s" if first == "qa" else "sentences/s",
        "peer": "transformers",
        "peer_version": metadata.version("transformers"),
        **found[first],
        **{kind: {"unit": "sentences/s", **found[kind]} for kind in others},
        "machine": processor(),
    }
    print(json.dumps(document, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
