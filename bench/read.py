"""Question answering and tagging: ours against transformers, alternating in one run.

    python bench/read.py --json
    python bench/read.py --kind tagging --data-dir ../shared/data --texts 1024 --json

Peer: `AutoModelForQuestionAnswering` (or `…ForTokenClassification`) of transformers on the same
folder and the same windows of tokens, float32, batches of 32 in the order of the rows, padded to
the longest of the batch; and the same in bfloat16. Answers and tags are decoded by one function for
both. Without --model the starter is taught by a probe first.

- Questions: the shipped phrasebook's, each asked of several of its passages in a row; with
  --data-dir XQuAD's.
- Sentences: the phrasebook's, cut at white space, and a head of two tags taught with capital
  letters; with --data-dir those of PAN-X and of the treebanks of UD, mixed over languages, and
  PAN-X's seven tags, taught with some of its English sentences.

Ours in float32 must give the peer's logits to 1e-3. The engine that `auto` chooses must give the
peer's answers and tags where they win by 0.01 in probability, which is about what bfloat16 moves
it by; `compared` says how many do, `differ_up_to` by how much the most certain one won that is not
the same, and `theirs_bfloat16` how the peer in bfloat16 fares by the same rule.
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
from interlingua.inference.hardware import device, name_of
from interlingua.inference.predict import softmax
from interlingua.inference.windows import window_logits
from interlingua.models.folder import ModelFolder, open_model
from interlingua.tasks.datasets import DATASETS, choose_files, find_files
from interlingua.tasks.record import TASKS
from interlingua.tasks.tagging import TaggedExamples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def sentences_of(data_dir: str) -> list[Sequence[str]]:
    """Sentences of PAN-X and of treebanks in all their languages; else the phrasebook's."""
    if not data_dir:
        files = [*test_files(), *train_files()]
        return [str(row.values["text"]).split() for file in files for row in read_table(file)]
    found: list[Sequence[str]] = []
    for name, task in (("panx", "ner"), ("udpos", "pos")):
        chosen = choose_files(find_files(DATASETS.get(name), data_dir), split="auto")
        found += TaggedExamples.read([file.path for file in chosen], TASKS.get(task)).sentences
    return found


def tagging(model: str, data_dir: str, count: int) -> Work:
    """Sentences of many languages, mixed, the same in every run."""
    from interlingua.inference.tag import SentenceTagger

    texts = sentences_of(data_dir)
    order = np.random.default_rng(0).permutation(len(texts))
    folder = open_model(model)
    read = SentenceTagger(folder).windows([texts[order[i % len(order)]] for i in range(count)])

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


def teach(kind: str, data_dir: str, out: Path) -> str:
    """A probe of the starter, taught on the phrasebook, or on English sentences of PAN-X."""
    from interlingua.training.finetune import finetune

    if kind == "qa":
        finetune(task="qa", train=question_files(), out=out, strategy="probe")
        return str(out)
    if data_dir:
        files = find_files(DATASETS.get("panx"), data_dir)
        train = [file.path for file in files if (file.lang, file.split) == ("eng_Latn", "train")]
        words = {"training.probe.words": 3000}
        finetune(task="ner", train=train, out=out, strategy="probe", settings=words)
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


def agreement(found: list[Any], wanted: list[Any]) -> dict[str, float]:
    """How many answers with a margin are those of the peer in float32.

    Args:
        found: Answers, each with its margin, which is not looked at.
        wanted: Those of the peer, with the margins that count.
    """
    pairs = [
        (mine == right, margin) for (mine, _), (right, margin) in zip(found, wanted, strict=True)
    ]
    clear = [same for same, margin in pairs if margin >= MARGIN]
    return {
        "answers": len(pairs),
        "compared": len(clear),
        "same": round(float(np.mean(clear)), 6),
        "differ_up_to": round(max((margin for same, margin in pairs if not same), default=0.0), 4),
    }


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
    agreed = {name: agreement(found[name], found["float32"]) for name in ("ours", "bfloat16")}
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
            **agreed["ours"],
            "theirs_bfloat16": agreed["bfloat16"],
            "float32_largest_difference": round(apart, 6),
            "ok": apart < 1e-3 and agreed["ours"]["same"] >= LEAST_SAME,
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
    parser.add_argument("--data-dir", default="", help="a folder with xquad/, or panx/ and udpos/")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, WORKS[given.kind](given.model, given.data_dir, given.texts))
        return
    kinds = list(WORKS) if given.kind == "both" else [given.kind]
    found = {}
    with TemporaryDirectory() as folder:
        for kind in kinds:
            model = given.model or teach(kind, given.data_dir, Path(folder) / kind)
            found[kind] = measure(kind, model, given)
    first, *others = kinds
    document = {
        "name": "read",
        "unit": "questions/s" if first == "qa" else "sentences/s",
        "peer": "transformers",
        "peer_version": metadata.version("transformers"),
        **found[first],
        **{kind: {"unit": "sentences/s", **found[kind]} for kind in others},
        "machine": name_of(device()),
    }
    print(json.dumps(document, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
