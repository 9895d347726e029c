"""A corpus card as one page that needs nothing else; see `base.page`."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import Cell, page, sortable
from interlingua.languages import UND, parse

if TYPE_CHECKING:
    from interlingua.corpus.pipeline.card import CorpusCard, LanguageCard

_UNTOLD = "not told"


def render(card: CorpusCard) -> str:
    """The whole page of a corpus.

    Args:
        card: Any card.

    Returns:
        A self-contained HTML document.
    """
    template = files("interlingua.corpus").joinpath("data", "card.html")
    headline = (
        f"{card.documents.kept:,} documents in "
        f"{_counted(sum(one.documents.kept > 0 for one in card.languages.values()), 'language')}"
    )
    quality = card.settings["quality"] or {"reach": "never", "min_documents": "any"}
    near = card.settings["near_duplicates"]
    pieces = {
        "title": text(f"{headline}: an Interlingua corpus"),
        "headline": text(headline),
        "lede": text(_lede(card)),
        "tiles": _tiles(card),
        "table": _languages(card),
        "dropped_note": text(
            f"{sum(card.dropped.values()):,} of {card.documents.read:,} documents, by the first "
            "reason that held."
        ),
        "dropped": _counts("Reason", card.dropped, "dropped"),
        "licence_note": text(_licence_note(card)),
        "licences": _counts("Licence", card.licences, "licences"),
        "inputs": _inputs(card),
        "benchmarks": text(_benchmarks(card)),
        "reach": text(str(quality["reach"])),
        "least": text(str(quality["min_documents"])),
        "similarity": text(f"{near['similarity']:.0%} or more" if near else "wholly"),
    }
    return page(template.read_text(encoding="utf-8"), pieces)


def language_name(tag: str) -> str:
    """What a language is called in English."""
    return "Unknown" if tag == UND else parse(tag).name


def amount(count: int) -> str:
    """Bytes for a person."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _lede(card: CorpusCard) -> str:
    rejected = f" {_counted(card.rejected, 'row')} could not be read." if card.rejected else ""
    return (
        f"{amount(card.bytes.kept)} of text, out of {card.documents.read:,} documents and "
        f"{amount(card.bytes.read)}.{rejected}"
    )


def _tiles(card: CorpusCard) -> Html:
    share = card.documents.kept / max(card.documents.read, 1)
    duplicates = sum(n for reason, n in card.dropped.items() if "duplicate" in reason)
    tiles = [
        ("Kept", f"{share:.0%}", "of the documents"),
        ("Duplicates", f"{duplicates:,}", "equal or nearly so"),
        ("Benchmark texts", f"{card.dropped.get('benchmark text', 0):,}", "documents kept out"),
        ("Personal data", f"{sum(card.personal_data.values()):,}", "placeholders"),
    ]
    return join(
        [
            element(
                "div",
                element("dt", title),
                element("dd", shown, class_="figure"),
                element("dd", about, class_="about"),
                class_="tile",
            )
            for title, shown, about in tiles
        ]
    )


def _languages(card: CorpusCard) -> Html:
    columns = ["Language", "Tag", "Script", "Read", "Kept", "Text", "Dropped", "Most often as"]
    columns += ["Validation", "Clusters", "Repaired", "Lines out", "Personal data"]
    return sortable(
        columns, [_row(tag, one) for tag, one in card.languages.items()], "languages tall"
    )


def _row(tag: str, one: LanguageCard) -> list[Cell]:
    name = language_name(tag)
    reason, count = next(iter(one.dropped.items()), ("", 0))
    script = next(iter(one.scripts), "")
    figures = (
        one.documents.read,
        one.documents.kept,
    )
    after = (one.written.get("validation", 0), one.clusters, one.repaired, one.lines_removed)
    lost = one.documents.read - one.documents.kept
    return [
        (name, name),
        (element("code", tag), tag),
        (script, script),
        *((f"{figure:,}", figure) for figure in figures),
        (amount(one.bytes.kept), one.bytes.kept),
        (f"{lost:,}", lost),
        (f"{reason} ({count:,})" if reason else "", reason),
        *((f"{figure:,}", figure) for figure in after),
        (f"{sum(one.personal_data.values()):,}", sum(one.personal_data.values())),
    ]


def _counts(title: str, counts: dict[str, int], kind: str) -> Html:
    rows: list[list[Cell]] = [
        [(name or _UNTOLD, name), (f"{count:,}", count)] for name, count in counts.items()
    ]
    return sortable([title, "Documents"], rows, kind)


def _licence_note(card: CorpusCard) -> str:
    untold = card.licences.get("", 0)
    if not untold:
        return "What is trained on this corpus inherits them."
    return (
        f"Nobody told the licence of {_counted(untold, 'document')}; name it in the recipe. What "
        "is trained on this corpus inherits them all."
    )


def _inputs(card: CorpusCard) -> Html:
    rows: list[list[Cell]] = [
        [
            (element("code", one.path), one.path),
            (f"{one.documents:,}", one.documents),
            (f"{one.rejected:,}", one.rejected),
            (f"{one.replaced:,}", one.replaced),
            (element("code", one.sha256[:12]), one.sha256),
        ]
        for one in card.inputs
    ]
    return sortable(["File", "Documents", "Rejected", "Bytes replaced", "SHA-256"], rows, "files")


def _benchmarks(card: CorpusCard) -> str:
    found = card.benchmarks
    if not found.files:
        return "No benchmark was kept out."
    return (
        f"{found.texts:,} texts of {_counted(len(found.files), 'benchmark file')} were searched "
        f"for; {found.short:,} more are too short for it."
    )


__all__ = ["amount", "language_name", "render"]
