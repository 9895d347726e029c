"""The model card: what a model is, what it was taught, what it reached, and where it may fail.

Plain sentences made from ``interlingua.json`` and ``config.json`` alone, so that the card and the
folder cannot disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from interlingua.base.errors import LanguageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua.models.info import ModelInfo

_SPDX = {name.lower(): name for name in ("MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0")}
CARD = "README.md"
_MAX_CARD_CHARACTERS = 1_000_000
_NOT_TESTED = (
    "A language that is missing from the table was not tested, and a model that works in one "
    "language may fail in another: test it on your own texts before you rely on it."
)
_NO_SCORES = (
    "No figures were recorded when this model was made. Run `interlingua evaluate` on your own "
    "texts, in your own languages, before you rely on it."
)
_USE = "interlingua {verb} --model THIS_FOLDER {example}"
_POOLED = {
    "mean": "mean of its tokens' states",
    "cls": "state of its first token",
    "pair": "means of its two texts' states, their difference and their product",
}
_FLAT = "all languages"
_NATIVE = {
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
}
_COMMANDS = {
    "token-classification": ("tag", '"Some text"'),
    "question-answering": ("answer", '"A question?" --context "Some text"'),
}


def model_card(info: ModelInfo, config: dict[str, Any]) -> str:
    """The text of ``README.md``.

    Args:
        info: What the model was taught, with licence and parent filled in.
        config: The content of ``config.json``.
    """
    sections = [
        _front_matter(info, config),
        f"# {_title(info)}",
        _what(info, config),
        _use(info, config),
        "## What it was taught",
        _taught(info),
        "## What it reached",
        _scores(info),
        "## Limits",
        _limits(info, native=bool(_native(config))),
        "## Licence and citation",
        _licence(info),
    ]
    return "\n\n".join(sections) + "\n"


def stated_licence(path: Path) -> str:
    """The licence that a model card's front matter names, or nothing."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_CARD_CHARACTERS)
        front = yaml.safe_load(text.split("---")[1]) if text.startswith("---") else None
    except (OSError, ValueError, IndexError, RecursionError, yaml.YAMLError):
        return ""
    licence = front.get("license") if isinstance(front, dict) else None
    return _SPDX.get(licence.lower(), licence) if isinstance(licence, str) else ""


def _native(config: dict[str, Any]) -> str:
    """The kind of a head that is part of the model itself, if it has one."""
    named = [str(name) for name in config.get("architectures") or ()]
    return next((kind for end, kind in _NATIVE.items() if any(n.endswith(end) for n in named)), "")


def _front_matter(info: ModelInfo, config: dict[str, Any]) -> str:
    pooled = "text-classification" if info.labels else "sentence-similarity"
    native = _native(config)
    document: dict[str, Any] = {
        "library_name": "transformers" if native else "sentence-transformers",
        "pipeline_tag": native or pooled,
        "tags": ["interlingua", "multilingual"],
    }
    if info.licence:
        document["license"] = info.licence.lower()
    if info.parent and "/" in info.parent:
        document["base_model"] = info.parent
    return f"---\n{yaml.safe_dump(document, sort_keys=True, allow_unicode=True)}---"


def _title(info: ModelInfo) -> str:
    return f"A multilingual model for {info.task}" if info.task else "A multilingual text encoder"


def _what(info: ModelInfo, config: dict[str, Any]) -> str:
    layers = config.get("num_hidden_layers", config.get("num_layers", "?"))
    pooled = _POOLED[info.pooling]
    where = "the last layer"
    if info.layers:
        where = f"hidden states {', '.join(map(str, info.layers))}, put side by side"
    lines = [
        f"A {config['model_type']} encoder of {layers} layers, made from {info.parent}.",
        f"A text of up to {info.max_length} tokens becomes one vector: the {pooled}, of {where}.",
    ]
    if _native(config):
        lines[1] = "A linear layer reads the last state of every token; longer texts go in windows."
    if info.prefixes:
        names = ", ".join(f'"{text}" ({name})' for name, text in info.prefixes.items())
        default = f"; by default {info.default_prefix}" if info.default_prefix else ""
        lines.append(f"Texts are given a prefix: {names}{default}.")
    return "\n".join(lines)


