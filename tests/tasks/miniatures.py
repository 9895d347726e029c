"""A few rows of every data set in its official layout, and how each breaks: one entry a data set.

Adding a data set adds an entry; `test_every_dataset` does the rest. The rows are made up.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Miniature:
    """Files of one data set.

    Attributes:
        files: Text by path; the paths are those of the download.
        broken: A path, what it holds instead, and the line that is at fault.
        rows: How many rows are read, over all languages.
        languages: Which languages are found.
    """

    files: dict[str, str]
    broken: tuple[str, str, int]
    rows: int
    languages: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Put the files where they belong."""
        for name, text in self.files.items():
            write(folder / name, text)

    def spoil(self, folder: Path) -> tuple[Path, int]:
        """Put the broken file in its place; gives its path and the line at fault."""
        name, text, line = self.broken
        write(folder / name, text)
        return (folder / name).resolve(), line


def write(path: Path, text: str) -> None:
    """Write a text as UTF-8, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def both(pattern: str, text: str) -> dict[str, str]:
    """The same text in English and German."""
    return {pattern.format(lang): text for lang in ("en", "de")}


def squad(*questions: tuple[str, str, str]) -> str:
    """SQuAD's JSON: id, question, answer, each to the same paragraph, one line a question."""
    context = "The old wall fell in Berlin in 1989."
    asked = ",\n".join(
        json.dumps(
            {
                "id": name,
                "question": question,
                "answers": [{"text": answer, "answer_start": context.index(answer)}],
            }
        )
        for name, question, answer in questions
    )
    paragraph = f'{{"context": {json.dumps(context)}, "qas": [\n{asked}\n]}}'
    return f'{{"version": "1.1", "data": [{{"title": "Wall", "paragraphs": [{paragraph}]}}]}}\n'


QUESTIONS = squad(("q1", "Where did it fall?", "Berlin"), ("q2", "When?", "1989"))
CUT = QUESTIONS.splitlines()[0] + '\n{"id": "q1",\n'
CUT_LINE = 3  # after the last of the two lines
PAIRS = "A dog runs.\tAn animal moves.\t{0}\nIt rains.\tThe sun shines.\t{1}\n"
NLI = PAIRS.format("entailment", "contradiction")
TAGGED = "Ann{0}B-PER\nLee{0}I-PER\nsleeps{0}O\n\nBonn{0}B-LOC\n"
TWO = ("deu_Latn", "eng_Latn")
QUERIES = "shoes\tRed shoes\tBuy red shoes here\t{0}\nshoes\tHats\tHats and caps\t{1}\n"
MINED = 8
PACKAGES = 30


def described(synopsis: str, text: str, number: int) -> str:
    """A package's description; the names of their clusters are all of the test part."""
    row = {"text": f"{synopsis} {number}\n\n{text} {number}", "cluster": TESTED[number]}
    return json.dumps({**row, "meta": {"synopsis": f"{synopsis} {number}"}}) + "\n"


TESTED = [f"c{i}" for i in range(200) if hashlib.sha256(f"c{i}".encode()).digest()[0] % 10 > 4]
CONLLU = """\
# sent_id = 1
1\tDogs\tdog\tNOUN\t_\t_\t2\tnsubj\t_\t_
2\tsleep\tsleep\tVERB\t_\t_\t0\troot\t_\t_
3\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_

"""
# More sentences than the twenty that are looked at, so that a ranking can miss the right one.
SENTENCES = [f"sentence {n:02}" for n in range(25)]
LAREQA = json.dumps(
    {
        "data": [
            {
                "paragraphs": [
                    {
                        "context": " ".join(SENTENCES),
                        "sentence_breaks": [[12 * n, 12 * n + 11] for n in range(25)],
                        "qas": [
                            {"id": "q", "question": "ask 2", "answers": [{"answer_start": 30}]}
                        ],
                    }
                ]
            }
        ]
    }
)
NLP4IF = "tweet_no\ttweet_text\tq1_label\n1\tIt cures all\tyes\tyes\tno\tno\tno\tno\tno\n"
NLP4IF += "2\tStay at home\tyes\tno\tno\tno\tno\tno\tno\n"
TOPICS = "index_id\tcategory\ttext\n7\tsports\tThey won.\n8\thealth\tWash your hands.\n"
NEWS = "category\theadline\ttext\turl\nsports\tWon\tThey won.\tu\nhealth\tHands\tWash them.\tu\n"

