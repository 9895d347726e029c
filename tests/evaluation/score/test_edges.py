"""Odd files: the official scripts, told again in a few lines, are the second source."""

from __future__ import annotations

import json
import random
import warnings

import pytest

from interlingua.base.errors import DataError, LanguageError, UnknownNameError, UsageError
from interlingua.evaluation.score.run import document, score


def figures(suite, folder, gold, found, *, ending="tsv", lang="de", task=None):
    """Score two texts as the files of one language."""
    for role, text in (("labels", gold), ("predictions", found)):
        file = folder / role / (task or ".") / f"test-{lang}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    given = document(score(suite, predictions=folder / "predictions", labels=folder / "labels"))
    values = given[task] if task else given
    return {
        key: of[lang] for key, of in values.items() if isinstance(of, dict) and lang in of
    }, given


def python_lines(path):
    with path.open() as file:
        return [line.strip() for line in file]


def sentences(path):
    out, now = [], []
    for line in python_lines(path):
        if line:
            now.append(line)
        else:
            out.append(now)
            now = []
    return [*out, now] if now else out


def test_tagging_with_odd_line_ends_and_blank_lines(tmp_path):
    metrics = pytest.importorskip("seqeval.metrics")
    rng = random.Random(0)
    tags = ["B-PER", "I-PER", "I-LOC", "B-LOC", "O", "NOUN", "X"]
    for _ in range(150):
        gold = [[rng.choice(tags) for _ in range(rng.randrange(4))] for _ in range(4)] + [["O"]]
        found = [[t if rng.random() < 0.5 else rng.choice(tags) for t in s] for s in gold]
        for role, corpus in (("labels", gold), ("predictions", found)):
            end = rng.choice(["\n", "\r\n", " \n", "\t\r\n", "\r"])
            text = end.join(tag for s in corpus for tag in [*s, ""])
            file = tmp_path / role / "panx" / "test-de.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((text + end * rng.randrange(2)).encode())
        paths = [tmp_path / role / "panx" / "test-de.tsv" for role in ("labels", "predictions")]
        right, given = map(sentences, paths)
        if list(map(len, right)) != list(map(len, given)):
            with pytest.raises(DataError):
                score("xtreme", predictions=tmp_path / "predictions", labels=tmp_path / "labels")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = metrics.f1_score(right, given) * 100
        ours = score("xtreme", predictions=tmp_path / "predictions", labels=tmp_path / "labels")
        assert ours.tasks[0].measured["de"].figures["f1"] == expected


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ("a\r\nb\r\n", "a\nb", 100),
        ("a\nb\n", "a \n\tb\n", 100),
        ("a\rb\n", "a\nc\n", 50),  # a lone carriage return ends a line, too
        ("a\n\n", "b\n\n", 50),  # blank in both: right, says the script
        ("a\tx y\n", "a\tx y\n", 100),
        ("a\nb\n", "A\nb\n", 50),
    ],
)
def test_accuracy_of_lines(tmp_path, gold, found, expected):
    values, _ = figures("xtreme", tmp_path, gold, found, task="xnli")
    assert values == {"accuracy": expected}


@pytest.mark.parametrize(
    ("gold", "found", "line"),
    [
        ("a\nb\n", "a\nb\n\n", 3),
        ("a\nb\n", "a\n", 2),
        ("a\nb\n", "a\nb\t0.93\n", 2),
        ("a\nb\n", "", 1),
        ("a\nb\n", "\ufeffa\nb\n", 1),
    ],
)
def test_accuracy_refuses(tmp_path, gold, found, line):
    with pytest.raises(DataError) as caught:
        figures("xtreme", tmp_path, gold, found, task="xnli")
    assert caught.value.line == line
    assert caught.value.path == tmp_path / "predictions" / "xnli" / "test-de.tsv"


def test_labels_that_never_occur_are_remarked(tmp_path):
    _, given = figures("xtreme", tmp_path, "neutral\n", "1\n", task="xnli")
    assert "no predicted label occurs" in given["remarks"][0]


def test_pairs_repeated_and_blank(tmp_path):
    values, given = figures("bucc2018", tmp_path, "a\tb\nc\td\n", "a\tb\r\na\tb\r\n\r\n")
    assert (values["precision"], values["recall"]) == (50, 50)  # the blank line is a pair
    assert len(given["remarks"]) == 2
    values, _ = figures("bucc2018", tmp_path, "a\tb\n", "")
    assert set(values.values()) == {0}


def questions(*answers):
    qas = [{"id": f"q{i}", "answers": [{"text": t} for t in a]} for i, a in enumerate(answers)]
    return json.dumps({"version": 1.1, "data": [{"paragraphs": [{"qas": qas}]}]})


