"""XGLUE: eleven tasks in nineteen languages (Liang et al. 2020, arXiv 2004.01401)."""

from __future__ import annotations

from interlingua.evaluation.score import xtreme
from interlingua.evaluation.score.records import ScoredTask, Suite, codes

SCRIPT = "https://github.com/microsoft/XGLUE/blob/master/evaluation/xglue_evaluate.py"
_LICENCE = "research only, by XGLUE's notice"
_XGLUE = "Liang et al. 2020, 2020.emnlp-main.484"
_ACCURACY = "Accuracy: share of lines that equal the last column of the label's line."
_BLEU = (
    "sacreBLEU's corpus BLEU of lower-cased text, tokenizer 13a for every language, one reference,"
    " divided by 100."
)
_BLEU_OTHERS = {
    "bleu_cased": "the same with case",
    "chrf++": "chrF++ of sacreBLEU with case",
}


def _task(
    name: str,
    measure: str,
    languages: str,
    labels: str,
    definition: str,
    *,
    others: dict[str, str] | None = None,
    unlike: str = "",
    citation: str = _XGLUE,
) -> ScoredTask:
    return ScoredTask(
        name=name,
        measure=measure,
        metrics=("score",),
        languages=codes(languages),
        predictions=(f"{name}/{{lang}}.prediction",),
        labels=(f"{name}/{labels}",),
        definition=definition,
        others=others or {},
        unlike=unlike,
        source=SCRIPT,
        licence=_LICENCE,
        citation=citation,
    )


XGLUE = Suite(
    name="xglue",
    summary="XGLUE, eleven tasks in nineteen languages",
    shape="xglue",
    averages="Each task's avg is the plain mean over its languages, English included; the average"
    " over tasks is that of all eleven, given only when every one is complete. All in [0, 1].",
    tasks=(
        _task(
            "NER",
            "padded_f1",
            "de en es nl",
            "{lang}.{split}",
            "seqeval 1.x's micro-averaged span F1, lenient as conlleval; sentences that were cut"
            " short are filled up with O.",
            others=xtreme.NER_OTHERS,
            citation="Tjong Kim Sang 2002, W02-2024; Tjong Kim Sang and De Meulder 2003, W03-0419",
        ),
        _task(
            "POS",
            "padded_precision",
            "pl ar ru bg de el en es fr hi it nl pt th tr ur vi zh",
            "{lang}.{split}",
            "seqeval 1.x's span precision on plain tags, though the paper says accuracy; sentences"
            " that were cut short are filled up with O. Tags are read as in XTREME's udpos.",
            others={"accuracy": xtreme.POS_OTHERS["accuracy"]},
            unlike="XTREME's udpos is seqeval's F1.",
            citation="Zeman et al. 2019, Universal Dependencies 2.5",
        ),
        _task("NC", "last_column_accuracy", "de en es fr ru", "xglue.nc.{lang}.{split}", _ACCURACY),
        _task(
            "MLQA",
            "mlqa_f1",
            "ar de en es hi vi zh",
            "MLQA_V1/{split}/{split}-context-{lang}-question-{question}.json",
            f"F1 alone, divided by 100. {xtreme.MLQA}",
            others={"exact_match": "MLQA's exact match", **xtreme.CORRECTED},
            unlike=xtreme.UNLIKE_MLQA,
            citation="Lewis et al. 2020, 2020.acl-main.653",
        ),
        _task(
            "XNLI",
            "last_column_accuracy",
            "ar bg de el en es fr hi ru sw th tr ur vi zh",
            "{lang}.{split}",
            _ACCURACY,
            citation="Conneau et al. 2018, D18-1269",
        ),
        _task(
            "PAWSX",
            "last_column_accuracy",
            "de en es fr",
            "{lang}/{split}_2k.tsv",
            f"{_ACCURACY} The header and blank lines of the labels do not count.",
            unlike="XTREME's pawsx has seven languages.",
            citation="Yang et al. 2019, D19-1382",
        ),
        _task("QADSM", "last_column_accuracy", "de en fr", "xglue.qadsm.{lang}.{split}", _ACCURACY),
        _task(
            "WPR",
            "grouped_ndcg",
            "de en es fr it pt zh",
            "xglue.wpr.{lang}.{split}",
            "nDCG of scikit-learn over whole lists: linear gain, tied pages share the mean of their"
            " gains; mean over runs of lines with one query, those of one page left out.",
            others={"ndcg_exponential": "the same with gain 2^relevance - 1"},
            unlike="trec_eval breaks ties by document id; papers on web search mostly mean"
            " exponential gain.",
        ),
        _task("QAM", "last_column_accuracy", "de en fr", "xglue.qam.{lang}.{split}", _ACCURACY),
        _task(
            "QG",
            "sentence_bleu",
            "de en es fr it pt",
            "xglue.qg.{lang}.tgt.{split}",
            _BLEU,
            others=_BLEU_OTHERS,
        ),
        _task(
            "NTG",
            "sentence_bleu",
            "de en es fr ru",
            "xglue.ntg.{lang}.tgt.{split}",
            _BLEU,
            others=_BLEU_OTHERS,
        ),
    ),
)