MINIATURES: dict[str, Miniature] = {
    "sib200": Miniature(
        {f"{lang}/test.tsv": TOPICS for lang in ("deu_Latn", "eng_Latn")},
        ("eng_Latn/test.tsv", TOPICS + "9\tsports\n", 4),
        4,
        TWO,
    ),
    "masakhanews": Miniature(
        {f"data/{lang}/test.tsv": NEWS for lang in ("eng", "swa")},
        ("data/eng/test.tsv", NEWS + "sports\tWon\n", 4),
        4,
        ("eng_Latn", "swh_Latn"),
    ),
    "xlmt": Miniature(
        {
            "sentiment/english/test_text.txt": "good day\nbad day\n",
            "sentiment/english/test_labels.txt": "2\n0\n",
        },
        ("sentiment/english/test_labels.txt", "2\n", 2),
        2,
        ("eng_Latn",),
    ),
    "xnli": Miniature(
        both("xnli/test-{}.tsv", NLI), ("xnli/test-en.tsv", NLI + "one\ttwo\n", 3), 4, TWO
    ),
    "pawsx": Miniature(
        {
            f"x-final/{lang}/test_2k.tsv": "id\tsentence1\tsentence2\tlabel\n"
            "1\tA b.\tB a.\t1\n2\tC d.\tD e.\t0\n3\tNS\tNS\t0\n"
            for lang in ("de", "en")
        },
        ("x-final/en/test_2k.tsv", "id\tsentence1\tsentence2\tlabel\n1\tA b.\tB a.\n", 2),
        4,
        TWO,
    ),
    "nlp4if": Miniature(
        {"covid19_disinfo_binary_english_test_gold.tsv": NLP4IF},
        ("covid19_disinfo_binary_english_test_gold.tsv", NLP4IF + "3\tyes\n", 4),
        2,
        ("eng_Latn",),
    ),
    "tatoeba": Miniature(
        {
            "tatoeba.deu-eng.deu": "Satz 1\nSatz 2\nSatz 3\n",
            "tatoeba.deu-eng.eng": "line 1\nline 2\nline 3\n",
        },
        ("tatoeba.deu-eng.eng", "line 1\nline 2\n", 3),
        3,
        ("deu_Latn",),
    ),
    "bucc2018": Miniature(
        {
            "de-en.dev.de": "".join(f"de-{i}\tSatz {i}\n" for i in range(MINED)),
            "de-en.dev.en": "".join(f"en-{i}\tline {i}\n" for i in range(MINED)),
            "de-en.dev.gold": "".join(f"de-{i}\ten-{i}\n" for i in range(MINED)),
        },
        ("de-en.dev.gold", "de-1\ten-1\nde-2\n", 2),
        MINED,
        ("deu_Latn",),
    ),
    "lareqa": Miniature(
        both("lareqa/{}.json", LAREQA), ("lareqa/en.json", '{\n"data": [', 2), 2, TWO
    ),
    "debian": Miniature(
        {
            f"documents/{lang}.jsonl": "".join(described(*words, i) for i in range(PACKAGES))
            for lang, words in (("deu_Latn", ("Zeile", "Text")), ("eng_Latn", ("line", "text")))
        },
        ("documents/eng_Latn.jsonl", described("line", "text", 0) + '{"text": "a"}\n', 2),
        PACKAGES,
        TWO,
    ),
    "xl_wa": Miniature(
        {"XL-WA/data/de/test.tsv": "old walls fall\talte Mauern fallen\t0-0 1-1 2-2\n"},
        ("XL-WA/data/de/test.tsv", "old walls\talte Mauern\n", 1),
        1,
        ("deu_Latn",),
    ),
    "panx": Miniature(
        both("panx/test-{}.tsv", TAGGED.format("\t")),
        ("panx/test-en.tsv", TAGGED.format("\t") + "Rome\n", 6),
        4,
        TWO,
    ),
    "masakhaner": Miniature(
        {f"data/{lang}/test.txt": TAGGED.format(" ") for lang in ("hau", "swa")},
        ("data/hau/test.txt", TAGGED.format(" ") + "Rome\n", 6),
        4,
        ("hau_Latn", "swh_Latn"),
    ),
    "udpos": Miniature(
        {f"{lang}_pud-ud-test.conllu": CONLLU * 2 for lang in ("de", "en")},
        ("en_pud-ud-test.conllu", CONLLU + "1\tDogs\tdog\n", 6),
        4,
        TWO,
    ),
    "xquad": Miniature(both("xquad.{}.json", QUESTIONS), ("xquad.en.json", CUT, CUT_LINE), 4, TWO),
    "mlqa": Miniature(
        {f"dev-context-{lang}-question-{lang}.json": QUESTIONS for lang in ("de", "en")}
        | {"dev-context-en-question-de.json": QUESTIONS},
        ("dev-context-en-question-en.json", CUT, CUT_LINE),
        4,
        TWO,
    ),
    "tydiqa_goldp": Miniature(
        {
            "tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json": QUESTIONS,
            "tydiqa-goldp-v1.1-dev/tydiqa.goldp.fi.dev.json": QUESTIONS,
        },
        ("tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json", CUT, CUT_LINE),
        4,
        ("eng_Latn", "fin_Latn"),
    ),
    "xglue-ner": Miniature(
        both("NER/{}.test", "-DOCSTART- O\n\n" + TAGGED.format(" ")),
        ("NER/en.test", TAGGED.format(" ") + "Rome\n", 6),
        4,
        TWO,
    ),
    "xglue-pos": Miniature(
        both("POS/{}.test", "Dogs NOUN\nsleep VERB\n\nYes INTJ\n"),
        ("POS/en.test", "Dogs NOUN\nsleep\n", 2),
        4,
        TWO,
    ),
    "xglue-nc": Miniature(
        both("NC/xglue.nc.{}.test", "Won\tThey won.\tsports\nHands\tWash them.\thealth\n"),
        ("NC/xglue.nc.en.test", "Won\tThey won.\tsports\nWon\n", 2),
        4,
        TWO,
    ),
    "xglue-xnli": Miniature(both("XNLI/{}.test", NLI), ("XNLI/en.test", NLI + "one\n", 3), 4, TWO),
    "xglue-pawsx": Miniature(
        {
            f"PAWSX/{lang}/test_2k.tsv": "id\tsentence1\tsentence2\tlabel\n"
            "1\tA b.\tB a.\t1\n2\tC d.\tD e.\t0\n"
            for lang in ("de", "en")
        },
        ("PAWSX/en/test_2k.tsv", "id\tsentence1\tsentence2\tlabel\n1\tA b.\n", 2),
        4,
        TWO,
    ),
    "xglue-qadsm": Miniature(
        both("QADSM/xglue.qadsm.{}.test", QUERIES.format("Good", "Bad")),
        ("QADSM/xglue.qadsm.en.test", QUERIES.format("Good", "Bad") + "shoes\n", 3),
        4,
        TWO,
    ),
    "xglue-wpr": Miniature(
        both("WPR/xglue.wpr.{}.test", QUERIES.format("4", "0")),
        ("WPR/xglue.wpr.en.test", QUERIES.format("4", "0") + "shoes\n", 3),
        4,
        TWO,
    ),
    "xglue-qam": Miniature(
        both("QAM/xglue.qam.{}.test", PAIRS.format("1", "0")),
        ("QAM/xglue.qam.en.test", PAIRS.format("1", "0") + "why\n", 3),
        4,
        TWO,
    ),
    "xglue-qg": Miniature(
        {
            "QG/xglue.qg.en.src.test": "It fell in Berlin in 1989.\nWater boils at 100 degrees.\n",
            "QG/xglue.qg.en.tgt.test": "Where and when did it fall?\nWhen does water boil up?\n",
        },
        ("QG/xglue.qg.en.tgt.test", "Where and when did it fall?\n", 2),
        2,
        ("eng_Latn",),
    ),
    "xglue-ntg": Miniature(
        {
            "NTG/xglue.ntg.en.src.test": "They won again today.\nIt rained all day long.\n",
            "NTG/xglue.ntg.en.tgt.test": "Home team won again today\nA day of rain and wind\n",
        },
        ("NTG/xglue.ntg.en.tgt.test", "Home team won again today\n", 2),
        2,
        ("eng_Latn",),
    ),
}
