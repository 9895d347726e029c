"""One tag for every spelling, so that scorecards join."""

from __future__ import annotations

from pathlib import Path

import langcodes
import pytest
from language_data.registry_parser import parse_registry

from interlingua.base.errors import LanguageError
from interlingua.languages import identify, known, parse, script_of, tag_of, writes


@pytest.mark.parametrize("language", known(), ids=lambda language: language.tag)
def test_every_spelling_of_a_known_language_leads_back_to_it(language) -> None:
    assert parse(language.tag) == language
    assert parse(language.name) == language
    assert parse(language.tag.replace("_", "-").upper()) == language


@pytest.mark.parametrize(
    ("spellings", "tag"),
    [
        ("cmn zho zh zh-CN chi zh_cn zh-Hans", "zho_Hans"),
        ("zh-TW zh-Hant zho_Hant zh-HK", "zho_Hant"),
        ("swh swa sw Swahili Kiswahili", "swh_Latn"),
        ("ara arb ar", "arb_Arab"),
        ("pes fa per fas", "pes_Arab"),
        ("aze azj az", "azj_Latn"),
        ("mon khk mn", "khk_Cyrl"),
        ("sqi als sq", "als_Latn"),
        ("zsm ms msa", "zsm_Latn"),
        ("uzb uzn uz", "uzn_Latn"),
        ("est ekk et", "est_Latn"),
        ("ger deu de German Deutsch", "deu_Latn"),
        ("pt-BR pt pt_PT por", "por_Latn"),
        ("no nob nb nor", "nob_Latn"),
        ("sr srp", "srp_Cyrl"),
        ("iw he heb", "heb_Hebr"),
        ("ja jpn jp", "jpn_Jpan"),
        ("fil tl tgl", "tgl_Latn"),
    ],
)
def test_codes_that_mean_one_language(spellings: str, tag: str) -> None:
    assert {parse(spelling).tag for spelling in spellings.split()} == {tag}


def test_every_code_in_the_data_sets_is_one_language(data_dir: Path) -> None:
    codes = {path.name for path in (data_dir / "sib200").iterdir() if path.is_dir()}
    codes |= {path.name.split("-")[0].split(".")[1] for path in (data_dir / "tatoeba").iterdir()}
    codes |= {path.name for path in (data_dir / "xlmt_sentiment").iterdir() if path.is_dir()}
    codes |= {path.name for path in (data_dir / "masakhanews" / "data").iterdir()}
    codes |= {path.stem.split("-")[1] for path in (data_dir / "panx").glob("*.tsv")}
    codes |= {path.stem.split(".")[1] for path in (data_dir / "ntrex").glob("newstest*.txt")}
    for code in codes:
        assert parse(code).tag in {language.tag for language in known()}, code
    for code in (path.name for path in (data_dir / "sib200").iterdir() if path.is_dir()):
        assert parse(code).tag == code


def test_no_code_of_the_registry_crashes() -> None:
    seen = 0
    for entry in parse_registry():
        if entry.get("Type") == "language" and ".." not in entry["Subtag"]:
            seen += 1
            try:
                assert parse(entry["Subtag"]).tag
            except LanguageError:
                assert (
                    len(entry["Subtag"]) > 3
                    or not langcodes.tag_is_valid(entry["Subtag"])
                    or (entry["Subtag"] in {"mul", "und", "zxx"})
                )
    assert seen > 8000


@pytest.mark.parametrize(("wrong", "near"), [("Germn", "German"), ("eng_Latin", "eng_Latn")])
def test_an_unknown_tag_names_near_ones(wrong: str, near: str) -> None:
    with pytest.raises(LanguageError, match=near):
        parse(wrong)


@pytest.mark.parametrize("wrong", ["", "qqq", "xx_Klingon", "a" * 10_000, "\ud800", "und"])
def test_what_is_no_language(wrong: str) -> None:
    with pytest.raises(LanguageError):
        parse(wrong)


def test_directions_and_resources() -> None:
    assert {parse(tag).direction for tag in ("heb_Hebr", "arb_Arab", "nqo_Nkoo")} == {"rtl"}
    assert parse("arb_Latn").direction == "ltr"
    assert parse("yor").low_resource and not parse("deu").low_resource
    assert tag_of("und") == "und"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("The meeting was moved to Thursday because the room is taken.", "eng_Latn"),
        ("Die Sitzung wurde auf Donnerstag verschoben, weil der Raum belegt ist.", "deu_Latn"),
        ("会议改到星期四，因为房间被占用了，我们没有别的地方。", "zho_Hans"),
        ("會議改到星期四，因為房間被佔用了，我們沒有別的地方。", "zho_Hant"),
        ("Заседание перенесли на четверг, потому что зал занят.", "rus_Cyrl"),
        ("会議は木曜日に変更されました。部屋が使えないからです。", "jpn_Jpan"),
        ("የስብሰባው ቀን ወደ ሐሙስ ተዛውሯል ምክንያቱም ክፍሉ ተይዟል።", "amh_Ethi"),
        ("कमरा खाली नहीं होने के कारण बैठक गुरुवार को होगी।", "hin_Deva"),
        ("", "und"),
        ("12345 !!! 🏞", "und"),
    ],
)
def test_identification(text: str, tag: str) -> None:
    assert identify([text])[0].tag == tag


def test_hostile_texts_get_an_answer() -> None:
    texts = ["\ud800", "\x00", "a" * 1_000_000, "\u202e\u200b", "\u0301" * 10_000, "🏳️‍🌈" * 500]
    found = identify(texts)
    assert len(found) == len(texts)
    assert all(0 <= result.probability <= 1 for result in found)


def test_most_sentences_of_forty_languages_are_told_right(data_dir: Path) -> None:
    right = wrong = total = 0
    for path in sorted((data_dir / "sib200").glob("*/test.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()[1:41]
        for result in identify([line.split("\t")[2] for line in lines]):
            total += 1
            right += result.tag == path.parent.name
            wrong += result.tag not in {path.parent.name, "und"}
    assert right / total > 0.97
    assert wrong / total < 0.02


def test_scripts() -> None:
    assert [script_of(t) for t in ("abc", "при", "日本", "かな日本", "한국", "", "१२")] == [
        "Latn", "Cyrl", "Hani", "Jpan", "Hang", "Zyyy", "Zyyy",
    ]  # fmt: skip
    assert writes("Hans", "Hani") and writes("Jpan", "Hani") and not writes("Latn", "Cyrl")
