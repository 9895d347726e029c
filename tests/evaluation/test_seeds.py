"""The spread over seeds is the mean and the deviation, over the same test rows only."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from scorecard_toys import answers

from interlingua.base.errors import UsageError
from interlingua.evaluation.scorecard import read
from interlingua.evaluation.seeds import over_seeds
from interlingua.evaluation.table import print_seeds

LANGS = ["eng_Latn", "deu_Latn", "arb_Arab"]


def test_mean_and_deviation(save):
    folders = [save(str(i), answers(LANGS, rows=40 + i)) for i in range(3)]
    report = over_seeds(folders)
    for lang in LANGS:
        scores = [read(folder).per_language[lang].score for folder in folders]
        assert report.per_language[lang].values == tuple(scores)
        assert report.per_language[lang].mean == pytest.approx(np.mean(scores))
        assert report.per_language[lang].sd == pytest.approx(np.std(scores, ddof=1))
    out = StringIO()
    print_seeds(report, Console(file=out, width=100))
    assert "deu_Latn" in out.getvalue()


def test_one_card_has_no_spread(save):
    with pytest.raises(UsageError, match="two"):
        over_seeds([save("a", answers(LANGS))])


def test_other_languages_are_not_other_seeds(save):
    with pytest.raises(UsageError, match="different"):
        over_seeds([save("a", answers(LANGS)), save("b", answers(LANGS[:2]))])
