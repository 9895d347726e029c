"""Which language a text is in; ``und`` when it cannot be told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import regex

from interlingua.base.errors import LanguageError
from interlingua.base.files import disk_errors
from interlingua.base.optional import require
from interlingua.languages.byte_walk import ByteWalk
from interlingua.languages.scripts import UNKNOWN, script_of, writes
from interlingua.languages.segmentation import INVISIBLE
from interlingua.languages.tables import read_table
from interlingua.languages.tags import UND, known, parse

_CHARACTERS = 1000
_BEST = 10
THRESHOLD = 0.5
"""Least probability of a language to be named."""
_HAN = regex.compile(r"\p{Han}")
# What carries no language: control and invisible characters, addresses, mentions of people.
_CONTROL = regex.compile(r"\p{Cc}+")
_ADDRESS = regex.compile(r"(?:https?://|www\.)\S+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|@\w+")
_CHINESE = frozenset(["zho_Hans", "zho_Hant"])
_SIGNS = ("@", "://", "www.")  # of which an address has one

Detector: TypeAlias = Callable[[str, int], list[tuple[str, float]]]
"""From a text and a number of labels (-1: all) to labels and probabilities, best first."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A language tag, or ``und``, and its probability in [0, 1]."""

    tag: str
    probability: float


_NOTHING = Identified(UND, 0.0)


def identify(
    texts: Sequence[str],
    *,
    detector: str | Path | Detector = "py3langid",
    threshold: float = THRESHOLD,
    among: Sequence[str] = (),
) -> list[Identified]:
    """Tell the language of each text.

    A result is given only if it is probable enough and the text's letters are of a script the
    language is written in. Chinese is told simplified or traditional by its characters; where all
    are common to both, it is ``zho_Hans``. Few letters tell little: of ten characters the default
    detector leaves four texts in ten at ``und``.

    Args:
        texts: The texts; the first 1,000 characters of each are looked at.
        detector: ``py3langid``, the path of a fastText model such as GlotLID, or a function.
        threshold: Least probability to name a language.
        among: Languages that are possible, whose probabilities are then taken to sum to one;
            empty: all the detector knows. A language it does not know is never found.

    Raises:
        MissingExtraError: The detector's package is not installed.
        LanguageError: A language of ``among`` is unknown, or ``detector`` is no fastText model.
    """
    found = candidates(texts, detector=detector, among=among)
    return [_best(tags, threshold) for tags in found]


def candidates(
    texts: Sequence[str],
    *,
    detector: str | Path | Detector = "py3langid",
    among: Sequence[str] = (),
) -> list[dict[str, float]]:
    """The languages that each text may be in, with their probabilities, the most probable first.

    Only languages written in the script of most of the text's letters are named, of the ten that
    the detector finds most probable; none where the text has no letters.

    Args:
        texts: The texts; the first 1,000 characters of each are looked at.
        detector: As of `identify`.
        among: As of `identify`.

    Raises:
        MissingExtraError: The detector's package is not installed.
        LanguageError: A language of ``among`` is unknown, or ``detector`` is no fastText model.
    """
    wanted = frozenset(parse(tag).tag for tag in among)
    beginnings = [_clean(text[:_CHARACTERS]) for text in texts]
    scripts = [script_of(beginning) for beginning in beginnings]
    told = [place for place, script in enumerate(scripts) if script != UNKNOWN]
    count = -1 if wanted else _BEST
    lettered = [beginnings[place] for place in told]
    if detector == "py3langid":
        ranked = _langid(lettered, count)
    else:
        ask = detector if callable(detector) else _fasttext(Path(detector))
        ranked = [ask(beginning, count) for beginning in lettered]
    found: list[dict[str, float]] = [{} for _ in texts]
    for place, labels in zip(told, ranked, strict=True):
        found[place] = _tagged(labels, beginnings[place], scripts[place], wanted)
    return found


