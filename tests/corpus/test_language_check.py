"""Languages of documents and lines: what is plainly wrong goes, what is unsure stays."""

from __future__ import annotations

from pathlib import Path

from interlingua.corpus.language_check import (
    NO_LANGUAGE,
    WRONG_LANGUAGE,
    WRONG_SCRIPT,
    LanguageRules,
    check,
)
from interlingua.corpus.phrasebook import test_files as sentence_files
from interlingua.corpus.rows import read_table
from interlingua.languages import known
from interlingua.languages.identify import detectable

RULES = LanguageRules()
GERMAN = (
    "Die Sitzung wurde auf Donnerstag verschoben, weil der Raum belegt ist, und alle wurden "
    "rechtzeitig davon unterrichtet, dass sie später beginnt."
)
ENGLISH = (
    "The meeting was moved to Thursday because the room is taken, and everybody was told in good "
    "time that it would begin later than planned."
)


def test_short_texts_keep_the_language_they_are_said_to_be_in() -> None:
    rows = [row.values for file in sentence_files() for row in read_table(file)]
    texts = [str(row["text"]) for row in rows]
    langs = [file.name.split(".")[1] for file in sentence_files() for _ in read_table(file)]
    done = check(texts, langs, RULES)
    assert [one.reason for one in done] == [""] * len(texts)
    assert [one.text for one in done] == texts


def test_real_sentences_of_forty_languages_stay(data_dir: Path) -> None:
    for path in sorted((data_dir / "sib200").glob("*/test.tsv")):
        texts = [line.split("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        done = check(texts, [path.parent.name] * len(texts), RULES)
        assert not [one for one in done if one.reason], path


def test_what_is_plainly_another_language_goes() -> None:
    tags = [language.tag for language in known() if language.script == "Latn"]
    beyond = next(tag for tag in tags if tag[:3] not in detectable())  # what it cannot tell
    said = [
        (ENGLISH, "deu_Latn"),
        (GERMAN, "deu_Latn"),
        (GERMAN, "rus_Cyrl"),
        (ENGLISH, beyond),
        ("Guten Morgen", "eng_Latn"),
        ("apt 2.1, GNU/Linux 6.1", "jpn_Jpan"),
    ]
    done = check([text for text, _ in said], [lang for _, lang in said], RULES)
    assert [one.reason for one in done] == [WRONG_LANGUAGE, "", WRONG_SCRIPT, "", "", ""]


def test_a_document_without_a_language_gets_one_or_is_told() -> None:
    done = check([GERMAN, "1234", ENGLISH], ["und"] * 3, RULES)
    assert [(one.lang, one.reason) for one in done] == [
        ("deu_Latn", ""),
        ("und", NO_LANGUAGE),
        ("eng_Latn", ""),
    ]
    few = LanguageRules(among=("nld_Latn", "deu_Latn"))
    assert check([GERMAN], ["und"], few)[0].lang == "deu_Latn"


def test_lines_in_another_language_are_taken_out() -> None:
    mixed = f"Titel\n\n{GERMAN}\n\n{ENGLISH}\n\n{GERMAN}"
    (one,) = check([mixed], ["deu_Latn"], RULES)
    assert (one.text, one.lines, one.reason) == (f"Titel\n\n{GERMAN}\n\n{GERMAN}", 1, "")
    (kept,) = check([mixed], ["deu_Latn"], LanguageRules(lines=False))
    assert (kept.text, kept.lines) == (mixed, 0)


def test_no_documents_are_checked_without_trouble() -> None:
    assert check([], [], RULES) == []
