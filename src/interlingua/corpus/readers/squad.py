"""SQuAD's JSON, in which XQuAD, MLQA and TyDiQA-GoldP are published: one row a question.

    {"data": [{"paragraphs": [{"context": …, "qas": [{"id": …, "question": …,
      "answers": [{"text": …, "answer_start": …}]}]}]}]}

SQuAD 2.0 adds ``is_impossible``. A row has ``id``, ``question``, ``context``, ``answers`` and
``passage_id``, which counts articles and paragraphs; TyDiQA-GoldP's ids begin with the English name
of the language, from which comes ``lang``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interlingua.base.errors import DataError
from interlingua.corpus.rows import Faults, Row, open_bytes

PATTERN = r"\.json(?:\.gz|\.zst)?$"
TYDIQA_PREFIXES = {
    "english": "en",
    "arabic": "ar",
    "bengali": "bn",
    "finnish": "fi",
    "indonesian": "id",
    "korean": "ko",
    "russian": "ru",
    "swahili": "sw",
    "telugu": "te",
}
_TYDIQA = re.compile(r"([a-z]+)-(-?\d+)-\d+")  # the article's number may be negative
_LAYOUT = "Expected SQuAD's JSON: data, paragraphs, context, qas, question, answers"


def read_squad(path: Path, faults: Faults) -> Iterator[Row]:
    """The questions of a file in SQuAD's format, in its order.

    Raises:
        DataError: The file is not JSON, or a part of it is not what SQuAD's format has there.
    """
    text = _text(path, faults)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", path=path, line=error.lineno) from None
    except RecursionError:
        raise DataError("not JSON: nested too deeply", path=path, line=1) from None
    lines = _Lines(text)
    data = document.get("data") if isinstance(document, dict) else document
    for n, article in enumerate(_items(data, path, 1, "data")):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        place = f"data[{n}].paragraphs"
        for p, paragraph in enumerate(_items(paragraphs, path, lines.last, place)):
            yield from _questions(paragraph, path, faults, lines, (n, p))


def _questions(
    paragraph: Any,  # noqa: ANN401 - JSON
    path: Path,
    faults: Faults,
    lines: _Lines,
    place: tuple[int, int],
) -> Iterator[Row]:
    spot = f"data[{place[0]}].paragraphs[{place[1]}]"
    values = paragraph if isinstance(paragraph, dict) else {}
    for q, question in enumerate(_items(values.get("qas"), path, lines.last, f"{spot}.qas")):
        if not isinstance(question, dict) or not isinstance(question.get("id"), str | int):
            problem = f"{spot}.qas[{q}] has no id"
            faults.report(DataError(problem, path=path, line=lines.last, remedy=_LAYOUT))
            continue
        name = str(question["id"])
        line = lines.of(name)
        row: dict[str, Any] = {
            "id": name,
            "question": question.get("question"),
            "context": values.get("context"),
            "answers": question.get("answers"),
            "passage_id": f"{place[0]}.{place[1]}",
        }
        if question.get("is_impossible") is True:
            row["answers"] = []
        if (match := _TYDIQA.fullmatch(name)) and match[1] in TYDIQA_PREFIXES:
            row["lang"] = TYDIQA_PREFIXES[match[1]]
        yield Row({key: value for key, value in row.items() if value is not None}, path, line)


class _Lines:
    """The lines that ids stand in, asked for in the order of the file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.last = 1

    def of(self, name: str) -> int:
        """The line of the next place that holds an id; as before, if none does."""
        for spelling in (json.dumps(name), json.dumps(name, ensure_ascii=False)):
            found = self.text.find(spelling, self.place)
            if found >= 0:
                self.last += self.text.count("\n", self.place, found)
                self.place = found
                break
        return self.last


def _text(path: Path, faults: Faults) -> str:
    with open_bytes(path) as stream:
        raw = stream.read()
    try:
        return raw.decode("utf-8-sig", "replace" if faults.replace else "strict")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8"
        raise DataError(problem, path=path, line=line) from None


def _items(value: Any, path: Path, line: int, place: str) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        raise DataError(f"{place} is no list", path=path, line=line, remedy=_LAYOUT)
    return value
