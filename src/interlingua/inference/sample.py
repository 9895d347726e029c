"""Sentences of many languages, to choose and calibrate engines with."""

from __future__ import annotations

from itertools import islice

from interlingua.batches.tokens import pad, tokenize
from interlingua.corpus.phrasebook import test_files
from interlingua.corpus.rows import read_table
from interlingua.inference.engine import Batch
from interlingua.models.folder import ModelFolder

_EACH = 6
"""Sentences of each language of the phrasebook."""
_ROWS = 24


def sample(folder: ModelFolder) -> list[Batch]:
    """Batches of rows as the model reads them, sorted by length; the last is one row.

    A row is a sentence, or, where the model pools pairs, a sentence and the next.
    """
    tables = [islice(read_table(file), _EACH) for file in test_files()]
    texts = [str(row.values["text"]) for rows in tables for row in rows]
    info = folder.info
    found = tokenize(
        folder.tokenizer(),
        texts,
        pairs=texts[1:] + texts[:1] if info.pooling == "pair" else None,
        max_length=info.max_length,
        prefix=info.prefix(),
    )
    ids = sorted(found.input_ids, key=len)
    parts = [ids[i : i + _ROWS] for i in range(0, len(ids), _ROWS)]
    return [pad(part, folder.pad_id) for part in [*parts, ids[:1]]]
