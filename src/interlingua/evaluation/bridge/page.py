"""The bridge report as one page that needs nothing else; see `base.page`.

The page is filled from ``data/bridge.html``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import Cell, page, sortable
from interlingua.evaluation.bridge.records import MEASURES, Bridge, Direction, LanguageBridge
from interlingua.evaluation.bridge.words import (
    gained,
    headline,
    lede,
    shift,
    shift_span,
    span,
    value,
)
from interlingua.evaluation.figures import (
    MANY,
    gap_class,
    native_name,
    percent,
    upright,
    whisker,
)
from interlingua.evaluation.words import NOTHING, counted, points, signed

_TILES = {
    "retrieval_mean": "source",
    "retrieval_worst": "worst",
    "english_gap": "transfer_gap",
    "same_language_preference": "low_resource_mean",
    "language_probe": "zero_shot_mean",
}
"""Figures that stand on top, and whose colour of the style sheet they take."""
_WIDE = 14
_LEGEND = (
    ("g0", "98 and more"),
    ("g1", "95 to 98"),
    ("g2", "90 to 95"),
    ("g3", "80 to 90"),
    ("g4", "70 to 80"),
    ("g5", "under 70"),
)
_COLUMNS = {
    "retrieval": "retrieval",
    "english_gap": "gap to English",
    "same_language_preference": "own language preferred",
    "language_probe": "readable",
    "mean_cosine": "mean cosine",
    "partition": "partition",
}


def render(report: Bridge) -> str:
    """The whole page of a report: a self-contained HTML document."""
    alone = Html("" if report.changes else " hidden")
    pieces = {
        "title": text(f"{report.model}: an Interlingua bridge report"),
        "model": text(report.model),
        "against": text(report.against or ""),
        "headline": text(headline(report)),
        "lede": text(lede(report)),
        "tiles": join([_tile(report, name) for name in _TILES if name in report.summary]),
        "facts": _facts(report),
        "alone": alone,
        "map": _map(report, _accuracy),
        "change_map": _map(report, _change) if report.changes else Html(),
        "legend": _legend(),
        "bars": _bars(report),
        "measures": _measures(report),
        "table": _table(report),
        "data": _data(report),
        "notes": _notes(report),
        "resamples": text(f"{report.bootstrap.resamples:,}"),
        "level": text(f"{report.bootstrap.level * 100:.0f}"),
        "neighbours": text(str(report.neighbours)),
    }
    template = files("interlingua.evaluation").joinpath("data", "bridge.html")
    return page(template.read_text(encoding="utf-8"), pieces)


def _tile(report: Bridge, name: str) -> Html:
    figure, change = report.summary[name], report.changes.get(name)
    about = MEASURES[name].about
    if name == "retrieval_worst":
        about = report.languages[report.weakest].facts.name
    if name == "language_probe":
        about = f"{about}; chance {points(report.probe_chance)}"
    if change is not None:
        about = f"{shift(name, change.difference)} ({shift_span(name, change.ci)}) since before"
    return element(
        "div",
        element("dt", MEASURES[name].title),
        element("dd", value(name, figure.value), class_="figure"),
        element("dd", span(name, figure.ci), class_="ci"),
        element("dd", about, class_="about"),
        class_=f"tile {_TILES[name]}",
    )


def _facts(report: Bridge) -> Html:
    sizes = [direction.items for direction in report.directions]
    pool = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    facts = [("Model", report.model)]
    if report.against is not None:
        facts.append(("Before", report.against))
    facts += [
        ("Languages", f"{len(report.languages)}"),
        ("Pairs", f"{len(report.directions) // 2:,}"),
        ("Items", f"{report.items:,}"),
        ("Texts in a pool", pool),
        ("Created", report.created.replace("T", " ")),
    ]
    return join(
        [
            element("div", element("dt", name), element("dd", element("bdi", told)))
            for name, told in facts
        ]
    )


def _map(report: Bridge, cell: Callable[[Direction], tuple[str, str]]) -> Html:
    """Query languages down, pool languages across, best first."""
    tags = _by_retrieval(report)
    wide = len(tags) > _WIDE
    found = {(d.query, d.pool): d for d in report.directions}
    names = {tag: report.languages[tag].facts.name for tag in tags}

    def drawn(query: str, pool: str) -> Html:
        direction = found.get((query, pool))
        if direction is None:
            return element("td", class_="none")
        shown, kind = cell(direction)
        ci = span("retrieval", direction.figures["retrieval"].ci)
        title = f"{names[query]} finds {names[pool]}: {ci}, {direction.items:,} texts"
        return element("td", element("span", shown, title=title), class_=kind)

    head = [
        element("th", element("abbr", tag[:3] if wide else tag, title=names[tag]), scope="col")
        for tag in tags
    ]
    corner = element("th", "query \N{RIGHTWARDS ARROW} pool", scope="col", class_="corner")
    rows = [
        element("tr", element("th", names[tag], scope="row"), *[drawn(tag, o) for o in tags])
        for tag in tags
    ]
    return element(
        "table",
        element("thead", element("tr", corner, *head)),
        element("tbody", *rows),
        class_="map wide" if wide else "map",
    )


def _accuracy(direction: Direction) -> tuple[str, str]:
    accuracy = direction.figures["retrieval"].value
    return points(accuracy, 0), gap_class(max(0.0, 1 - accuracy))


def _change(direction: Direction) -> tuple[str, str]:
    difference = direction.changes["retrieval"].difference
    return signed(difference, 0), gap_class(-difference)


def _legend() -> Html:
    entries = [element("li", element("i", class_=kind), told) for kind, told in _LEGEND]
    return element("ul", *entries, class_="legend")


def _by_retrieval(report: Bridge) -> list[str]:
    def key(tag: str) -> tuple[float, str]:
        return -report.languages[tag].figures["retrieval"].value, tag

    return sorted(report.languages, key=key)


def _bars(report: Bridge) -> Html:
    kind = "bars many" if len(report.languages) > MANY else "bars"
    rows = [_bar(report.languages[tag], tag) for tag in _by_retrieval(report)]
    return element("ol", *rows, class_=kind)


def _bar(one: LanguageBridge, tag: str) -> Html:
    figure, change = one.figures["retrieval"], one.changes.get("retrieval")
    name = element(
        "span",
        element("span", one.facts.name, class_="name", title=tag),
        element("i", class_="low-mark", title="low-resource") if one.facts.low_resource else None,
        native_name(tag, one.facts),
        class_="who",
    )
    ci = span("retrieval", figure.ci)
    drawing = element(
        "svg",
        element("rect", class_="rail", width="100%", height="100%"),
        *[upright(x, "grid") for x in (0.25, 0.5, 0.75)],
        element("rect", class_="fill", width=percent(figure.value), height="100%"),
        None if change is None else upright(change.before, "home"),
        whisker(figure.ci),
        class_="bar",
        role="img",
        aria_label=f"{one.facts.name}: {points(figure.value)}, interval {ci}",
    )
    score = element("span", points(figure.value), class_="score")
    return element("li", name, drawing, score, element("span", ci, class_="ci"), class_="row")


def _measures(report: Bridge) -> Html:
    columns = ["measure", "figure", "interval"]
    if report.changes:
        columns += ["before", "change", "its interval", "verdict"]
    columns += ["better", "what it says"]
    rows = []
    for name, measure in MEASURES.items():
        if name not in report.summary:
            continue
        figure = report.summary[name]
        row: list[Cell] = [
            (measure.title, measure.title),
            (element("b", value(name, figure.value)), figure.value),
            (span(name, figure.ci), figure.ci[0]),
        ]
        if report.changes:
            change = report.changes[name]
            better = gained(name, change)
            verdict = "" if better is None else "better" if better else "worse"
            row += [
                (value(name, change.before), change.before),
                (shift(name, change.difference), change.difference),
                (shift_span(name, change.ci), change.ci[0]),
                (verdict or NOTHING, verdict),
            ]
        about = element("span", measure.about, class_="prose")
        rows.append([*row, (measure.better, measure.better), (about, measure.about)])
    return sortable(columns, rows, "measures")


def _table(report: Bridge) -> Html:
    columns = ["language", "tag", "family", "items", "retrieval", "interval"]
    columns += ["change"] if report.changes else []
    columns += list(_COLUMNS.values())[1:]
    rows = []
    for tag in _by_retrieval(report):
        one = report.languages[tag]
        figure = one.figures["retrieval"]
        row: list[Cell] = [
            (one.facts.name, one.facts.name),
            (element("code", tag), tag),
            (one.facts.family, one.facts.family),
            (f"{one.items:,}", one.items),
            (element("b", points(figure.value)), figure.value),
            (span("retrieval", figure.ci), figure.ci[0]),
        ]
        if report.changes:
            difference = one.changes["retrieval"].difference
            row.append((signed(difference), difference))
        for name in list(_COLUMNS)[1:]:
            found = one.figures.get(name)
            row.append(
                (NOTHING, None) if found is None else (value(name, found.value), found.value)
            )
        rows.append(row)
    return sortable(columns, rows, "languages")


def _data(report: Bridge) -> Html:
    rows: list[list[Cell]] = [
        [
            (element("bdi", file.path), file.path),
            (f"{file.rows:,}", file.rows),
            (element("code", file.sha256), file.sha256),
        ]
        for file in report.data
    ]
    told = (
        f"Left out of pairs: {counted(report.repeated, 'repeated text')}, "
        f"{counted(report.copied, 'copied text')}. Seed {report.seed}."
    )
    return join([sortable(["file", "texts", "sha256"], rows, "files"), element("p", told)])


def _notes(report: Bridge) -> Html:
    if not report.notes:
        return Html()
    entries = [
        element("div", element("dt", element("code", place)), element("dd", why))
        for place, why in sorted(report.notes.items())
    ]
    return element("details", element("summary", "Notes"), element("dl", *entries))
