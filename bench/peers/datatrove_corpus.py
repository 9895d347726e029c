"""The peer of `corpus`: a datatrove pipeline that makes the same decisions.

Steps that datatrove has are its own; the others are filters over the same libraries, written as its
filters are: one document at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import regex
import xxhash
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import minhash
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.text import ngrams
from py3langid import langid

from interlingua.corpus.decontaminate import benchmark_texts
from interlingua.corpus.personal_data import region_of, scrub
from interlingua.corpus.pipeline.recipe import CorpusSettings
from interlingua.languages.identify import _tag
from interlingua.languages.scripts import script_counts, script_of, writes
from interlingua.languages.segmentation import script_words

LETTER, DIGIT, SIGN, UPPER = (
    regex.compile(pattern)
    for pattern in (r"[\p{L}\p{M}]", r"\p{N}", r"[^\p{L}\p{M}\p{N}\s]", r"[\p{Lu}\p{Lt}]")
)
RUN = regex.compile(r"[\p{L}\p{M}\p{N}]+")
DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class Words:
    """Stands in for datatrove's word tokenizers, which want spaCy; cheaper than those."""

    def __init__(self, least: int) -> None:
        self.least = least

    def word_tokenize(self, text: str) -> list[str]:
        """Words, or none where the text is too short to be compared."""
        words = script_words(text)
        return words if len(words) >= self.least else []


class Blanks(BaseFormatter):
    """One kind of blank, at most one empty line."""

    name = "blanks"

    def format(self, text: str) -> str:
        """The text with tidy blanks."""
        text = regex.sub(r"[\p{Zs}\t]+", " ", text)
        return regex.sub(r"\n{3,}", "\n\n", regex.sub(r" *\n *", "\n", text)).strip()


class Language(BaseFilter):
    """Whether a document is in its language, and without lines in another."""

    name = "language"

    def __init__(self, rules: Any) -> None:  # noqa: ANN401 - LanguageRules
        super().__init__()
        self.rules = rules
        model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
        self._rank = model.rank

    def _is_other(self, text: str, lang: str) -> bool:
        start = text[:1000]
        script = script_of(start)
        tags = [(_tag(label, script), p) for label, p in self._rank(start)[:10]]
        found = [(tag[:3], p) for tag, p in tags if tag is not None]
        if not found or found[0][0] == lang[:3] or found[0][1] < self.rules.certainty:
            return False
        return sum(p for tag, p in found if tag == lang[:3]) < 0.02

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Keep a document, without its foreign lines."""
        lang, text = doc.metadata["lang"], doc.text
        counts = script_counts(text)
        own = sum(n for script, n in counts.items() if writes(lang[4:], script))
        dense = lang[4:] == "Jpan" and own < counts.total()
        if counts.total() >= 20 and not dense and own < 0.1 * counts.total():
            return False, "wrong script"
        if counts.total() >= self.rules.letters and self._is_other(text, lang):
            return False, "wrong language"
        if "\n" in text:
            lines = text.split("\n")
            doc.text = "\n".join(line for line in lines if not self._foreign(line, lang))
        return bool(doc.text.strip())

    def _foreign(self, line: str, lang: str) -> bool:
        if len(line) < self.rules.letters or len(LETTER.findall(line)) < self.rules.letters:
            return False
        return self._is_other(line, lang)


class Quality(BaseFilter):
    """The same measures, against thresholds that are given."""

    name = "quality"

    def __init__(self, fences: dict[str, dict[str, list[float | None]] | None]) -> None:
        super().__init__()
        self.fences = fences

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Keep a document that lies inside its language's thresholds."""
        from math import log1p

        fences = self.fences.get(doc.metadata["lang"])
        if fences is None:
            return True
        text = doc.text
        letters, digits = len(LETTER.findall(text)), len(DIGIT.findall(text))
        signs, capitals = len(SIGN.findall(text)), len(UPPER.findall(text))
        shown = letters + digits + signs
        grams = list(ngrams(script_words(text), 3))
        lines = [line for line in text.split("\n") if line]
        measures = (
            1 - (shown - letters) / (shown + 20),
            digits / (shown + 20),
            signs / (shown + 20),
            capitals / (letters + 20),
            log1p((letters + digits) / max(1, len(RUN.findall(text)))),
            (len(grams) - len(set(grams))) / (len(grams) + 20),
            1 - len(set(lines)) / len(lines) if len(lines) > 2 else 0.0,
            log1p(shown / (text.count("\n") + 1)),
        )
        for value, (name, (low, high)) in zip(measures, fences.items(), strict=True):
            if (low is not None and value < low) or (high is not None and value > high):
                return False, name
        return True


