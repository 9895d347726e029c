"""Divide PAWS-X's development rows by sentence: three quarters to learn from, one to be tested on.

The lines of all languages are parallel, so a line goes to one side in every language, and lines
that share an English sentence go together: no test row is a translation of a training row.

    python recipes/pawsx/split.py --data-dir DATA/pawsx --out runs/pawsx-data
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from interlingua.base.files import write_text
from interlingua.base.seeding import generator
from interlingua.tasks.datasets import DATASETS, choose_files, find_files
from interlingua.tasks.examples import read_examples
from interlingua.tasks.record import TASKS
from interlingua.tasks.texts import TextExample
from interlingua.training.split import folds, groups

PARTS = 4


def main() -> None:
    """Write ``train.eng_Latn.jsonl`` and one test file a language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    task = TASKS.get("paraphrase")
    files = choose_files(find_files(DATASETS.get("pawsx"), given.data_dir), split="dev")
    rows = {file.lang: read_examples([file.path], task, lang=file.lang).rows for file in files}
    english = rows["eng_Latn"]
    group = groups([row.text for row in english], [str(row.pair) for row in english])
    labels = [int(str(row.label)) for row in english]
    part = folds(group, labels, count=PARTS, rng=generator(given.seed, "pawsx"))
    tested = {row.id for row, number in zip(english, part, strict=True) if number == 0}
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out / "train.eng_Latn.jsonl", [row for row in english if row.id not in tested])
    for lang, found in rows.items():
        write(given.out / f"test.{lang}.jsonl", [row for row in found if row.id in tested])


def write(path: Path, rows: list[TextExample]) -> None:
    """Write rows as a table of pairs."""
    lines = [
        json.dumps(
            {"id": row.id, "text": row.text, "text_pair": row.pair, "label": row.label},
            ensure_ascii=False,
        )
        for row in rows
    ]
    write_text(path, "".join(line + "\n" for line in lines))
    print(f"{path}: {len(rows)} rows")


if __name__ == "__main__":
    main()
