"""Which language a text is in; ``und`` when it cannot be told."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from interlingua.base.errors import LanguageError
from interlingua.base.files import disk_errors
from interlingua.base.optional import require
from interlingua.languages.scripts import UNKNOWN, script_of, writes
from interlingua.languages.tags import UND, parse

_CHARACTERS = 1000
THRESHOLD = 0.5
"""Least probability of a language to be named."""
_TRADITIONAL = frozenset(
    "國說這來時對們會學後發經過還沒點問開關電話車書買賣愛聽寫讀讓邊個為從實體應當與萬"
)
_SIMPLIFIED = frozenset(
    "国说这来时对们会学后发经过还没点问开关电话车书买卖爱听写读让边个为从实体应当与万"
)


@dataclass(frozen=True, slots=True)
class Identified:
    """A language tag, or ``und``, and its probability in [0, 1]."""

    tag: str
    probability: float


_NOTHING = Identified(UND, 0.0)


def identify(
    texts: Sequence[str],
    *,
    detector: str | Path = "py3langid",
    threshold: float = THRESHOLD,
    among: Sequence[str] = (),
) -> list[Identified]:
    """Tell the language of each text.

    A result is given only if it is probable enough and the text's letters are of a script the
    language is written in.

    Args:
        texts: The texts; the first 1,000 characters of each are looked at.
        detector: ``py3langid``, or the path of a fastText model such as GlotLID.
        threshold: Least probability to name a language.
        among: Languages that are possible; empty: all the detector knows.

    Raises:
        MissingExtraError: The detector's package is not installed.
        LanguageError: A language of ``among`` is unknown.
    """
    wanted = frozenset(parse(tag).tag for tag in among)
    ask = _langid if detector == "py3langid" else _fasttext(Path(detector))
    return [_one(text, ask, threshold, wanted) for text in texts]


def _one(text: str, ask: Any, threshold: float, wanted: frozenset[str]) -> Identified:  # noqa: ANN401
    beginning = text[:_CHARACTERS].encode("utf-8", "replace").decode("utf-8").replace("\n", " ")
    script = script_of(beginning)
    if script == UNKNOWN:
        return _NOTHING
    ranked = [
        (tag, probability)
        for code, probability in ask(beginning)
        if (tag := _tag(code, beginning)) is not None
        and writes(tag[4:], script)
        and (not wanted or tag in wanted)
    ]
    total = 1.0 if not wanted else sum(probability for _, probability in ranked) or 1.0
    if not ranked or ranked[0][1] / total < threshold:
        return _NOTHING
    return Identified(ranked[0][0], min(1.0, ranked[0][1] / total))


@cache
def _known(code: str) -> str | None:
    try:
        return parse(code).tag
    except LanguageError:
        return None


def _tag(code: str, text: str) -> str | None:
    tag = _known(code)
    if tag in {"zho_Hans", "zho_Hant"}:
        traditional = sum(character in _TRADITIONAL for character in text)
        simplified = sum(character in _SIMPLIFIED for character in text)
        return "zho_Hant" if traditional > simplified else "zho_Hans"
    if tag is not None and tag[:3] == "srp":
        return f"srp_{'Cyrl' if script_of(text) == 'Cyrl' else 'Latn'}"
    return tag


@cache
def _identifier() -> Any:  # noqa: ANN401 - an untyped library
    langid = require("py3langid.langid", extra="text")
    with disk_errors(Path(tempfile.gettempdir())):  # where it unpacks its model
        return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def _langid(text: str) -> list[tuple[str, float]]:
    return [(str(code), float(p)) for code, p in _identifier().rank(text)[:10]]


@cache
def _fasttext(path: Path) -> Any:  # noqa: ANN401 - a function over an untyped library
    fasttext = require("fasttext", extra="lid")
    if not path.is_file():
        raise LanguageError(f"{path} is no fastText model file", remedy="Give py3langid, or a path")
    return labelled(fasttext.load_model(str(path)))


def labelled(model: Any) -> Any:  # noqa: ANN401 - any object with fastText's predict
    """A detector over a fastText model with labels such as ``__label__eng_Latn``."""

    def ask(text: str) -> list[tuple[str, float]]:
        labels, probabilities = model.predict(text, 5)
        return [
            (str(label).removeprefix("__label__"), float(p))
            for label, p in zip(labels, probabilities, strict=True)
        ]

    return ask