class Benchmarks(BaseFilter):
    """Runs of benchmark tokens; texts shorter than a run are not searched for."""

    name = "benchmarks"

    def __init__(self, files: Iterable[str], run: int) -> None:
        super().__init__()
        self.runs: dict[int, set[tuple[str, ...]]] = {run: set(), 2 * run: set()}
        for text in (text for file in files for text in benchmark_texts(Path(file))):
            dense = 2 * len(DENSE.findall(text)) > len(LETTER.findall(text))
            length = 2 * run if dense else run
            self.runs[length].update(ngrams(script_words(text), length))

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Keep a document without such a run."""
        words = script_words(doc.text)
        for length, known in self.runs.items():
            if not known.isdisjoint(ngrams(words, length)):
                return False, "benchmark text"
        return True


class Numbers(BaseFilter):
    """Phone, card and account numbers, for which datatrove has no rule."""

    name = "numbers"

    def filter(self, doc: Document) -> bool:
        """Replace them."""
        region = region_of(doc.metadata["lang"])
        doc.text = scrub(doc.text, (region,) if region else ())[0]
        return True


class Exact(BaseFilter):
    """Equal texts of a language."""

    name = "exact"

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[bytes] = set()

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Keep the first."""
        key = f"{doc.metadata['lang']}\0{doc.text}".encode()
        digest = hashlib.blake2b(key, digest_size=8).digest()
        if digest in self._seen:
            return False, "duplicate"
        self._seen.add(digest)
        return True


def pipelines(place: Path, settings: CorpusSettings, card: dict[str, Any]) -> list[list[Any]]:
    """The steps, one pipeline after the other."""
    near = settings.near_duplicates
    assert near is not None
    minhash.load_word_tokenizer = lambda language: Words(near.tokens)
    config = minhash.MinhashConfig(
        n_grams=near.run, num_buckets=near.bands, hashes_per_bucket=near.rows
    )
    clean, work = str(place / "clean"), place / "minhash"
    signature = minhash.MinhashDedupSignature(str(work / "sig"), config=config)
    # xxhash 4 takes bytes only, datatrove gives it text.
    signature._hash_func = lambda text: xxhash.xxh64_intdigest(text.encode())
    fences = {tag: one["fences"] for tag, one in card["languages"].items()}
    return [
        [
            JsonlReader(str(place), glob_pattern="in.jsonl", doc_progress=False),
            FTFYFormatter(unescape_html=False, normalization="NFC"),
            Blanks(),
            Language(settings.language),
            Benchmarks(settings.decontamination.benchmarks, settings.decontamination.run),
            Quality(fences),
            PIIFormatter(),
            Numbers(),
            Exact(),
            JsonlWriter(clean, compression=None),
        ],
        [JsonlReader(clean, doc_progress=False), signature],
        [minhash.MinhashDedupBuckets(str(work / "sig"), str(work / "buckets"), config=config)],
        [minhash.MinhashDedupCluster(str(work / "buckets"), str(work / "remove"), config=config)],
        [
            JsonlReader(clean, doc_progress=False),
            minhash.MinhashDedupFilter(str(work / "remove")),
            JsonlWriter(str(place / "theirs"), compression="zstd"),
        ],
    ]


def run(made: Iterable[list[Any]], logs: Path) -> None:
    """Run the pipelines one after the other, in this process."""
    for number, steps in enumerate(made):
        tasks = 21 if isinstance(steps[0], minhash.MinhashDedupBuckets) else 1
        executor = LocalPipelineExecutor(
            steps, tasks=tasks, workers=1, logging_dir=str(logs / str(number))
        )
        executor.run()


__all__: list[str] = ["pipelines", "run"]
