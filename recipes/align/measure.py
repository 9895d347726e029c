"""A model before and after alignment: Tatoeba, BUCC, topics, and what the run itself held out.

    python recipes/align/measure.py --model runs/align/model --data-dir DATA --out runs/measure

Runs the suites `tatoeba` and `bucc2018` with both models and teaches both topics with the English
rows of SIB-200 (a probe), which it tests in all languages that are there. What has been measured is
not measured again: every model has a folder of its own, named by its fingerprint. The result is one
page, ``measure.md``, and ``measure.json``.

Languages are low-resource that have less than 1 GiB of text in CC-100, or none, as the shipped
table of languages has it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import UserError
from interlingua.base.files import write_json, write_text
from interlingua.base.progress import set_quiet
from interlingua.evaluation.bootstrap import mean_with_interval
from interlingua.evaluation.evaluate import Run, benchmark
from interlingua.evaluation.scorecard import PREDICTIONS, SCORECARD, read
from interlingua.languages import parse
from interlingua.models.folder import open_model
from interlingua.tasks.datasets import DATASETS, find_files
from interlingua.training.finetune import finetune

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from interlingua.evaluation.records import Scorecard

SUITES = ("tatoeba", "bucc2018", "sib200")
DIRECTIONS = {"foreign_to_english": "right_back", "english_to_foreign": "right"}
"""Directions of Tatoeba, and what predictions call a hit."""
WORSE = 0.02
"""A language that lost more than this is counted."""


@dataclass(frozen=True, slots=True)
class Side:
    """One model, and where its figures are.

    Attributes:
        name: As it was given.
        folder: Where its figures are written.
    """

    name: str
    folder: Path

    @classmethod
    def of(cls, name: str, out: Path) -> Side:
        """A model by its name."""
        return cls(name, out / open_model(name).fingerprint[:12])

    def card(self, suite: str, data_dirs: Sequence[Path], seed: int) -> Scorecard:
        """Its scorecard of a suite, made unless it is there."""
        out = self.folder / suite
        if not (out / SCORECARD).is_file():
            model = self.name
            if suite == "sib200":
                model = str(self._taught(data_dirs, seed))
            benchmark(suite, model=model, data_dir=data_dirs, out=out, run=Run(seed=seed))
        return read(out)

    def _taught(self, data_dirs: Sequence[Path], seed: int) -> Path:
        """A probe for topics, taught in English."""
        target = self.folder / "topics"
        if not (target / "config.json").is_file():
            files = {
                file.split: file.path
                for file in find_files(DATASETS.get("sib200"), data_dirs)
                if file.lang == "eng_Latn"
            }
            finetune(
                task="topic",
                train=files["train"],
                validation=[files["dev"]],
                model=self.name,
                out=target,
                lang="eng_Latn",
                seed=seed,
            )
        return target

    def hits(self, direction: str) -> dict[str, NDArray[np.float64]]:
        """Tatoeba's hits of one direction, by language."""
        found: dict[str, list[float]] = {}
        lines = (self.folder / "tatoeba" / PREDICTIONS).read_text(encoding="utf-8").splitlines()
        for row in map(json.loads, lines):
            found.setdefault(row["lang"], []).append(float(row[DIRECTIONS[direction]]))
        return {lang: np.array(values) for lang, values in found.items()}

    def held_out(self) -> dict[str, dict[str, float]]:
        """What a run of ``align`` tells of its held-out pairs, before and after; {} of others."""
        scores = open_model(self.name).info.scores
        names = {"before": "retrieval_accuracy_before", "after": "retrieval_accuracy"}
        return {name: dict(scores[key]) for name, key in names.items() if key in scores}


def low(tags: Iterable[str]) -> list[str]:
    """Those of some languages that are low-resource."""
    return [tag for tag in tags if parse(tag).low_resource]


