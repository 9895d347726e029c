"""The scripts of the recipes do what their pages say."""

from __future__ import annotations

import importlib.util
import json
import sys
from itertools import combinations
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.rows import read_table
from interlingua.corpus.writing import write_rows

RECIPES = Path(__file__).parents[2] / "recipes"


def script(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    """A script of the recipes as a module, with those beside it in reach."""
    path = RECIPES / f"{name}.py"
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def pair(number: int, source: str, target: str, part: str = "synopsis") -> dict[str, Any]:
    return {
        "source": source,
        "target": target,
        "source_lang": "eng_Latn",
        "target_lang": "ita_Latn",
        "id": f"{number}/{part}",
        "cluster": f"c{number}",
        "meta": {"part": part},
    }


def test_what_is_put_aside_is_trained_on_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = script(monkeypatch, "tiny-multilingual/split")
    (tmp_path / "documents").mkdir()
    texts = [
        {"text": f"tool {i}\nlong", "lang": "eng_Latn", "cluster": f"c{i}"} for i in range(400)
    ]
    write_rows(tmp_path / "documents" / "eng_Latn.jsonl.zst", texts)
    held = [i for i in range(400) if split.held_out(f"c{i}", split.SHARE)]
    free = next(i for i in range(400) if i not in held)
    rows = [pair(i, f"Tool {i}", f"arnese {i}") for i in range(400)]
    rows += [pair(i, f"Tool {i} again", f"arnese {i} ancora") for i in range(400)]
    rows += [pair(i, f"about {i}", f"su {i}", "paragraph") for i in range(400)]
    rows[held[0]] = pair(held[0], f"TOOL {free}", "copia")  # stands in a text that is trained on
    rows[400 + held[0]] = pair(held[0], "other", f"arnese {free}")  # its translation does
    write_rows(tmp_path / "pairs.jsonl.zst", rows)
    pool = (len(held) - 1) // 2
    split.split(tmp_path / "documents", tmp_path / "pairs.jsonl.zst", tmp_path / "out", pool=pool)

    def read(name: str) -> list[dict[str, Any]]:
        return [dict(row.values) for row in read_table(tmp_path / "out" / name)]

    aside = read("test/eng_Latn-ita_Latn.jsonl") + read("choice/eng_Latn-ita_Latn.jsonl")
    clusters = [row["cluster"] for row in aside]
    assert len(set(clusters)) == len(clusters) == 2 * pool
    assert set(clusters) <= {f"c{i}" for i in held[1:]}
    assert {row["meta"]["part"] for row in aside} == {"synopsis"}
    trained = read("pairs.jsonl.zst") + read("documents/eng_Latn.jsonl.zst")
    assert {row["cluster"] for row in trained} == {f"c{i}" for i in range(400) if i not in held}
    assert len(trained) == 4 * (400 - len(held))
    with pytest.raises(DataError, match="synopses are aside"):
        split.split(
            tmp_path / "documents", tmp_path / "pairs.jsonl.zst", tmp_path / "two", pool=len(held)
        )
    assert not (tmp_path / "two").exists()


def test_retrieval_counts_both_directions_after_centring(monkeypatch: pytest.MonkeyPatch) -> None:
    retrieve = script(monkeypatch, "tiny-multilingual/retrieve")
    rng = np.random.default_rng(0)
    sources = rng.normal(size=(50, 8))
    assert retrieve.hits(sources, sources + 100.0).tolist() == [1.0] * 50
    assert retrieve.hits(sources, rng.normal(size=(50, 8))).mean() < 0.2
    # Cosines of centred vectors are 1 -1 -1, 0 0 0, -1 1 1; the first of equals is taken.
    found = retrieve.hits(np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0], [3.0], [3.0]]))
    assert found.tolist() == [1.0, 0.0, 0.5]


