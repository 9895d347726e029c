"""Which objective draws languages together best, on one budget: a run each, and a table.

    python recipes/align/ablation.py --pairs runs/align/pairs.jsonl.zst
        --texts runs/align/debian/documents --out runs/ablation --seeds 0

Every run has as many steps over as many pairs, the same ones, of twenty languages; each objective
comes alone and with a `preserve` step after every four of its own, which the budget counts too. The
columns:

- ``taught``: how often a held-out text finds its translation among others of its language, in
  both directions;
- ``untaught``: the same of the shipped phrasebook, in its languages that no run has pairs of,
  foreign to English;
- ``English``, ``others``: cosine of a text of the phrasebook with its place before, in English and
  in untaught languages;
- ``tatoeba``: with ``--tatoeba DIR``, accuracy foreign to English in Swahili, Tamil, Telugu and
  Georgian, where there is most to gain.

It may be stopped and run again: runs that are done are not done again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from interlingua.base.config import make
from interlingua.base.files import write_json
from interlingua.corpus import phrasebook
from interlingua.corpus.rows import read_table
from interlingua.corpus.writing import write_rows
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model
from interlingua.training.align.run import align
from interlingua.training.align.settings import AlignRecipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ANCHOR = "eng_Latn"
LANGUAGES = (
    *("afr_Latn", "bre_Latn", "cym_Latn", "deu_Latn", "eus_Latn", "fao_Latn", "fra_Latn"),
    *("gle_Latn", "hye_Armn", "isl_Latn", "jpn_Jpan", "kat_Geor", "khm_Khmr", "mar_Deva"),
    *("rus_Cyrl", "tam_Taml", "tgl_Latn", "tur_Latn", "uig_Arab", "zho_Hans"),
)
INFONCE = {"kind": "infonce", "temperature": 0.02}
OBJECTIVES: dict[str, list[dict[str, Any]]] = {
    "infonce": [INFONCE],
    "known": [
        {
            **INFONCE,
            "anchor_negatives": 4096,
            "false_negatives": {"rule": "parent", "value": 0.95},
        }
    ],
    "queue": [{**INFONCE, "queue": 4096}],
    "xcl": [{"kind": "xcl", "temperature": 0.02, "queue": 4096, "layer": 8}],
    "cpc": [{"kind": "cpc", "temperature": 0.02}],
    "infonce and cpc": [{**INFONCE, "weight": 3}, {"kind": "cpc", "temperature": 0.02}],
    "distill": [{"kind": "distill"}],
}
TATOEBA = ("swh", "tam", "tel", "kat")
COLUMNS = ("taught", "untaught", "English", "others")


def small_pairs(given: argparse.Namespace, out: Path) -> Path:
    """The first pairs of each language, as a file of their own, made once."""
    path = out / "pairs.jsonl.zst"

    def rows() -> Iterator[dict[str, Any]]:
        taken: Counter[str] = Counter()
        for row in read_table(given.pairs):
            lang = str(row.values["target_lang"])
            known = row.values["source_lang"] == ANCHOR and lang in LANGUAGES
            if known and taken[lang] < given.of_language:
                taken[lang] += 1
                yield row.values

    if not path.exists():
        write_rows(path, rows())
    return path


def small_texts(given: argparse.Namespace, out: Path) -> Path:
    """The first documents of each language, as a file of their own, made once."""
    path = out / "texts.jsonl.zst"

    def rows() -> Iterator[dict[str, Any]]:
        for file in sorted(given.texts.glob("*.jsonl*")):
            for count, row in enumerate(read_table(file)):
                if count == given.of_language // 4:
                    break
                yield {name: row.values[name] for name in ("text", "lang", "id")}

    if not path.exists():
        write_rows(path, rows())
    return path


def texts_by_language() -> dict[str, list[str]]:
    """The phrasebook's test sentences, parallel in all languages."""
    found = {}
    for file in phrasebook.test_files():
        lines = file.read_text(encoding="utf-8").splitlines()
        found[file.name.split(".")[1]] = [json.loads(line)["text"] for line in lines]
    return {lang: texts for lang, texts in found.items() if lang not in LANGUAGES}


def encoded(model: str) -> dict[str, NDArray[np.float32]]:
    """Unit vectors of the phrasebook's sentences by language."""
    encoder = Encoder(open_model(model), engine="torch")
    return {lang: encoder.encode(texts).vectors for lang, texts in texts_by_language().items()}


def tatoeba(model: str, folder: Path | None) -> dict[str, float]:
    """Mean accuracy over four languages of XTREME's files; nothing without them."""
    if folder is None:
        return {}
    encoder = Encoder(open_model(model), engine="torch")
    found = []
    for code in TATOEBA:
        stem = folder / f"tatoeba.{code}-eng"
        sides = [Path(f"{stem}.{side}").read_text(encoding="utf-8") for side in (code, "eng")]
        foreign, english = (encoder.encode(side.splitlines()).vectors for side in sides)
        found.append(float(((foreign @ english.T).argmax(axis=1) == range(len(foreign))).mean()))
    return {"tatoeba": mean(found)}