def test_questions_at_the_edge(tmp_path):
    gold = questions(["x"], ["", "y"], [], ["«Ja»", "nein"], ["the"])
    found = '{"q0": "the X.", "q1": "", "q2": "", "q3": "Ja", "q4": "a", "q9": "z", "q0": "x"}'
    values, given = figures("xquad", tmp_path, gold, found, ending="json")
    # q1 and q4: both empty after normalisation match exactly and share no token.
    assert values == {"exact_match": 80, "f1": 40}
    # In German «the» is no article.
    assert given["others"]["xquad"]["exact_match_corrected"] == {"de": 80}
    told = " ".join(given["remarks"])
    assert "1 answers to other questions" in told
    assert "'q0'" in told
    assert "1 questions have no answer" in told
    assert not any("answers" in text for text in given["missing"])

    values, given = figures(
        "xquad", tmp_path, questions(["x"], ["y"]), '{"q1": "y"}', ending="json"
    )
    assert values == {"exact_match": 50, "f1": 50}
    assert any("1 answers, scored 0: 'q0'" in text for text in given["missing"])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ('{"q0": null}', "'q0'"),
        ('["x"]', "list, expected an object"),
        ('{"a": "x"}', "none of its 1 ids"),
        ('{\n"q0" "x"}', "line 2: not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_answers_that_are_refused(tmp_path, found, message):
    with pytest.raises(DataError, match=message):
        figures("xquad", tmp_path, questions(["x"]), found, ending="json")


@pytest.mark.parametrize(
    "gold",
    ["{}", '{"data": {}}', '{"data": [{}]}', '{"data": [{"paragraphs": [{"qas": [{"id": 1}]}]}]}'],
)
def test_labels_that_are_refused(tmp_path, gold):
    with pytest.raises(DataError, match=r"labels.*data"):
        figures("xquad", tmp_path, gold, "{}", ending="json")


def test_columns_of_other_shapes(tmp_path):
    gold = "-DOCSTART- -X- O\n\nen:Ann\tB-PER\nLee\tI-PER\n\n\nnow\tO\n"
    values, _ = figures("panx", tmp_path, gold, "Ann I-PER\r\nLee I-PER \r\n\r\nnow O")
    assert values["f1"] == 100
    with pytest.raises(DataError, match="line 2: token 'Li', but 'Lee'"):
        figures("panx", tmp_path, gold, "Ann I-PER\nLi I-PER\n\nnow O")
    with pytest.raises(DataError, match=r"1 sentences, but .* has 2"):
        figures("panx", tmp_path, gold, "O\nO\n")
    with pytest.raises(DataError, match=r"line 1: sentence 1 has 3 tags, but 2 in .*\(line 3\)"):
        figures("panx", tmp_path, gold, "O\nO\nO\n")


def test_words_that_are_not_written_have_no_part_of_speech(tmp_path):
    (tmp_path / "labels").mkdir()
    rows = ["# text = zum Haus", "1-2\tzum\t_\t_", "1\tzu\tzu\tADP", "2\tdem\tder\tDET"]
    rows += ["2.1\tx\tx\tX", "3\tHaus\tHaus\tNOUN", "", ""]
    (tmp_path / "labels" / "de_pud-ud-test.conllu").write_text("\n".join(rows))
    (tmp_path / "found.tsv").write_text("ADP\nDET\nVERB\n")
    report = score(
        "udpos", predictions=tmp_path / "found.tsv", labels=tmp_path / "labels", lang="German"
    )
    measured = report.tasks[0].measured["de"]
    assert measured.others["accuracy"] == pytest.approx(200 / 3)


def xglue(tmp_path, task, gold, found, name):
    for file, text in ((f"labels/{task}/{name}", gold), (f"found/{task}/de.prediction", found)):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    report = score("xglue", predictions=tmp_path / "found", labels=tmp_path / "labels")
    return report.tasks[0].measured["de"]


def test_xglue_fills_up_and_ranks_runs_of_queries(tmp_path):
    measured = xglue(tmp_path, "NER", "a B-X\nb O\n\nc B-X\n", "B-X\n\nB-X\n", "de.test")
    assert measured.figures == {"score": 1}
    assert "1 tags lacked" in measured.remarks[0]
    gold = "a\tx\t0\na\ty\t2\nb\tz\t1\na\tx\t0\na\ty\t1\n"
    measured = xglue(tmp_path / "w", "WPR", gold, "0\n1\n0\n1\n0\n", "xglue.wpr.de.dev")
    # Two runs of the query a, not one; b has one page.
    assert measured.figures["score"] == pytest.approx((1 + 0.6309297535714575) / 2)
    assert "1 queries with one page" in measured.remarks[0]


def test_files_and_folders(tmp_path):
    labels, found = tmp_path / "xquad.ar.json", tmp_path / "answers.json"
    labels.write_text(questions(["x"]))
    found.write_text('{"q0": "x"}')
    flat = document(score("xquad", predictions=found, labels=labels))
    assert flat.items() >= {"exact_match": 100, "f1": 100, "lang": "ar"}.items()
    assert flat["partial"] == {}
    other = labels.rename(tmp_path / "gold")
    with pytest.raises(UsageError, match="--lang"):
        score("xquad", predictions=found, labels=other)
    assert (
        document(score("xquad", predictions=found, labels=other, lang="arb_Arab"))["lang"] == "ar"
    )
    with pytest.raises(UsageError, match="no figure for the language 'th'"):
        score("mlqa", predictions=found, labels=other, lang="th")
    with pytest.raises(UsageError, match="9 tasks"):
        score("xtreme", predictions=found, labels=other)
    with pytest.raises(LanguageError):
        score("xquad", predictions=found, labels=other, lang="klingonese")
    with pytest.raises(UnknownNameError, match="xtreme"):
        score("xtrem", predictions=found, labels=other)
    with pytest.raises(DataError, match="no such file"):
        score("xquad", predictions=tmp_path / "none", labels=other)


def test_one_tydiqa_file_holds_many_languages(tmp_path):
    qas = [
        {"id": f"{lang}-{i}", "answers": [{"text": "x"}]}
        for i, lang in enumerate(["finnish"] * 2 + ["korean"])
    ]
    (tmp_path / "gold.v1").write_text(json.dumps({"data": [{"paragraphs": [{"qas": qas}]}]}))
    (tmp_path / "found.v1").write_text('{"finnish-0": "x", "korean-2": "x"}')
    given = document(
        score("tydiqa_goldp", predictions=tmp_path / "found.v1", labels=tmp_path / "gold.v1")
    )
    assert given["f1"] == {"fi": 50, "ko": 100}
    assert given["partial"]["tydiqa_goldp"]["languages"] == ["fi", "ko"]


def test_the_test_split_goes_before_dev_unless_dev_was_predicted(tmp_path):
    for name, text in (("dev", "O\n"), ("test", "O\nO\n")):
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}-de.tsv").write_text(text)
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "de.tsv").write_text("O\nO\n")
    assert score("panx", predictions=tmp_path / "found", labels=tmp_path / "labels").tasks
    (tmp_path / "found" / "de.tsv").rename(tmp_path / "found" / "dev-de.tsv")
    with pytest.raises(DataError, match="2 tags, but 1"):
        score("panx", predictions=tmp_path / "found", labels=tmp_path / "labels")


