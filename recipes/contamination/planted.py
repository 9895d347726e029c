"""Recall and precision of ``corpus contamination`` on translations that were planted.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from interlingua.base.files import write_json
from interlingua.corpus.rows import read_table
from interlingua.corpus.writing import write_rows
from interlingua.retrieval.contamination import DROP, PAIRS, RATE, find_contamination


def main() -> None:
    """Plant, search, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="holds sib200 and ntrex")
    parser.add_argument("--languages", nargs="+", default=["fra_Latn"])
    parser.add_argument("--planted", type=int, default=204, help="rows planted, at most 204")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--out", type=Path, required=True, help="figures as JSON")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = [
            measure(lang, given.data_dir, Path(folder) / lang, given) for lang in given.languages
        ]
    write_json(given.out, found)
    print(json.dumps(found, indent=2))


def measure(lang: str, data: Path, work: Path, given: argparse.Namespace) -> dict[str, object]:
    """What is found of the English test rows planted in ``lang`` among news of that language."""
    work.mkdir()
    news = data / "ntrex" / f"newstest2019.{lang[:3]}.txt"
    innocent = [
        {"id": f"news-{i}", "lang": lang, "text": line}
        for i, line in enumerate(news.read_text(encoding="utf-8").splitlines())
    ]
    rows = list(read_table(data / "sib200" / lang / "test.tsv"))[: given.planted]
    planted = [
        {"id": f"planted-{row.values['index_id']}", "lang": lang, "text": row.values["text"]}
        for row in rows
    ]
    write_rows(work / "train.jsonl", innocent + planted)
    report = find_contamination(
        [str(work / "train.jsonl")],
        [str(data / "sib200" / "eng_Latn" / "test.tsv")],
        work / "found",
        model=given.model,
        rate=given.rate,
    )
    told = {row.values["id"] for row in read_table(work / "found" / DROP)}
    pairs = [row.values for row in read_table(work / "found" / PAIRS)]
    right = {row["id"] for row in pairs if row["id"] == f"planted-{row['benchmark_id']}"}
    hits = sum(name.startswith("planted-") for name in told)
    return {
        "language": lang,
        "innocent": len(innocent),
        "planted": len(planted),
        "recall": hits / len(planted),
        "precision": hits / max(len(told), 1),
        "with_the_right_item": len(right) / max(hits, 1),
        "false": len(told) - hits,
        "expected_false": report.expected_false,
        "threshold": report.groups[0].threshold,
    }


if __name__ == "__main__":
    main()
