"""The page: self-contained, safe whatever the texts, well-formed, and complete."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from scorecard_toys import answers, card_of

from interlingua.base.markup import Html, element, fill, text
from interlingua.evaluation.html import render
from interlingua.languages import known

LANGS = ["eng_Latn", "deu_Latn", "arb_Arab", "amh_Ethi", "quy_Latn"]
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{script}}&amp;\u202e\x00\ud800"
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Checks that every element is closed, and collects what is in the page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def having(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def many(count):
    """A card of that many languages, English first."""
    tags = [language.tag for language in known() if language.tag != "eng_Latn"]
    return card_of(answers(["eng_Latn", *tags[: count - 1]], rows=12), resamples=20)


@pytest.mark.parametrize("count", [1, 2, 20, 200])
def test_pages_of_any_size_are_well_formed_and_complete(count):
    card = many(count)
    page = Page(render(card))
    rows = [a for a in page.having("li") if "row" in (a.get("class") or "").split()]
    assert len(rows) == len(card.per_language)
    for facts in card.languages.values():
        assert facts.name in page.text
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"].removeprefix("#") for a in page.having("a")}
    assert targets <= set(ids)
    assert "{{" not in render(card)


def test_nothing_is_loaded_from_anywhere():
    page = render(card_of(answers(LANGS)))
    assert not re.search(r"https?:|url\(|@import|src=|//cdn", page)
    for _, attributes in Page(page).elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_the_policy_names_the_very_script_and_style_of_the_page():
    page = render(card_of(answers(LANGS)))
    policy = next(
        a["content"] for a in Page(page).having("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (source,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_names_labels_and_paths_stay_text():
    card = card_of(
        answers(LANGS),
        labels=(HOSTILE, "{{title}}", "b"),
        model=HOSTILE,
        task=HOSTILE,
        split=HOSTILE,
        created=HOSTILE,
        seeds={HOSTILE: 1},
        data=[{"path": HOSTILE, "sha256": HOSTILE, "rows": 1}],
    )
    facts = {
        tag: fact.model_copy(
            update=dict.fromkeys(["name", "autonym", "script", "family"], HOSTILE + tag)
        )
        for tag, fact in card.languages.items()
    }
    card = card.model_copy(update={"languages": facts, "notes": {HOSTILE: HOSTILE}})
    harmless, hostile = render(card_of(answers(LANGS))), render(card)
    hostile.encode("utf-8")
    assert "alert(1)" in hostile
    assert "<script>alert" not in hostile
    assert hostile.count("<script") == harmless.count("<script") == 1
    page = Page(hostile)
    assert not page.having("img")
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
    assert "{{title}}" in page.text  # shown as it is, not filled in
    assert "\x00" not in hostile


def test_native_names_know_their_direction():
    page = Page(render(card_of(answers(LANGS))))
    native = [a for a in page.having("bdi") if a.get("class") == "native"]
    assert native
    assert all(a["dir"] == "auto" and a["lang"] for a in native)


def test_drawings_can_be_read_aloud():
    card = card_of(answers(LANGS))
    pictures = [a for a in Page(render(card)).having("svg") if a.get("role") == "img"]
    assert len(pictures) == len(LANGS) + 1
    assert all(a["aria-label"] for a in pictures)
    english = card.per_language["eng_Latn"]
    assert any(f"English: {english.score * 100:.1f}" in a["aria-label"] for a in pictures)


def test_bars_and_whiskers_stand_where_the_figures_say():
    card = card_of(answers(LANGS))
    page = render(card)
    for result in card.per_language.values():
        assert f'class="fill" width="{result.score * 100:.2f}%"' in page
        assert f'x1="{result.ci[0] * 100:.2f}%" x2="{result.ci[1] * 100:.2f}%"' in page


def test_a_card_without_a_source_language_is_measured_against_its_best():
    card = card_of(answers(["deu_Latn", "fra_Latn"]))
    page = Page(render(card)).text
    assert "relative to the best language" in page
    assert "no language taught was tested" in page


def test_the_page_is_the_same_for_the_same_card():
    card = card_of(answers(LANGS))
    assert render(card) == render(card)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2, 1.4.3."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_writing_stands_out_from_its_ground(dark):
    style = files("interlingua.base").joinpath("data", "page.css").read_text()
    light, night = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if dark:
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", night))
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("card", "page")]
    pairs += [("on-light", ground) for ground in ("better", "g0", "g1", "g2", "g3", "g4")]
    pairs += [("on-dark", "g5"), ("whisker", "rail")]
    low = {p: contrast(colours[p[0]], colours[p[1]]) for p in pairs}
    assert min(low.values()) >= 4.5, low
    marks = {mark: contrast(colours[mark], colours["card"]) for mark in ("zero", "taught", "mark")}
    assert min(marks.values()) >= 3, marks


def test_text_is_escaped_and_html_is_not():
    assert element("p", "a<b", Html("<i></i>"), None) == "<p>a&lt;b<i></i></p>"
    assert element("a", class_="x", aria_label='"', hidden=True, id=None) == (
        '<a class="x" aria-label="&quot;" hidden></a>'
    )
    assert fill("<p>{{a}}{{b}}</p>", {"a": text("{{b}}"), "b": text("&")}) == "<p>{{b}}&amp;</p>"
