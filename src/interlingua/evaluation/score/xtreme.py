"""XTREME: nine tasks in forty languages (Hu et al. 2020, arXiv 2003.11080)."""

from __future__ import annotations

from interlingua.evaluation.score.records import ScoredTask, Suite, codes

SCRIPT = "https://github.com/google-research/xtreme/blob/master/evaluate.py"
MLQA_SCRIPT = "https://github.com/facebookresearch/MLQA/blob/main/mlqa_evaluation_v1.py"

ACCURACY = "Accuracy, times 100: share of lines that equal the label's line after stripping."
CORRECTED = {
    "exact_match_corrected": "exact match after the normalisation of f1_corrected",
    "f1_corrected": "token F1 with Unicode punctuation and the language's articles left out"
    " (Arabic only at the beginning of a word) and scripts without spaces cut into characters",
}
SQUAD = (
    "SQuAD 1.1's exact match and token F1, times 100, with its English normalisation for every"
    " language: ASCII punctuation, the words a, an, the, and white space; best of the references;"
    " a question without an answer scores 0. Thai and Chinese F1 is therefore near exact match."
)
MLQA = (
    "MLQA's exact match and token F1, times 100, normalised by the language of the context: all"
    " punctuation of Unicode, the language's articles, single characters for Chinese. The rule for"
    " Arabic deletes every alef-lam, inside words too; best of the references; a question without"
    " an answer scores 0."
)
SEQEVAL = (
    "Micro-averaged span F1, precision and recall of seqeval 1.x, times 100, lenient as conlleval:"
    " I- without B- begins a span."
)
POS = (
    "seqeval 1.x's span F1 on plain tags, times 100, not token accuracy: runs of equal tags are one"
    " span, the first letter is taken for a prefix, CCONJ and SCONJ count as one type, and a span"
    " of X may begin before it."
)
BUCC = (
    "F1, precision and recall of mined pairs as sets, times 100; the threshold was chosen before,"
    " on the dev gold."
)
TATOEBA = (
    "Accuracy, times 100: share of English sentences whose nearest neighbour in the other language"
    " is the right one, by its index."
)
POS_OTHERS = {
    "accuracy": "share of tokens with the right tag",
    "f1_seqeval_0": "seqeval before 1.0, which read the whole tag as the type: the numbers of 2020",
}
NER_OTHERS = {"f1_strict_iob2": "strict IOB2: a span begins with B-, a stray I- is no entity"}
UNLIKE_SQUAD = "lm-evaluation-harness compares with the first reference only."
UNLIKE_MLQA = "lm-evaluation-harness deletes the Arabic article at beginnings of words only."
UNLIKE_BUCC = (
    "mteb keeps the gold sentences only and reports weighted F1 of nearest neighbours;"
    " sentence-transformers tunes the threshold on the set it scores."
)
UNLIKE_TATOEBA = (
    "LASER reports the error rate of margin search, mteb weighted F1 from foreign to English,"
    " sentence-transformers the mean of both directions."
)
PANX_LANGUAGES = codes(
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th"
    " sw yo my zh kk tr et fi hu"
)
UDPOS_LANGUAGES = codes(
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi"
    " yo zh"
)
TATOEBA_LANGUAGES = codes(
    "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh"
    " kk tr et fi hu"
)
BUCC_LANGUAGES = ("de", "fr", "ru", "zh")
XQUAD_LANGUAGES = codes("en es de el ru tr ar vi th zh hi")
MLQA_LANGUAGES = codes("en es de ar hi vi zh")
TYDIQA_LANGUAGES = codes("en ar bn fi id ko ru sw te")


def _files(task: str, ending: str) -> dict[str, tuple[str, ...]]:
    name = (f"{task}/test-{{lang}}.{ending}",)
    return {"predictions": name, "labels": name}