def _use(info: ModelInfo, config: dict[str, Any]) -> str:
    native = _native(config)
    pooled = ("classify" if info.labels else "embed", '"Some text"')
    verb, example = _COMMANDS.get(native, pooled)
    lines = ["```", _USE.format(verb=verb, example=example), "```"]
    if native:
        return "\n".join([*lines, "", f"transformers opens the folder for {native}."])
    note = "transformers and sentence-transformers open the folder as an encoder"
    note += " of its last layer; the head reads other layers." if info.layers else "."
    return "\n".join([*lines, "", note])


def _taught(info: ModelInfo) -> str:
    languages = ", ".join(map(_language, info.source_languages))
    if info.task:
        labels = ", ".join(f"`{label}`" for label in info.labels)
        lines = [f"Task: {info.task}. Labels: {labels}." if labels else f"Task: {info.task}."]
        told = languages or "a language that was not named"
        lines.append(f"The examples it learned the task from were written in {told}.")
    else:
        lines = ["No task was added to the parent model."]
        if languages:
            lines.append(f"Its training went on with texts in {languages}.")
    if info.data:
        lines += ["", "| file | rows | sha256 |", "|---|---:|---|"]
        lines += [f"| `{_cell(f.path)}` | {_count(f.rows)} | `{f.sha256}` |" for f in info.data]
    return "\n".join(lines)


def _count(rows: int) -> str:
    return f"{rows:,}" if rows else "not counted"


def _scores(info: ModelInfo) -> str:
    rows = list(_score_rows(info.scores))
    if not rows:
        return _NO_SCORES
    lines = ["| figure | language | value |", "|---|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {lang} | {value} |" for name, lang, value in rows)])


def _score_rows(scores: dict[str, Any], name: str = "") -> Iterator[tuple[str, str, str]]:
    for key, value in scores.items():
        label = _cell(f"{name} {key}".strip())
        if isinstance(value, dict):
            yield from _score_rows(value, label)
        elif isinstance(value, float):
            figure = f"{value:.3f}"
            yield (_cell(name), _language(key), figure) if _is_tag(key) else (label, _FLAT, figure)
        elif isinstance(value, int | str):
            yield label, _FLAT, _cell(str(value))


def _limits(info: ModelInfo, *, native: bool) -> str:
    lines = [_NOT_TESTED] if info.scores else []
    if info.labels:
        lines.append("It always answers with one of its labels, also where none fits.")
    if not native:
        lines.append(f"What lies beyond {info.max_length} tokens of a text is not read.")
    lines.append("It learned from texts of the web and repeats the prejudices found there.")
    return "\n".join(lines)


def _licence(info: ModelInfo) -> str:
    name = info.licence or "not known: ask the maker of the parent model"
    lines = [f"Licence of the weights: {name}."]
    if info.parent and info.licence:
        lines.append(f"It is inherited from {info.parent}.")
    if any(info.data_licences):
        told = ", ".join(
            f"{_cell(name) if name else 'not told'} {rows:,}"
            for name, rows in info.data_licences.items()
        )
        lines.append(f"Rows it was trained with, by their own licence: {told}.")
    if info.citation:
        lines.append(f"Please cite: {info.citation}.")
    made = [f"version {info.version}"] if info.version else []
    made += [f"on {info.created}"] if info.created else []
    made += [f"with seed {info.seed}"] if info.seed is not None else []
    if made:
        lines.append(f"Made with Interlingua {', '.join(made)}.")
    return "\n".join(lines)


def _language(tag: str) -> str:
    from interlingua.languages import parse

    if tag == "und":
        return "a language that was not named"
    try:
        return f"{parse(tag).name} (`{tag}`)"
    except LanguageError:
        return f"`{_cell(tag)}`"


def _is_tag(key: str) -> bool:
    return len(key) == 8 and key[3] == "_" and key[:3].islower() and key[4:].isalpha()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
