"""Which language a text is in, and when that is not said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import LanguageError, MissingExtraError
from interlingua.base.optional import available
from interlingua.languages import identify, known, parse, script_of, tag_of, writes
from interlingua.languages.identify import candidates, chinese_script, detectable, labelled


class FakeFastText:
    """Answers as fastText does: the same labels whatever the text."""

    def __init__(self, *scored: tuple[str, float]) -> None:
        self.scored = scored

    def predict(self, text: str, k: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
        assert "\n" not in text, "fastText refuses more than one line"
        scored = self.scored if k < 0 else self.scored[:k]
        return tuple(f"__label__{label}" for label, _ in scored), tuple(p for _, p in scored)


def ask(text: str, *scored: tuple[str, float], among: frozenset[str] = frozenset()) -> str:
    detector = labelled(FakeFastText(*scored))
    return identify([text], detector=detector, among=sorted(among))[0].tag


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
        ("회의실이 사용 중이어서 회의가 목요일로 변경되었습니다.", "kor_Hang"),
        ("تم نقل الاجتماع إلى يوم الخميس لأن الغرفة مشغولة.", "arb_Arab"),
        ("הפגישה הועברה ליום חמישי כי החדר תפוס.", "heb_Hebr"),
        ("การประชุมเลื่อนไปเป็นวันพฤหัสบดีเพราะห้องไม่ว่าง", "tha_Thai"),
        ("Η συνεδρίαση μεταφέρθηκε την Πέμπτη επειδή η αίθουσα είναι πιασμένη.", "ell_Grek"),
        ("შეხვედრა ხუთშაბათს გადაიდო, რადგან ოთახი დაკავებულია.", "kat_Geor"),
        ("Данас је леп дан и сви смо веома срећни што сте дошли.", "srp_Cyrl"),
        ("@someone https://example.org/about-us कमरा खाली नहीं है, बैठक गुरुवार को होगी", "hin_Deva"),
        ("", "und"),
        ("12345 !!! 🏞", "und"),
        ("https://example.org/index.html @someone me@example.org", "und"),
    ],
)
def test_identification(text: str, tag: str) -> None:
    assert identify([text])[0].tag == tag


def test_invisible_characters_inside_words_change_nothing() -> None:
    text = "The meeting was moved to Thursday because the room is taken."
    hidden = "\u200b".join(text) + "\u202e\ufeff"
    assert identify([hidden]) == identify([text])


def test_hostile_texts_get_an_answer() -> None:
    texts = ["\ud800", "\x00", "a" * 1_000_000, "\u202e\u200b", "\u0301" * 10_000, "🏳️‍🌈" * 500,
             "@" * 1000, "a@" * 500, "www." * 250, "\r\n\u2028\x85" * 200]  # fmt: skip
    found = identify(texts)
    assert len(found) == len(texts)
    assert all(0 <= result.probability <= 1 for result in found)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_named_could_be_written_so(text: str) -> None:
    (found,) = identify([text], threshold=0.0)
    assert found.tag == "und" or parse(found.tag).tag == found.tag
    assert 0 <= found.probability <= 1


def test_the_script_of_the_letters_has_the_last_word() -> None:
    assert ask("Привет, мир", ("eng_Latn", 0.99)) == "und"
    assert ask("hello world", ("rus_Cyrl", 0.99)) == "und"
    assert ask("日本", ("jpn_Jpan", 0.9)) == "jpn_Jpan"
    # A label without a script means the one of the language's scripts that the text is in.
    assert ask("Dobar dan svima", ("sr", 0.9)) == "srp_Latn"
    assert ask("Добар дан свима", ("sr", 0.9)) == "srp_Cyrl"
    assert ask("Добар дан", ("hr", 0.9)) == "und"


def test_labels_of_fasttext_models_become_our_tags() -> None:
    assert ask("hello there", ("eng_Latn", 0.9), ("deu_Latn", 0.1)) == "eng_Latn"
    assert ask("這是我們的國家", ("cmn_Hani", 0.9)) == "zho_Hant"
    assert ask("这是我们的国家", ("zho_Hani", 0.9)) == "zho_Hans"
    assert ask("tere kõigile", ("ekk_Latn", 0.9)) == "est_Latn"
    # lid.176 follows Wikipedia, where als is Alemannic; with a script it is Albanian.
    assert ask("Guete Morge", ("als", 0.9)) == "gsw_Latn"
    assert ask("Mirëmëngjes", ("als_Latn", 0.9)) == "als_Latn"
    assert ask("one\ntwo\rthree", ("eng_Latn", 0.9)) == "eng_Latn"
    assert ask("hello", ("und_Latn", 0.9), ("zxx_Zzzz", 0.1)) == "und"


def test_labels_that_mean_one_tag_are_added_up() -> None:
    assert ask("salaam", ("swa", 0.3), ("swh_Latn", 0.3), ("eng_Latn", 0.4)) == "swh_Latn"


def test_among_a_few_languages_probabilities_sum_to_one() -> None:
    scored = (("eng_Latn", 0.9), ("nld_Latn", 0.06), ("deu_Latn", 0.02))
    (found,) = identify(
        ["een zin"], detector=labelled(FakeFastText(*scored)), among=["deu_Latn", "nld_Latn"]
    )
    assert found.tag == "nld_Latn"
    assert found.probability == pytest.approx(0.75)
    # However far down the list the possible languages stand.
    german = "Das ist ein Satz auf Deutsch und kein anderer"
    (real,) = identify([german], among=["zul", "yor"], threshold=0.0)
    assert real.tag in {"zul_Latn", "yor_Latn"}
    assert identify(["日本語の文です"], among=["de", "nl"])[0].tag == "und"
    with pytest.raises(LanguageError):
        identify(["x"], among=["klingonish"])


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="no fastText model"):
        identify(["x"], detector=tmp_path / "absent.bin")
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"junk")
    expected = LanguageError if available("fasttext") else MissingExtraError
    with pytest.raises(expected, match=r"no fastText model|interlingua\[lid\]"):
        identify(["x"], detector=junk)


def test_both_kinds_of_chinese_in_real_sentences(data_dir: Path) -> None:
    for script in ("Hans", "Hant"):
        lines = (
            (data_dir / f"sib200/zho_{script}/test.tsv").read_text(encoding="utf-8").splitlines()
        )
        texts = [line.split("\t")[2] for line in lines[1:]]
        assert all(chinese_script(text) == script for text in texts)
    assert chinese_script("你好") == "Hans"  # common to both


def test_every_language_the_detector_names_is_shipped() -> None:
    from py3langid import langid

    shipped = {language.tag for language in known()}
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    labels = set(model.labels) - {"zxx"}
    assert {"eng", "jpn", "swh"} <= detectable() < {tag[:3] for tag in shipped}
    assert {label: tag_of(label) for label in labels if tag_of(label) not in shipped} == {}


def test_most_sentences_of_forty_languages_are_told_right(data_dir: Path) -> None:
    right = wrong = total = 0
    for path in sorted((data_dir / "sib200").glob("*/test.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()[1:41]
        texts = [line.split("\t")[2] for line in lines]
        for text, result in zip(texts, identify(texts), strict=True):
            total += 1
            right += result.tag == path.parent.name
            wrong += result.tag not in {path.parent.name, "und"}
            assert result.tag == "und" or writes(result.tag[4:], script_of(text))
    assert right / total > 0.98
    assert wrong / total < 0.015


def test_many_texts_at_once_are_scored_as_the_detector_scores_each(data_dir: Path) -> None:
    from py3langid import langid

    from interlingua.languages.byte_walk import ByteWalk

    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    texts = ["", "a", "SHOUTED WORDS", "\0\x01", "e\u0301te\u0301", "1 2 3"]
    for path in sorted((data_dir / "sib200").glob("*/test.tsv")):
        texts += path.read_text(encoding="utf-8").splitlines()[1:12]
    walk = ByteWalk(model)
    found = walk.probabilities(texts)
    assert found.shape == (len(texts), len(walk.labels))
    for text, row in zip(texts, found.tolist(), strict=True):
        expected = dict(model.rank(text))
        assert row == pytest.approx([expected[label] for label in walk.labels], abs=1e-4)


def test_candidates_come_most_probable_first() -> None:
    texts = ["Das ist ein Satz auf Deutsch.", "", "12345", "Dette er en kort setning om vær."]
    found = candidates(texts)
    assert next(iter(found[0])) == "deu_Latn"
    assert found[1] == found[2] == {}
    assert list(found[3].values()) == sorted(found[3].values(), reverse=True)
    assert [next(iter(candidates([text])[0]), "und") for text in texts] == [
        next(iter(tags), "und") for tags in found
    ]