XTREME = Suite(
    name="xtreme",
    summary="XTREME, nine tasks in forty languages",
    shape="xtreme",
    groups={
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
    averages="Each task is the plain mean over its languages, English included; of question"
    " answering the mean of exact match and F1. A group is the mean of its tasks and all_task the"
    " mean of the nine; both are given only when every task of theirs is complete.",
    tasks=(
        ScoredTask(
            name="pawsx",
            measure="line_accuracy",
            metrics=("accuracy",),
            languages=("de", "en", "es", "fr", "ja", "ko", "zh"),
            **_files("pawsx", "tsv"),
            definition=ACCURACY,
            others={},
            source=SCRIPT,
            licence="free for any use, by Google's notice",
            citation="Yang et al. 2019, D19-1382",
        ),
        ScoredTask(
            name="xnli",
            measure="line_accuracy",
            metrics=("accuracy",),
            languages=codes("ar bg de el en es fr hi ru sw th tr ur vi zh"),
            **_files("xnli", "tsv"),
            definition=ACCURACY,
            others={},
            unlike="mteb drops the neutral pairs and reports average precision;"
            " lm-evaluation-harness compares likelihoods of a prompt.",
            source=SCRIPT,
            licence="CC-BY-NC-4.0",
            citation="Conneau et al. 2018, D18-1269",
        ),
        ScoredTask(
            name="panx",
            measure="tag_lines",
            metrics=("f1", "precision", "recall"),
            languages=PANX_LANGUAGES,
            **_files("panx", "tsv"),
            definition=SEQEVAL,
            others=NER_OTHERS,
            unlike="mT5 counts spans written as text.",
            source=SCRIPT,
            licence="ODC-BY",
            citation="Pan et al. 2017, P17-1178; Rahimi et al. 2019, P19-1015",
        ),
        ScoredTask(
            name="udpos",
            measure="tag_lines",
            metrics=("f1", "precision", "recall"),
            languages=UDPOS_LANGUAGES,
            **_files("udpos", "tsv"),
            definition=POS,
            others=POS_OTHERS,
            unlike="XGLUE's POS is seqeval's precision; most papers mean token accuracy.",
            source=SCRIPT,
            licence="each treebank's own",
            citation="Nivre et al. 2018, Universal Dependencies 2.5",
        ),
        ScoredTask(
            name="bucc2018",
            measure="pair_f1",
            metrics=("f1", "precision", "recall"),
            languages=BUCC_LANGUAGES,
            **_files("bucc2018", "tsv"),
            definition=BUCC,
            others={},
            unlike=UNLIKE_BUCC,
            source=SCRIPT,
            licence="research only, by the shared task's notice",
            citation="Zweigenbaum et al. 2018, BUCC shared task",
        ),
        ScoredTask(
            name="tatoeba",
            measure="line_accuracy",
            metrics=("accuracy",),
            languages=TATOEBA_LANGUAGES,
            **_files("tatoeba", "tsv"),
            definition=TATOEBA,
            others={},
            unlike=UNLIKE_TATOEBA,
            source=SCRIPT,
            licence="CC-BY-2.0-FR",
            citation="Artetxe and Schwenk 2019, Q19-1038",
        ),
        ScoredTask(
            name="xquad",
            measure="squad",
            metrics=("exact_match", "f1"),
            languages=XQUAD_LANGUAGES,
            **_files("xquad", "json"),
            definition=SQUAD,
            others=CORRECTED,
            unlike=UNLIKE_SQUAD,
            source=SCRIPT,
            licence="CC-BY-SA-4.0",
            citation="Artetxe et al. 2020, 2020.acl-main.421",
        ),
        ScoredTask(
            name="mlqa",
            measure="mlqa",
            closed=True,
            metrics=("exact_match", "f1"),
            languages=MLQA_LANGUAGES,
            **_files("mlqa", "json"),
            definition=MLQA,
            others=CORRECTED,
            unlike=UNLIKE_MLQA,
            source=SCRIPT,
            licence="CC-BY-SA-3.0",
            citation="Lewis et al. 2020, 2020.acl-main.653",
        ),
        ScoredTask(
            name="tydiqa",
            measure="squad",
            metrics=("exact_match", "f1"),
            languages=TYDIQA_LANGUAGES,
            **_files("tydiqa", "json"),
            definition=SQUAD,
            others=CORRECTED,
            unlike="TyDiQA's own README leaves English out of the mean.",
            source=SCRIPT,
            licence="Apache-2.0",
            citation="Clark et al. 2020, 2020.tacl-1.30",
        ),
    ),
)