def test_differences_are_of_the_same_texts_and_the_mean_of_seeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script(monkeypatch, "tiny-multilingual/retrieve")
    compare = script(monkeypatch, "tiny-multilingual/compare")
    rng = np.random.default_rng(0)
    base = (rng.random((3, 200)) < 0.4).astype(float)
    better = np.maximum(base, rng.random((3, 200)) < 0.3)
    found = {
        arm: [compare.Found(2, [], {"eng_Latn-ita_Latn": row}) for row in rows]
        for arm, rows in (("mlm", base), ("tlm", better))
    }
    table = compare.report(found)["eng_Latn-ita_Latn"]
    assert table["seeds_won"] == "3 of 3"
    assert table["mlm"]["mean"] == pytest.approx(base.mean())
    difference = table["difference"]
    assert difference["mean"] == pytest.approx(better.mean() - base.mean())
    # The standard error of the mean over texts, of the differences of each text.
    error = (better - base).mean(axis=0).std() / 200**0.5
    assert difference["high"] - difference["low"] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_bits_per_byte_of_a_uniform_model(
    tmp_path: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It spends log2 V bits on every hidden token, and two such models differ by nothing."""
    from safetensors.torch import load_file, save_file

    from interlingua.base.config import make
    from interlingua.models.scratch import NewModel, write_new

    measure = script(monkeypatch, "adapt-language/measure")
    new = {"shape": "bert", "tokenizer": str(tokenizer_folder), "layers": 1, "width": 8, "heads": 1}
    write_new(tmp_path / "model", make(NewModel, new), seed=0)
    file = tmp_path / "model" / "model.safetensors"
    weights = load_file(file)
    save_file({name: tensor * 0 for name, tensor in weights.items()}, file, {"format": "pt"})
    rows = [pair(i, f"the weather of day {i}", f"il tempo del giorno {i}") for i in range(200)]
    write_rows(tmp_path / "pairs.jsonl", rows)
    texts = measure.texts_of([tmp_path / "pairs.jsonl"], "ita_Latn", 0.3)
    assert 40 < len(texts) < 80
    assert {text.lang for text in texts} == {"ita_Latn"}
    bits, covered = measure.bits(tmp_path / "model", texts)
    vocabulary = weights["bert.embeddings.word_embeddings.weight"].shape[0]
    tokens = bits / np.log2(vocabulary)
    np.testing.assert_allclose(tokens, tokens.round(), atol=1e-3)
    assert covered.sum() < sum(len(text.text.encode()) for text in texts) / 2
    told = measure.compared(bits, bits, covered)
    assert told["after"] == told["before"]
    assert told["before"]["low"] < bits.sum() / covered.sum() < told["before"]["high"]
    assert told["difference"] == {"bits_per_byte": 0.0, "low": 0.0, "high": 0.0}


@pytest.mark.slow
def test_both_models_are_trained_compared_and_left_as_they_are(
    tmp_path: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from interlingua.corpus import phrasebook

    script(monkeypatch, "tiny-multilingual/retrieve")
    compare = script(monkeypatch, "tiny-multilingual/compare")
    texts = {}
    for file in phrasebook.test_files():
        lines = file.read_text(encoding="utf-8").splitlines()
        texts[file.name.split(".")[1]] = [json.loads(line)["text"] for line in lines]
    rows = [
        pair(i, *sides)
        for i, sides in enumerate(zip(texts["eng_Latn"], texts["ita_Latn"], strict=True))
    ]
    write_rows(tmp_path / "pairs.jsonl", rows)
    for part, chosen in (("test", rows[:10]), ("choice", rows[10:20])):
        (tmp_path / "2-split" / part).mkdir(parents=True)
        write_rows(tmp_path / "2-split" / part / "eng_Latn-ita_Latn.jsonl", chosen)
    settings = {
        "model.new.tokenizer": str(tokenizer_folder),
        "model.new.layers": "1",
        "model.new.width": "16",
        "model.new.heads": "2",
        "data.train": f"[{tmp_path / 'pairs.jsonl'}]",
        "data.pairs": f"[{tmp_path / 'pairs.jsonl'}]",
        "data.held_out": "0.2",
        "data.validation_pairs": f"[{tmp_path / '2-split' / 'choice'}]",
        "training.steps": "4",
        "training.validate_every": "2",
    }
    command = ["compare.py", "--work", str(tmp_path)]
    command += [word for item in settings.items() for word in ("--set", "=".join(item))]
    monkeypatch.setattr(sys, "argv", command)
    compare.main()
    report = json.loads((tmp_path / "5-retrieval.json").read_text())
    assert set(report["runs"]) == {"4-mlm-0", "4-tlm-0"}
    assert set(report["runs"]["4-tlm-0"]["bits_per_byte"]) == {"mlm", "tlm"}
    weights = (tmp_path / "4-tlm-0" / "model.safetensors").stat().st_mtime_ns
    compare.main()
    assert (tmp_path / "4-tlm-0" / "model.safetensors").stat().st_mtime_ns == weights
    assert json.loads((tmp_path / "5-retrieval.json").read_text()) == report


class Numbered:
    """Puts a text at the place of the number it ends with."""

    folder = SimpleNamespace(info=SimpleNamespace(prefixes={}))

    def encode(self, texts: list[str], prefix: str | None = None) -> Any:
        del prefix
        return SimpleNamespace(
            vectors=np.eye(100, dtype=np.float32)[[int(text.split()[-1]) for text in texts]]
        )


@pytest.fixture
def descriptions(tmp_path: Path) -> Path:
    """A hundred packages, described in two languages that share no word."""
    for code, words in (("eng_Latn", ("line", "text")), ("jpn_Jpan", ("行", "文"))):
        rows = [
            {
                "text": f"{words[0]} {i}\n\n{words[1]} {i}",
                "cluster": f"c{i}",
                "meta": {"synopsis": f"{words[0]} {i}"},
            }
            for i in range(100)
        ]
        write_rows(tmp_path / "documents" / f"{code}.jsonl.zst", rows)
    return tmp_path


def test_documents_are_found_in_the_other_language_and_nothing_is_taught_on_them(
    descriptions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bm25s")
    from interlingua.evaluation.documents import part_of

    script(monkeypatch, "search/pools")
    reranker = script(monkeypatch, "search/reranker")
    debian = script(monkeypatch, "search/debian")
    given = SimpleNamespace(
        **{"corpus": descriptions, "part": "test", "pairs": ["jpn-eng", "eng-jpn"]},
        **{"documents": 400, "queries": 100, "held_out": 0.0, "weight": 0.5, "seed": 0},
    )
    found = debian.measure(given, Numbered(), None)
    tested = [i for i in range(100) if part_of(f"c{i}") == "test"]
    for pair in found.values():
        # The number is the only word that both languages have, and the place of the vector.
        for name in ("dense", "bm25", "rrf", "fused"):
            assert pair[name].tolist() == [1.0] * len(tested)
    few = debian.plan(debian.Corpus(descriptions, "test"), given.pairs, queries=9, documents=20)
    for pair, names in few.asked.items():
        pool = few.pools[pair.split("-")[1]]
        assert (len(names), len(pool), len(set(pool))) == (9, 20, 20)
        assert set(names) <= set(pool)
    given.held_out = 0.5
    assert 0 < len(debian.measure(given, Numbered(), None)["jpn-eng"]["dense"]) < len(tested)
    taught = debian.Corpus(descriptions, "teach")
    rows = list(reranker.rows(taught, given.pairs, Numbered()))
    for right, wrong in zip(rows[::2], rows[1::2], strict=True):
        assert right["text"] == wrong["text"]
        assert (right["label"], wrong["label"]) == ("1", "0")
        assert right["text"].split()[-1] == right["text_pair"].split()[-1]
    numbers = {int(row[side].split()[-1]) for row in rows for side in ("text", "text_pair")}
    assert numbers == {i for i in range(100) if part_of(f"c{i}") == "teach"}


def test_fused_loses_where_the_whole_interval_is_below_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    debian = script(monkeypatch, "search/debian")
    rng = np.random.default_rng(0)
    dense = rng.random(200)
    noise = rng.normal(size=200) / 10
    pairs = [
        {"dense": dense, "bm25": dense - 0.2, "fused": dense + 0.01 + (noise - noise.mean())}
    ] * 2
    told = debian.judged(pairs, 0)
    gap = told["fused less dense"]
    assert gap["value"] == pytest.approx(0.01)
    # Both pairs' means vary independently: the standard error is that of 400 queries.
    low, high = gap["interval"]
    assert high - low == pytest.approx(2 * 1.96 * noise.std() / 400**0.5, rel=0.1)
    assert told["fused_loses_to_neither"]
    assert told["queries"] == 400
    assert "holds" in debian.verdict("all", told)
    pairs = [{**pair, "fused": pair["fused"] - 0.05} for pair in pairs]
    assert not debian.judged(pairs, 0)["fused_loses_to_neither"]


def test_words_are_aligned_at_every_layer(
    tmp_path: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence aligned with itself: no error at the embeddings, where a word is what it is."""
    from interlingua.base.config import make
    from interlingua.models.folder import open_model
    from interlingua.models.scratch import NewModel, write_new
    from interlingua.retrieval.alignment import WordAligner

    words = script(monkeypatch, "align/words")
    new = {"shape": "xlm-roberta", "tokenizer": str(tokenizer_folder), "max_length": 48}
    write_new(
        tmp_path / "model",
        make(NewModel, {**new, "layers": 2, "width": 32, "heads": 2}),
        seed=0,
    )
    aligner = WordAligner(open_model(tmp_path / "model"))
    sentence = ["Der", "Zug", "nach", "Hamburg", "hält"]
    right = {(i, i) for i in range(5)}
    rows = [(sentence, sentence, right), (sentence, sentence, right | {(0, 1), (0, 2)})]
    rates = words.error_rates(aligner, rows[:1], [0, 1, 2], ["argmax", "transport"])
    assert [len(of) for of in rates.values()] == [3, 3]
    assert rates["argmax"][0] == 0
    both = words.error_rates(aligner, rows, [0], ["argmax"])
    # Ten links are made, twelve are wanted, ten of them are right.
    assert both["argmax"][0] == pytest.approx(1 - 20 / 22)
    told = words.table({"deu_Latn": both, "fra_Latn": {"argmax": [0.5]}}, "argmax", [0])
    assert f"| mean | **{(1 - 20 / 22 + 0.5) / 2:.3f}** |" in told
    # The default layer is one of those that are measured.
    one = aligner.align([row[0] for row in rows], [row[1] for row in rows])
    at = aligner.layer
    again = words.error_rates(aligner, rows[:1], [at], ["transport"])["transport"][0]
    assert again == pytest.approx(1 - 2 * len(one[0] & right) / (len(one[0]) + 5))


def test_before_and_after_are_compared_on_the_same_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = script(monkeypatch, "align/measure")
    rng = np.random.default_rng(0)
    hits = {
        "before": {"deu_Latn": rng.random(400) < 0.8, "fao_Latn": rng.random(200) < 0.6},
        "after": {"deu_Latn": np.zeros(400, bool), "fao_Latn": np.zeros(200, bool)},
    }
    hits["after"]["deu_Latn"] = hits["before"]["deu_Latn"] & (rng.random(400) < 0.9)
    hits["after"]["fao_Latn"] = hits["before"]["fao_Latn"] | (rng.random(200) < 0.5)
    sides = {}
    for name, of in hits.items():
        sides[name] = measure.Side(name, tmp_path / name)
        (tmp_path / name / "tatoeba").mkdir(parents=True)
        rows = [
            {"lang": lang, "right": False, "right_back": bool(hit)}
            for lang, some in of.items()
            for hit in some
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / name / "tatoeba" / "predictions.jsonl").write_text(text)
    found = measure.tatoeba(sides["before"], sides["after"], 0)
    back = found["foreign_to_english"]
    assert back["worse"] == ["deu_Latn"]
    assert back["low_resource"]["languages"] == 1
    gains = {
        lang: hits["after"][lang].mean() - some.mean() for lang, some in hits["before"].items()
    }
    whole = back["all"]["difference"]
    assert whole["value"] == pytest.approx(np.mean(list(gains.values())), abs=1e-4)
    error = sum(
        (hits["after"][lang].astype(float) - some).var() / len(some)
        for lang, some in hits["before"].items()
    )
    low, high = whole["interval"]
    assert high - low == pytest.approx(2 * 1.96 * error**0.5 / 2, rel=0.1)
    assert found["english_to_foreign"]["worse"] == []
    document = {"before": "a", "after": "b", "tatoeba": found, "held_out": {}, "summaries": {}}
    page = measure.page(document)
    assert "Faroese (low-resource)" in page
    assert "Worse by more than 0.02, foreign to english: 1 of 2 languages: deu_Latn." in page


def test_mining_counts_the_sentences_on_both_sides(
    tmp_path: Path,
    tokenizer_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from interlingua.base.config import make
    from interlingua.models.scratch import NewModel, write_new

    mining = script(monkeypatch, "search/mining")
    model = tmp_path / "model"
    new = {"shape": "xlm-roberta", "tokenizer": str(tokenizer_folder), "max_length": 48}
    write_new(model, make(NewModel, {**new, "layers": 1, "width": 16, "heads": 2}), seed=1)
    words = ["Zug", "Brot", "Regen", "Hafen", "Wald", "Licht", "Stein", "Wasser", "Schule", "Markt"]
    lines = [f"{a} und {b} sind da" for a, b in combinations(words, 2)]
    lines += [f"{b} war ohne {a}" for a, b in combinations(words, 2)]
    for code, texts in (("eng", lines), ("deu", lines), ("fra", len(lines) * ["rien du tout"])):
        (tmp_path / f"x.{code}.txt").write_text("\n".join(texts))
    options = ["--data-dir", str(tmp_path), "--languages", "deu", "fra", "--model", str(model)]
    monkeypatch.setattr(sys, "argv", ["mining.py", *options])
    mining.main()
    found = json.loads(capsys.readouterr().out)
    assert min(found["deu"].values()) > 0.9  # the same texts, a third of them on both sides
    assert set(found["fra"].values()) == {0.0}
