"""A model folder with another vocabulary: trimmed to some languages, or extended for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.config import make
from interlingua.base.files import atomic_folder, refuse_others, write_json
from interlingua.models import checks
from interlingua.models.folder import open_model
from interlingua.models.info import ModelInfo
from interlingua.models.save import parent_name, save_model
from interlingua.models.tokenizer import tokenizer_file
from interlingua.vocab.extend import extend_vocabulary
from interlingua.vocab.trim import trim_vocabulary

if TYPE_CHECKING:
    from interlingua.corpus.texts import Texts
    from interlingua.models.folder import ModelFolder
    from interlingua.models.surgery import Initialisation
    from interlingua.vocab.changes import Change
    from interlingua.vocab.vocabulary import Revision

REPORT = "vocab.json"
Report = dict[str, Any]


def trim_model(
    name: str,
    texts: Texts,
    *,
    out: str | Path,
    languages: Sequence[str],
    coverage: float | None = None,
    size: int | None = None,
    tests: Texts | None = None,
    seed: int = 0,
) -> Report:
    """Write a smaller model that keeps only the pieces of the languages one serves.

    A text whose pieces all stay has the same vectors as before, bit for bit in float32.

    Args:
        name: The model: ``starter``, a folder or a hub id.
        texts: Texts of these languages.
        out: The folder to make.
        languages: The languages.
        coverage: Share of the texts' tokens whose piece must stay.
        size: Or: pieces to keep.
        tests: Texts to measure on; else a tenth of the texts is put aside.
        seed: Seed of what is put aside.

    Returns:
        The report, as in ``vocab.json``, with the bytes of both folders.

    Raises:
        UserError: As `trim_vocabulary` and `open_model` say.
        DiskError: The disk refused a write.
    """
    refuse_others(Path(out), mark=REPORT)
    source = open_model(name)
    trimmed = trim_vocabulary(
        source.tokenizer(),
        texts,
        name=name,
        languages=languages,
        coverage=coverage,
        size=size,
        prefixes=tuple(source.info.prefixes.values()),
        tests=tests,
        seed=seed,
    )
    report: Report = {
        "done": "trim",
        "covered": round(trimmed.covered, 6),
        "texts": trimmed.texts,
        "skipped": trimmed.skipped,
    }
    scores = {
        "texts cut up as before": {
            tag: change.unchanged_share for tag, change in trimmed.changes.items()
        }
    }
    return _save(
        Path(out), name, source, trimmed.revision, texts, trimmed.changes, report, scores, seed=seed
    )


def extend_model(
    name: str,
    texts: Texts,
    *,
    out: str | Path,
    lang: str,
    add: int,
    initialisation: Initialisation = "decompose",
    tests: Texts | None = None,
    seed: int = 0,
) -> Report:
    """Write a model with more pieces for a language that its tokenizer cuts too finely.

    Args:
        name: The model: ``starter``, a folder or a hub id.
        texts: Text of the language.
        out: The folder to make.
        lang: Tag of the language.
        add: How many pieces.
        initialisation: How their embeddings begin, see `surgery.new_rows`.
        tests: Texts to measure on, of this language and of others.
        seed: Seed of what is put aside and of random embeddings.

    Returns:
        The report, as in ``vocab.json``, with the bytes of both folders.

    Raises:
        UserError: As `extend_vocabulary` and `open_model` say.
        DiskError: The disk refused a write.
    """
    refuse_others(Path(out), mark=REPORT)
    source = open_model(name)
    tokenizer = source.tokenizer()
    extended = extend_vocabulary(
        tokenizer, texts, name=name, lang=lang, add=add, tests=tests, seed=seed
    )
    report: Report = {
        "done": "extend",
        "lang": lang,
        "init": initialisation,
        "shift": round(extended.shift, 4),
        "overlap": extended.overlap,
        "sentences": extended.sentences,
        "skipped": extended.skipped,
    }
    scores = {
        f"tokens per word {when}": {
            tag: change.fertility()[i] for tag, change in extended.changes.items()
        }
        for i, when in enumerate(("before", "after"))
    }
    return _save(
        Path(out),
        name,
        source,
        extended.revision,
        texts,
        extended.changes,
        report,
        scores,
        parts=extended.parts,
        initialisation=initialisation,
        seed=seed,
    )


def _save(  # noqa: PLR0913 - what both verbs have in common
    out: Path,
    name: str,
    source: ModelFolder,
    revision: Revision,
    texts: Texts,
    changes: Mapping[str, Change],
    report: Report,
    scores: Mapping[str, Any],
    *,
    parts: Sequence[Sequence[int]] = (),
    initialisation: Initialisation = "decompose",
    seed: int,
) -> Report:
    """Write the model with a revised vocabulary, its head with it if it has one.

    Scores of the parent are not kept: they were measured with another tokenizer.
    """
    from interlingua.models.surgery import load_whole, revise

    model = load_whole(source)
    revise(model, revision, parts=parts, initialisation=initialisation, seed=seed)
    separator = source.info.separator
    info = make(
        ModelInfo,
        {
            **source.info.model_dump(),
            "separator": None if separator is None else revision.moved()[separator],
            "parent": parent_name(name, source),
            "scores": dict(scores),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": "",
            "seed": seed,
        },
    )
    report |= {
        "pieces": {
            "before": source.tokenizer().get_vocab_size(),
            "after": len(revision.vocabulary),
        },
        "rejected": len(texts.faults.rejected),
        "languages": {tag: change.record() for tag, change in changes.items()},
        "data": texts.facts(),
    }
    with atomic_folder(out) as folder:
        write_json(folder / REPORT, report)
        if texts.faults.rejected.faults:
            texts.faults.rejected.write(folder / "rejected.jsonl")
        save_model(
            folder,
            encoder=model,
            source=source,
            info=info,
            head=source.head(),
            tokenizer=revision.vocabulary.tokenizer(),
        )
    sizes = {"before": _bytes(source.path), "after": _bytes(out)}
    return {**report, "out": str(out), "bytes": sizes}


def _bytes(folder: Path) -> int:
    """Bytes of a folder's weights and tokenizer."""
    files = [*checks.weight_files(folder), tokenizer_file(folder)]
    return sum(file.stat().st_size for file in files)