def compared(
    before: Mapping[str, NDArray[np.float64]],
    after: Mapping[str, NDArray[np.float64]],
    languages: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """Means over languages and their difference on the same sentences, with intervals."""
    sides = {
        "before": [before[lang] for lang in languages],
        "after": [after[lang] for lang in languages],
        "difference": [after[lang] - before[lang] for lang in languages],
    }
    found = {}
    for name, groups in sides.items():
        mean, ends = mean_with_interval(groups, seed=seed)
        found[name] = {"value": round(mean, 4), "interval": [round(end, 4) for end in ends]}
    return {"languages": len(languages), **found}


def tatoeba(before: Side, after: Side, seed: int) -> dict[str, Any]:
    """Every language and the means, in both directions."""
    found: dict[str, Any] = {}
    for direction in DIRECTIONS:
        old, new = before.hits(direction), after.hits(direction)
        languages = sorted(old.keys() & new.keys())
        rows = {
            lang: {
                "before": round(float(old[lang].mean()), 4),
                "after": round(float(new[lang].mean()), 4),
                "difference": round(float((new[lang] - old[lang]).mean()), 4),
            }
            for lang in languages
        }
        of = {"all": languages, "low_resource": low(languages)}
        found[direction] = {
            **{name: compared(old, new, some, seed) for name, some in of.items() if some},
            "worse": [lang for lang, row in rows.items() if row["difference"] < -WORSE],
            "per_language": rows,
        }
    return found


def of_run(after: Side) -> dict[str, Any]:
    """Held-out pairs of the run: means over directions, and how many are worse."""
    told = after.held_out()
    if len(told) < 2:
        return {}
    directions = sorted(told["before"].keys() & told["after"].keys() - {"mean"})
    poor = [name for name in directions if low(name.split("-"))]
    return {
        **{
            name: {
                "directions": len(some),
                **{side: round(fmean(told[side][one] for one in some), 4) for side in told},
            }
            for name, some in {"all": directions, "low_resource": poor}.items()
            if some
        },
        "worse": [one for one in directions if told["after"][one] - told["before"][one] < -WORSE],
    }


def of_cards(before: Scorecard, after: Scorecard, figure: str) -> dict[str, Any]:
    """One figure of two summaries, with its intervals."""
    found = {}
    for name, card in (("before", before), ("after", after)):
        value, ends = getattr(card.summary, figure), getattr(card.summary_ci, figure)
        if value is None:
            return {}
        found[name] = {"value": round(value, 4), "interval": [round(end, 4) for end in ends]}
    return found


def page(document: Mapping[str, Any]) -> str:
    """All of it in Markdown."""
    lines = [f"# {document['before']} and {document['after']}", ""]
    lines += ["| figure | before | after | difference |", "|---|---:|---:|---:|"]
    for direction, of in document["tatoeba"].items():
        for group in ("all", "low_resource"):
            if group in of:
                row = of[group]
                name = f"Tatoeba, {direction.replace('_', ' ')}, {row['languages']} languages"
                name += " (low-resource)" if group != "all" else ""
                cells = [told(row[side]) for side in ("before", "after", "difference")]
                lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, row in document["summaries"].items():
        if row:
            lines.append(f"| {name} | {told(row['before'])} | {told(row['after'])} | |")
    for group in ("all", "low_resource"):
        if group in document["held_out"]:
            row = document["held_out"][group]
            name = f"held-out pairs of the run, {row['directions']} directions"
            name += " (a low-resource language)" if group != "all" else ""
            gain = row["after"] - row["before"]
            lines.append(f"| {name} | {row['before']:.3f} | {row['after']:.3f} | {gain:+.3f} |")
    lines.append("")
    for direction, of in document["tatoeba"].items():
        count = f"{len(of['worse'])} of {len(of['per_language'])} languages"
        names = f": {', '.join(of['worse'])}" if of["worse"] else ""
        lines.append(f"Worse by more than {WORSE}, {direction.replace('_', ' ')}: {count}{names}.")
    lines += ["", "| Tatoeba | to English, before | after | from English, before | after |"]
    lines.append("|---|---:|---:|---:|---:|")
    first, second = (document["tatoeba"][name]["per_language"] for name in DIRECTIONS)
    for lang in first:
        mark = " (low-resource)" if low([lang]) else ""
        cells = [f"{of[lang][side]:.3f}" for of in (first, second) for side in ("before", "after")]
        lines.append(f"| {parse(lang).name}{mark} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def told(figure: Mapping[str, Any]) -> str:
    """A figure with its interval."""
    ends = figure["interval"]
    return f"{figure['value']:.3f} ({ends[0]:.3f} to {ends[1]:.3f})"


def main() -> None:
    """Measure what was not measured yet, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="the model after")
    parser.add_argument("--against", default="starter", help="the model before")
    parser.add_argument("--data-dir", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the document, nothing else")
    given = parser.parse_args()
    set_quiet(given.json)
    before, after = (Side.of(name, given.out) for name in (given.against, given.model))
    if before.folder == after.folder:
        raise UserError(f"{given.against} and {given.model} are the same model")
    cards = {
        suite: [side.card(suite, given.data_dir, given.seed) for side in (before, after)]
        for suite in SUITES
    }
    topics = {"SIB-200, English": "source", "others": "zero_shot_mean"}
    topics |= {"low-resource": "low_resource_mean"}
    document = {
        "before": given.against,
        "after": given.model,
        "tatoeba": tatoeba(before, after, given.seed),
        "held_out": of_run(after),
        "summaries": {
            "BUCC 2018, F1": of_cards(*cards["bucc2018"], "zero_shot_mean"),
            **{
                f"topics by a probe: {name}": of_cards(*cards["sib200"], figure)
                for name, figure in topics.items()
            },
        },
        "seed": given.seed,
    }
    write_json(given.out / "measure.json", document)
    write_text(given.out / "measure.md", page(document))
    print(json.dumps(document, indent=2) if given.json else page(document))


if __name__ == "__main__":
    main()