def test_pairs_of_languages_stay_outside_the_averages(tmp_path):
    for role, text in (("labels", questions(["x"])), ("found", '{"q0": "x"}')):
        (tmp_path / role).mkdir()
        for pair in ("context-de-question-de", "context-de-question-en"):
            (tmp_path / role / f"dev-{pair}.json").write_text(text)
    given = document(score("mlqa", predictions=tmp_path / "found", labels=tmp_path / "labels"))
    assert given["f1"] == {"de": 100, "de-en": 100}
    assert given["partial"]["mlqa"]["languages"] == ["de"]
    assert "de-en outside the official languages" in given["remarks"][0]


def test_the_language_of_a_figure_is_that_of_the_labels(tmp_path):
    """MLQA normalises by the context, which the labels' name tells, not the answers' name."""
    qas = [{"id": "q", "answers": [{"text": "die house"}]}]
    labels = tmp_path / "test-context-en-question-de.json"
    labels.write_text(json.dumps({"data": [{"paragraphs": [{"qas": qas}]}]}))
    (tmp_path / "answers.de.json").write_text('{"q": "house"}')
    given = document(score("mlqa", predictions=tmp_path / "answers.de.json", labels=labels))
    assert given["exact_match"] == 0


def test_tags_that_are_missing_are_no_tags(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "test-de.tsv").write_text("Berlin\tB-LOC\nist\tO\n")
    (tmp_path / "found").mkdir()
    found = tmp_path / "found" / "test-de.tsv"
    for text, told in (("Berlin\tB-LOC\nist\t\n", "line 2: .*has no tag"), ("\n\n", "0 sentences")):
        found.write_text(text)
        with pytest.raises(DataError, match=told):
            score("panx", predictions=tmp_path / "found", labels=tmp_path / "labels")