def _tagged(
    labels: Sequence[tuple[str, float]], text: str, script: str, wanted: frozenset[str]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for label, probability in labels:
        tag = _tag(label, script)
        if tag in _CHINESE:
            tag = f"zho_{chinese_script(text)}"
        if tag is not None and (not wanted or tag in wanted):
            found[tag] = found.get(tag, 0.0) + probability
    total = sum(found.values()) if wanted else 1.0
    if total <= 0.0:
        return {}
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return {tag: min(1.0, probability / total) for tag, probability in ordered}


def _best(found: dict[str, float], threshold: float) -> Identified:
    if not found:
        return _NOTHING
    tag, probability = next(iter(found.items()))
    return Identified(tag, probability) if probability >= threshold else _NOTHING


def detectable(detector: str | Path | Detector = "py3langid") -> frozenset[str]:
    """The codes of ISO 639-3 that a detector can find; empty where its model does not tell.

    Raises:
        MissingExtraError: The detector's package is not installed.
    """
    if detector != "py3langid":
        return frozenset()
    tags = (_known(label) for label in _byte_walk().labels)
    return frozenset(tag[:3] for tag in tags if tag is not None)


def _clean(text: str) -> str:
    cleaned = text
    if not text.isprintable():
        shown = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate becomes a "?"
        cleaned = _CONTROL.sub(" ", INVISIBLE.sub("", shown))
    if any(sign in cleaned for sign in _SIGNS):
        cleaned = _ADDRESS.sub(" ", cleaned)
    return cleaned.strip()


@cache
def _known(label: str) -> str | None:
    if label in _odd_labels():
        return _odd_labels()[label]
    try:
        return parse(label).tag
    except LanguageError:  # also of labels for what is no language, such as zxx
        return None


@cache
def _odd_labels() -> dict[str, str]:
    return {row["label"]: row["tag"] for row in read_table("labels.tsv")}


@cache
def _tag(label: str, script: str) -> str | None:
    """The tag of a detector's label in a script; None if the language is not written in it."""
    tag = _known(label)
    if tag is not None and not writes(tag[4:], script) and _several(tag[:3], script):
        tag = _known(f"{tag[:3]}_{script}")
    return tag if tag is not None and writes(tag[4:], script) else None


@cache
def _several(code: str, script: str) -> bool:
    """Whether the shipped table has the language in this script too."""
    return f"{code}_{script}" in {language.tag for language in known()}


def chinese_script(text: str) -> str:
    """``Hans`` or ``Hant``: which Chinese characters fit the one national standard only.

    GB 2312 lists the simplified characters in use, Big5 the traditional ones; most of what is in
    one and not the other differs between the two scripts. ``Hans`` where there are as many of each.
    """
    characters = _HAN.findall(text)
    balance = sum(_lean(character) for character in characters)
    return "Hant" if balance > 0 else "Hans"


@cache
def _lean(character: str) -> int:
    return _fits(character, "big5") - _fits(character, "gb2312")


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _byte_walk() -> ByteWalk:
    langid = require("py3langid.langid", extra="text")
    with disk_errors(Path(tempfile.gettempdir())):  # where it unpacks its model
        model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    return ByteWalk(model)


def _langid(texts: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
    if not texts:
        return []
    walk = _byte_walk()
    probabilities = walk.probabilities(texts)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, : None if count < 0 else count]
    values = np.take_along_axis(probabilities, best, axis=1)
    return [
        [(walk.labels[label], p) for label, p in zip(row, found, strict=True)]
        for row, found in zip(best.tolist(), values.tolist(), strict=True)
    ]


@cache
def _fasttext(path: Path) -> Detector:
    if not path.is_file():
        raise LanguageError(f"{path} is no fastText model file", remedy="Give py3langid, or a path")
    fasttext = require("fasttext", extra="lid")
    try:
        return labelled(fasttext.load_model(str(path)))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise LanguageError(
            f"{path} is no fastText model ({error})", remedy="Give py3langid, or another file"
        ) from None


def labelled(model: Any) -> Detector:  # noqa: ANN401 - any object with fastText's predict
    """A detector over a fastText model with labels such as ``__label__eng_Latn``."""

    def ask(text: str, count: int) -> list[tuple[str, float]]:
        labels, probabilities = model.predict(text, count)
        return [
            (str(label).removeprefix("__label__"), float(p))
            for label, p in zip(labels, probabilities, strict=True)
        ]

    return ask
