"""Train a vocabulary on text of many languages, balanced between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from interlingua.base.config import Config
from interlingua.base.errors import ConfigError
from interlingua.base.files import (
    atomic_folder,
    refuse_others,
    write_json,
    write_manifest,
    write_text,
)
from interlingua.base.optional import require
from interlingua.base.progress import say, track
from interlingua.corpus.sampling import by_temperature, by_unimax, draw
from interlingua.vocab.document import tokenizer_config
from interlingua.vocab.sentencepiece_model import (
    MAX_SENTENCE_BYTES,
    Kind,
    Normalization,
    Trained,
    agreement,
    train_model,
)

if TYPE_CHECKING:
    from interlingua.corpus.texts import Texts

TOKENIZER, TOKENIZER_CONFIG, MODEL = "tokenizer.json", "tokenizer_config.json", "tokenizer.model"
REPORT = "vocab.json"
_COMPARED = 2000


class VocabSettings(Config):
    """What vocabulary to train, and on how much text of each language."""

    size: int = Field(default=32_000, ge=16, le=1_000_000)
    """Pieces, special ones and bytes included."""
    kind: Kind = "unigram"
    """``unigram`` or ``bpe``."""
    byte_fallback: bool = True
    """Whether to have a piece for each byte, so that nothing is unknown."""
    coverage: float = Field(default=0.9995, gt=0, le=1)
    """Share of the characters' occurrences that get pieces of their own."""
    normalization: Normalization = "nmt_nfkc"
    """``nmt_nfkc``: NFKC, white space made plain; ``identity``: text as it is."""
    temperature: float = Field(default=0.5, ge=0, le=1)
    """Exponent on the languages' shares: 1 as they are, 0 all equal."""
    unimax: float | None = Field(default=None, gt=0)
    """Instead of the exponent: the same for all languages, no text taken more often than this."""
    sample_bytes: int = Field(default=50_000_000, ge=1_000)
    """Bytes of text to train on at most; they are held in memory."""
    max_length: int = Field(default=512, ge=2)
    """Tokens of a text that ``tokenizer_config.json`` allows."""
    seed: int = Field(default=0, ge=0)
    """Seed of the sample."""

    @model_validator(mode="after")
    def _bytes_fit(self) -> VocabSettings:
        if self.byte_fallback and self.size < 300:
            raise ValueError("256 bytes and the special tokens need a size of 300 at least")
        return self


@dataclass(frozen=True, slots=True)
class VocabReport:
    """What was trained, on what.

    Attributes:
        size: Pieces.
        languages: By tag: ``bytes`` there were, ``sampled`` bytes, ``passes`` over its texts.
        compared: Texts cut up by ``tokenizer.json`` and by SentencePiece.
        agreed: Those of them cut up alike.
    """

    size: int
    languages: dict[str, dict[str, float]]
    compared: int
    agreed: int


def train_vocabulary(texts: Texts, settings: VocabSettings, *, out: str | Path) -> VocabReport:
    """Train a vocabulary and write its folder; the same texts give the same bytes.

    The texts are read twice: once to learn how much there is of each language, once to draw.

    Args:
        texts: The texts.
        settings: What to train.
        out: The folder to make: ``tokenizer.json``, ``tokenizer_config.json``, SentencePiece's
            ``tokenizer.model``, ``vocab.json`` (the report) and a manifest.

    Raises:
        DataError: A text cannot be read, or there is none.
        ConfigError: The text cannot give a vocabulary of this size.
        MissingExtraError: A package is missing.
    """
    refuse_others(Path(out), mark=REPORT)
    sizes: Counter[str] = Counter()
    with track("Reading", unit="texts") as bar:
        for text in texts:
            sizes[text.lang] += len(text.text.encode())
            bar.advance()
    passes = _passes(sizes, settings)
    sampled: Counter[str] = Counter()
    sentences: list[str] = []
    for text in draw(texts, passes, seed=settings.seed):
        sampled[text.lang] += len(text.text.encode())
        sentences += cut(text.text)
    if not sentences:
        raise ConfigError(
            f"a sample of {settings.sample_bytes:,} bytes holds no text",
            remedy="Give a larger --sample-bytes",
        )
    say(f"Training {settings.size} pieces on {sum(sampled.values()):,} bytes")
    trained = train_model(
        sentences,
        kind=settings.kind,
        size=settings.size,
        byte_fallback=settings.byte_fallback,
        coverage=settings.coverage,
        normalization=settings.normalization,
    )
    document = trained.document()
    compared = sentences[:: max(1, len(sentences) // _COMPARED)]
    report = VocabReport(
        size=len(trained.pieces),
        languages={
            lang: {
                "bytes": sizes[lang],
                "sampled": sampled[lang],
                "passes": round(passes[lang], 4),
            }
            for lang in sorted(sizes)
        },
        compared=len(compared),
        agreed=agreement(trained, _loaded(document), compared),
    )
    _write(Path(out), trained, document, settings, report, texts)
    return report


def cut(text: str) -> Iterator[str]:
    """The lines of a text, each cut further where it is longer than a sentence may be."""
    limit = MAX_SENTENCE_BYTES // 4  # characters, none of which is longer than four bytes
    for line in text.splitlines():
        rest = line.replace("\0", " ").strip()
        while len(rest) > limit:
            space = rest.rfind(" ", limit // 2, limit)
            end = limit if space < 0 else space
            yield rest[:end]
            rest = rest[end:].strip()
        if rest:
            yield rest


def _passes(sizes: Counter[str], settings: VocabSettings) -> dict[str, float]:
    if settings.unimax is not None:
        taken = by_unimax(sizes, budget=settings.sample_bytes, epochs=settings.unimax)
    else:
        taken = by_temperature(
            sizes, budget=settings.sample_bytes, temperature=settings.temperature
        )
    return {lang: taken[lang] / sizes[lang] for lang in sizes}


def _loaded(document: dict[str, Any]) -> Any:  # noqa: ANN401 - a tokenizers.Tokenizer
    tokenizers = require("tokenizers", extra="text")
    return tokenizers.Tokenizer.from_str(json.dumps(document, ensure_ascii=False))


def _write(
    out: Path,
    trained: Trained,
    document: dict[str, Any],
    settings: VocabSettings,
    report: VocabReport,
    texts: Texts,
) -> None:
    with atomic_folder(out) as folder:
        write_text(folder / TOKENIZER, json.dumps(document, ensure_ascii=False))
        write_json(folder / TOKENIZER_CONFIG, tokenizer_config(settings.max_length))
        (folder / MODEL).write_bytes(trained.model)
        write_json(
            folder / REPORT,
            {
                "settings": settings.model_dump(mode="json"),
                "size": report.size,
                "languages": report.languages,
                "agreement": {"texts": report.compared, "equal": report.agreed},
                "data": texts.facts(),
                "rejected": len(texts.faults.rejected),
                "version": version("interlingua"),
            },
        )
        if texts.faults.rejected.faults:
            texts.faults.rejected.write(folder / "rejected.jsonl")
        write_manifest(folder)
