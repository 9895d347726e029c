"""One tag for every spelling, so that scorecards join."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import langcodes
import pytest
from language_data.registry_parser import parse_registry

from interlingua.base.errors import LanguageError
from interlingua.languages import known, parse, tag_of
from interlingua.languages.tables import read_table


def _lists() -> list[tuple[str, list[str]]]:
    text = Path(__file__).with_name("code_lists.txt").read_text(encoding="utf-8")
    parts = [part.split(":\n") for part in text.split("\n\n")[1:]]
    return [(name, codes.split()) for name, codes in parts]


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


def _codes(folder: Path) -> set[str]:
    """Every code of a language that a file or folder name of the benchmark data holds."""
    patterns = [
        r"sib200/([^/]+)/", r"(?:nlp4if|xlmt_sentiment)/([^/]+)/", r"tatoeba\.(\w+)-eng\.",
        r"tatoeba\.\w+-(eng)\.", r"masakhane(?:ws/data|r)/([^/]+)/", r"newstest2019\.([\w-]+)\.txt",
        r"(?:xnli|pawsx|panx)/(?:dev|train)-(\w+)\.", r"xquad\.(\w+)\.", r"lareqa/(\w+)\.",
        r"dev-context-(\w+)-", r"-question-(\w+)\.", r"tydiqa_goldp/([a-z]+)_",
        r"udpos/([a-z]+)_", r"mnli/(\w+)\.", r"bucc2018/([a-z]{2})-", r"bucc2018/\w{2}-(\w+)\.",
        r"xpersona/([A-Z][a-z])_", r"xdailydialog/(\w\w)_", r"xl_wa/data/(\w+)/", r"muse/(\w+)-",
        r"muse/\w+-(\w+)\.", r"crows_(\w+)\.", r"hatecheck_cases_final_(\w+)\.",
        r"xtreme/labels/\w+/test-(\w+)\.", r"vocab_([a-z]{2})[._]", r"vocab_en_(\w+)\.",
    ]  # fmt: skip
    paths = [path.as_posix() for path in folder.rglob("*") if path.is_file()]
    return {code for path in paths for one in patterns for code in re.findall(one, path)}


def test_every_code_in_the_data_sets_is_one_shipped_language(data_dir: Path) -> None:
    codes = _codes(data_dir)
    assert len(codes) > 120
    shipped = {language.tag for language in known()}
    assert {code for code in codes if parse(code).tag not in shipped} == set()
    for code in (path.name for path in (data_dir / "sib200").iterdir() if path.is_dir()):
        assert parse(code).tag == code


@pytest.mark.parametrize("line", _lists(), ids=lambda line: line[0])
def test_every_code_that_a_benchmark_publishes_is_one_shipped_language(line) -> None:
    name, codes = line
    shipped = {language.tag for language in known()}
    assert {code: parse(code).tag for code in codes if parse(code).tag not in shipped} == {}
    if name == "flores200":
        assert [parse(code).tag for code in codes] == codes


def _registry() -> list[dict[str, str]]:
    kinds = {"language", "extlang", "grandfathered", "redundant"}
    rows = [row for row in parse_registry() if row.get("Type") in kinds]
    return [row for row in rows if ".." not in row.get("Subtag", "")]


def test_no_code_of_the_registry_crashes() -> None:
    refused = set()
    for row in _registry():
        try:
            tag = parse(row.get("Subtag") or row["Tag"]).tag
            assert re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", tag)
            assert parse(tag).tag == tag
        except LanguageError:
            refused.add(row.get("Subtag") or row["Tag"])
    assert refused == {"mis", "mul", "und", "zxx", "i-enochian"}


def test_a_code_in_use_keeps_its_language_unless_the_table_says_otherwise() -> None:
    aliases = {row["alias"] for row in read_table("aliases.tsv")}
    moved = {
        row["Subtag"]
        for row in _registry()
        if len(row.get("Subtag", "")) == 3 and "Deprecated" not in row
        and row["Subtag"] not in aliases | {"mis", "mul", "und", "zxx"}
        and parse(row["Subtag"]).tag[:3] != row["Subtag"]
    }  # fmt: skip
    assert moved <= {"xsj"}  # CLDR joins Subi with suj


@pytest.mark.parametrize(
    ("spelling", "tag"),
    [
        ("sr@latin", "srp_Latn"), ("sr_RS.UTF-8@latin", "srp_Latn"), ("sr", "srp_Cyrl"),
        ("Serbian (Latin)", "srp_Latn"), ("Serbian Latin", "srp_Latn"), ("en_US.UTF-8", "eng_Latn"),
        ("zh_Hans_CN.utf8", "zho_Hans"), ("zh-cmn-Hans-CN", "zho_Hans"), ("zh-min-nan", "nan_Hans"),
        ("cmn_Hani", "zho_Hans"), ("yue_Hani", "yue_Hant"), ("kor_Kore", "kor_Hang"),
        ("ca-valencia", "cat_Latn"), ("de-1996", "deu_Latn"), ("i-klingon", "tlh_Latn"),
        ("swc", "swh_Latn"),
        ("tl-Tglg", "tgl_Tglg"),  # the registry calls tgl fil, and our table fil tgl
        ("drw", "prs_Arab"), ("gun", "gun_Latn"), ("cnr", "cnr_Latn"),
        ("uz-Cyrl", "uzn_Cyrl"), ("Uzbek (Cyrillic)", "uzn_Cyrl"), ("aze-Arab", "azj_Arab"),
        ("Estonian", "est_Latn"), ("Chichewa", "nya_Latn"), ("Espan\u0303ol", "spa_Latn"),
        ("Central Kurdish", "ckb_Arab"), ("inglés", "eng_Latn"), ("EN", "eng_Latn"),
        ("grc", "grc_Grek"), ("hbo", "hbo_Hebr"), ("nqo", "nqo_Nkoo"),
    ],
)  # fmt: skip
def test_spellings_in_the_wild(spelling: str, tag: str) -> None:
    assert parse(spelling).tag == tag


@pytest.mark.parametrize("word", ["label", "Bench", "train", "test", "data", "text", "the topic"])
def test_an_ordinary_word_is_no_language_though_some_language_is_called_so(word: str) -> None:
    with pytest.raises(LanguageError):
        parse(word)


def test_a_shipped_language_in_another_script_keeps_its_family() -> None:
    language = parse("uzn_Cyrl")
    assert (language.family, language.name) == ("Turkic", "Uzbek (Cyrillic script)")
    assert parse("aze_Arab").direction == "rtl"
    assert parse("tlh").family == "unknown"


def test_the_table_is_well_formed() -> None:
    rows = read_table("languages.tsv")
    assert [row["tag"] for row in rows] == sorted({row["tag"] for row in rows})
    assert len({row["name"] for row in rows}) == len(rows)
    codes = {row["code"] for row in read_table("scripts.tsv")}
    for row in rows:
        assert row["tag"][4:] in codes
        assert row["name"] and row["autonym"] and row["family"], row
        assert None not in row and None not in row.values(), row
        if row["iso639_1"]:
            assert langcodes.Language.get(row["iso639_1"]).is_valid()
    for row in read_table("aliases.tsv"):
        assert row["tag"] == "und" or parse(row["tag"]).tag == row["tag"], row
        assert row["tag"] == "und" or parse(row["alias"]).tag == row["tag"], row


@pytest.mark.parametrize(
    ("wrong", "near"), [("Germn", "German"), ("eng_Latin", "eng_Latn"), ("Klingon", "tlh_Latn")]
)
def test_an_unknown_tag_names_near_ones(wrong: str, near: str) -> None:
    with pytest.raises(LanguageError, match=near):
        parse(wrong)


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "-", "qqq", "qaa", "xx_Klingon", "eng_Latn_x", "sr@foo", "German (Foo)", "a" * 10_000,
     "\ud800", "\ud800abcd", "\x00", "und", "und_Latn", "mul", "mis", "zxx"],
)  # fmt: skip
def test_what_is_no_language(wrong: str) -> None:
    with pytest.raises(LanguageError):
        parse(wrong)


def test_directions_and_resources() -> None:
    assert {
        parse(tag).direction
        for tag in (
            "heb",
            "arb",
            "fas",
            "urd",
            "ckb",
            "snd",
            "uig",
            "yid",
            "nqo",
            "div",
            "kas_Arab",
        )
    } == {"rtl"}
    assert {parse(tag).direction for tag in ("kas_Deva", "tzm", "amh", "zh", "mn-Mong")} == {"ltr"}
    assert parse("arb_Latn").direction == "ltr"
    assert parse("yor").low_resource and not parse("deu").low_resource
    assert tag_of("und") == "und"


def test_the_room_needs_no_heavy_package() -> None:
    code = (
        "import sys; from interlingua.languages import identify, parse; parse('de');"
        "sys.exit(bool({'torch', 'transformers', 'pyarrow', 'py3langid'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
