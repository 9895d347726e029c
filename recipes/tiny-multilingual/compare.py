r"""Stages 4 and 5: both models for some seeds, and what each finds in the pools.

    python recipes/tiny-multilingual/compare.py --work runs/tiny --seeds 0 1 2

A run that was stopped goes on where it stood, one that is finished is left as it is, so that the
same command can be given again. Writes ``5-retrieval.json`` and prints a table: for each language
pair the share found by either model, mean over seeds, and the difference, with intervals that
resample the texts of the pool, the same for both models and all seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from retrieve import Found, find, told

from interlingua.base.config import make, put, read_recipe
from interlingua.base.files import write_json
from interlingua.training.corpus_run import WORK
from interlingua.training.pretrain import pretrain
from interlingua.training.pretrain_settings import PretrainRecipe
from interlingua.training.run_log import read_log

HERE = Path(__file__).parent
ARMS = ("mlm", "tlm")


def trained(arm: str, seed: int, given: argparse.Namespace) -> Path:
    """The model of an arm and a seed; trained unless it is there."""
    out: Path = given.work / f"4-{arm}-{seed}"
    if (out / "config.json").is_file() and not (out / WORK).exists():
        return out
    document = read_recipe(HERE / f"4-{arm}.yaml", given.set)
    put(document, "training.seed", seed)
    pretrain(make(PretrainRecipe, document), out=out, resume=(out / WORK).exists())
    return out


def facts(out: Path, found: Found) -> dict[str, Any]:
    """What is told of one run."""
    last = read_log(out / "logs" / "train.jsonl")[-1]
    return {
        "tokens": last["tokens_seen"],
        "minutes": round(last["seconds"] / 60, 2),
        "bits_per_byte": {name: last[name] for name in ARMS if name in last},
        "layer": found.layer,
        "by_layer": found.by_layer,
        "found": {name: round(float(of.mean()), 4) for name, of in found.hits.items()},
    }


def report(found: dict[str, list[Found]]) -> dict[str, dict[str, Any]]:
    """By language pair: both arms and their difference, mean over seeds, with intervals."""
    table: dict[str, dict[str, Any]] = {}
    for name in found[ARMS[0]][0].hits:
        seeds = {arm: np.stack([one.hits[name] for one in found[arm]]) for arm in ARMS}
        columns = {arm: of.mean(axis=0) for arm, of in seeds.items()}
        columns["difference"] = columns["tlm"] - columns["mlm"]
        table[name] = {
            column: dict(zip(("mean", "low", "high"), told(of, name), strict=True))
            for column, of in columns.items()
        }
        wins = seeds["tlm"].mean(axis=1) > seeds["mlm"].mean(axis=1)
        table[name]["seeds_won"] = f"{int(wins.sum())} of {len(wins)}"
    return table


def main() -> None:
    """Train what is missing, measure all, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/tiny"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", action="append", default=[], help="any setting of both recipes")
    given = parser.parse_args()
    runs: dict[str, Any] = {}
    found: dict[str, list[Found]] = {arm: [] for arm in ARMS}
    for seed in given.seeds:
        for arm in ARMS:
            out = trained(arm, seed, given)
            found[arm].append(find(out, given.work / "2-split"))
            runs[out.name] = facts(out, found[arm][-1])
            print(out.name, runs[out.name], flush=True)
    table = report(found)
    write_json(given.work / "5-retrieval.json", {"runs": runs, "retrieval": table})
    for name, columns in table.items():
        told_of = (
            f"{column} {of['mean']:.3f} ({of['low']:.3f} to {of['high']:.3f})"
            for column, of in columns.items()
            if column != "seeds_won"
        )
        print(f"{name}  {'  '.join(told_of)}  TLM ahead in {columns['seeds_won']} seeds")


if __name__ == "__main__":
    main()
