"""Entities carried over word alignment from a tagged sentence to its translation.

Translate-train for tagging: a sentence with tags and its translation without give a tagged sentence
in the other language (Yarowsky, Ngai and Wicentowski, HLT 2001).

Legend: I words of the source, J of the target.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import DataError
from interlingua.base.files import write_text
from interlingua.corpus.rows import Row, read_table
from interlingua.languages import UND, tag_of
from interlingua.languages.segmentation import word_spans
from interlingua.models.folder import open_model
from interlingua.retrieval.alignment import Link, WordAligner
from interlingua.tasks.record import TASKS
from interlingua.tasks.tagging import OUTSIDE, Entity, TaggedExamples, entities_of, repaired

_WIDEST = 2
"""An entity's translation has at most so many times its words, and two more."""


@dataclass(frozen=True, slots=True)
class Projected:
    """A translation with tags.

    Attributes:
        tags: Of each word of the translation [J].
        carried: Entities that found their place.
        lost: Entities that did not: none of their words has a link, the linked words lie too far
            apart, or another entity has them.
    """

    tags: list[str]
    carried: int
    lost: int


def project_tags(tags: Sequence[str], links: Iterable[Link], count: int) -> Projected:
    """Tags in the scheme BIO for a translation, along the links of its words.

    The words that an entity's are linked to, from the first to the last, become that entity. Of two
    that want the same word the one with more linked words has it.

    Args:
        tags: Tags of the source [I].
        links: Word of the source and word of the target.
        count: Words of the target, J.

    Example:
        >>> project_tags(["B-PER", "I-PER", "O"], {(0, 1), (1, 2), (2, 0)}, 3).tags
        ['O', 'B-PER', 'I-PER']
    """
    entities = entities_of(repaired(tags))
    reached: list[tuple[int, int, int, str]] = []
    by_source: dict[int, set[int]] = {}
    for source, target in links:
        by_source.setdefault(source, set()).add(target)
    for entity in entities:
        targets = {
            target
            for word in range(entity.first, entity.last + 1)
            for target in by_source.get(word, ())
        }
        if targets and _near(entity, targets):
            reached.append((-len(targets), min(targets), max(targets), entity.type))
    found = [OUTSIDE] * count
    carried = 0
    for _, first, last, type_ in sorted(reached):
        if any(tag != OUTSIDE for tag in found[first : last + 1]):
            continue
        found[first : last + 1] = [f"B-{type_}", *[f"I-{type_}"] * (last - first)]
        carried += 1
    return Projected(found, carried, len(entities) - carried)


def _near(entity: Entity, targets: set[int]) -> bool:
    words = entity.last - entity.first + 1
    return max(targets) - min(targets) + 1 <= _WIDEST * words + 2


def project(
    aligner: WordAligner,
    sources: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
) -> list[Projected]:
    """Tags for the translations of tagged sentences.

    Args:
        aligner: Finds which word is translated by which.
        sources: Words of N sentences.
        tags: Their tags.
        targets: Words of their translations.

    Raises:
        DataError: There are not as many translations as sentences.
    """
    links = aligner.align(sources, targets)
    return [
        project_tags(own, found, len(words))
        for own, found, words in zip(tags, links, targets, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class ProjectionCounts:
    """What became of a file: sentences written, dropped for a lost entity, entities carried."""

    sentences: int
    dropped: int
    entities: int


def project_files(
    tagged: str | Path,
    translations: str | Path,
    out: Path,
    *,
    lang: str,
    model: str | Path = "starter",
    task: str = "ner",
) -> ProjectionCounts:
    """Write the translations of a file of tagged sentences with the tags of their sources.

    A sentence of which an entity is lost is left out: half-tagged sentences teach that names are
    none.

    Args:
        tagged: Sentences with tags in the scheme BIO, in any layout that ``finetune`` reads.
        translations: As many, in the same order: a text a line, or a table with ``tokens`` or
            ``text``; a text is cut into words.
        out: The ``.jsonl`` file to write.
        lang: Language of the translations.
        model: Any encoder: it aligns the words.
        task: A task of tags.

    Raises:
        DataError: A file cannot be read, or they are not as long.
        LanguageError: ``lang`` names no language.
    """
    tag = tag_of(lang)
    source = TaggedExamples.read([tagged], TASKS.get(task), lang=UND)
    targets = [_words(row) for row in read_table(translations)]
    if len(targets) != len(source.rows):
        raise DataError(
            f"{len(targets)} translations of {len(source.rows)} sentences",
            path=Path(translations),
            remedy="Write one translation for every sentence, in their order",
        )
    aligner = WordAligner(open_model(model))
    found = project(aligner, source.sentences, source.tags, targets)
    lines = [
        json.dumps(
            {"id": row.id, "lang": tag, "tokens": words, "tags": own.tags}, ensure_ascii=False
        )
        for row, words, own in zip(source.rows, targets, found, strict=True)
        if not own.lost and words
    ]
    write_text(out, "".join(line + "\n" for line in lines))
    carried = sum(own.carried for own in found if not own.lost)
    return ProjectionCounts(len(lines), len(found) - len(lines), carried)


def _words(row: Row) -> list[str]:
    tokens = row.values.get("tokens")
    if isinstance(tokens, list):
        return [str(token) for token in tokens]
    text = str(row.values.get("text") or "")
    return [text[start:end] for start, end in word_spans(text)]