def kept(
    after: dict[str, NDArray[np.float32]], before: dict[str, NDArray[np.float32]]
) -> dict[str, float]:
    """The columns that the phrasebook tells."""
    english = after[ANCHOR]
    others = [lang for lang in after if lang != ANCHOR]
    right = range(len(english))
    hits = [((after[lang] @ english.T).argmax(axis=1) == right).mean() for lang in others]
    cosines = {lang: float((after[lang] * before[lang]).sum(axis=1).mean()) for lang in after}
    return {
        "untaught": float(mean(hits)),
        "English": cosines[ANCHOR],
        "others": mean(cosines[lang] for lang in others),
    }


def recipe_of(name: str, *, preserve: bool, files: tuple[Path, Path], seed: int, steps: int) -> Any:  # noqa: ANN401
    """The recipe of a run."""
    objectives = [dict(objective) for objective in OBJECTIVES[name]]
    weight = sum(objective.setdefault("weight", 1) for objective in objectives)
    if preserve:
        objectives.append({"kind": "preserve", "weight": weight / 4})
    texts = [str(files[1])] if any(o["kind"] == "cpc" for o in objectives) else []
    values = {
        "objectives": objectives,
        "data": {"pairs": [str(files[0])], "train": texts, "held_out": 0.03, "validation_rows": 50},
        "training": {
            **{"anchor": ANCHOR, "steps": steps, "seed": seed, "learning_rate": 1e-4},
            **{"max_rows": 64, "token_budget": 8192, "max_length": 64, "sampling": 0.5},
            **{"dropout": 0.0, "validate_every": steps, "checkpoint_steps": steps},
        },
    }
    return make(AlignRecipe, values)


def run(
    given: argparse.Namespace,
    name: str,
    *,
    preserve: bool,
    seed: int,
    files: tuple[Path, Path],
    before: dict[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """One run, or what is written of it."""
    called = f"{name.replace(' ', '-')}{'-preserve' if preserve else ''}-{seed}"
    result = given.out / "results" / f"{called}.json"
    if result.exists():
        return dict(json.loads(result.read_text(encoding="utf-8")))
    started = time.monotonic()
    folder = given.out / called
    recipe = recipe_of(name, preserve=preserve, files=files, seed=seed, steps=given.steps)
    done = align(recipe, out=folder, resume=(folder / "checkpoints").exists())
    scores = done.info.scores
    document = {
        **{"objective": name, "preserve": preserve, "seed": seed, "steps": done.steps},
        "taught_before": scores["retrieval_accuracy_before"]["mean"],
        "taught": scores["retrieval_accuracy"]["mean"],
        **kept(encoded(str(folder)), before),
        **tatoeba(str(folder), given.tatoeba),
        "seconds": round(time.monotonic() - started, 1),
    }
    result.parent.mkdir(exist_ok=True)
    write_json(result, document)
    shutil.rmtree(folder)
    return document


def table(rows: list[dict[str, Any]], start: dict[str, float]) -> str:
    """Means over seeds, with the standard deviation where there are several."""
    columns = [name for name in (*COLUMNS, "tatoeba") if name in start]
    lines = [
        f"| objective | preserve | {' | '.join(columns)} | runs | seconds |",
        f"|---|---|{'---:|' * (len(columns) + 2)}",
        f"| the parent | | {' | '.join(f'{start[name]:.3f}' for name in columns)} | | |",
    ]
    for key in dict.fromkeys((row["objective"], row["preserve"]) for row in rows):
        of = [row for row in rows if (row["objective"], row["preserve"]) == key]
        cells = []
        for name in columns:
            values = [row[name] for row in of]
            spread = f" ±{stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.3f}{spread}")
        seconds = mean(row["seconds"] for row in of)
        told = "yes" if key[1] else "no"
        lines.append(f"| {key[0]} | {told} | {' | '.join(cells)} | {len(of)} | {seconds:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Run all that is not done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help="a file of pairs with English")
    parser.add_argument("--texts", type=Path, required=True, help="a folder of documents, for cpc")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--of-language", type=int, default=2000, help="pairs of a language at most")
    parser.add_argument("--tatoeba", type=Path, help="a folder of XTREME's Tatoeba files")
    parser.add_argument("--only", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    files = small_pairs(given, given.out), small_texts(given, given.out)
    before = encoded("starter")
    parent = {**kept(before, before), **tatoeba("starter", given.tatoeba)}
    rows = []
    for seed in given.seeds:
        for name in given.only:
            for preserve in (False, True):
                rows.append(
                    run(given, name, preserve=preserve, seed=seed, files=files, before=before)
                )
                start = {"taught": rows[0]["taught_before"], **parent}
                (given.out / "table.md").write_text(table(rows, start) + "\n", encoding="utf-8")
    print((given.out / "table.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
