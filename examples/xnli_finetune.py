"""Teach natural-language inference in English and test it in every language of XNLI.

    python examples/xnli_finetune.py --train mnli/en.train.jsonl --data-dir xnli --out runs/nli

`--model starter` works offline; `--model FacebookAI/xlm-roberta-base` fetches that model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import interlingua


def main() -> None:
    """Teach, test and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="rows with premise, hypothesis and label")
    parser.add_argument("--data-dir", required=True, help="folder with XNLI's files")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--out", type=Path, default=Path("runs/nli"))
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()

    taught = interlingua.finetune(
        task="nli",
        train=given.train,
        model=given.model,
        out=given.out,
        settings={"training.full.epochs": given.epochs},
    )
    print(f"validation: {taught.info.scores['validation']['score']:.3f}")

    card = interlingua.benchmark(
        "xnli", model=given.out, data_dir=given.data_dir, out=f"{given.out}-card"
    )
    for tag, language in card.per_language.items():
        print(f"{tag}: {language.score:.3f} ({language.ci[0]:.3f} to {language.ci[1]:.3f})")

    (answer,) = interlingua.Classifier(given.out).predict(
        ["Der Zug hat zwei Stunden Verspätung."], ["Der Zug ist pünktlich."]
    )
    print(answer.label, answer.scores)


if __name__ == "__main__":
    main()
