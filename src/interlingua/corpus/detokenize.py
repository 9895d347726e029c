r"""English as it is written, out of texts whose words and marks stand apart.

    He can 't say ( yet ) : " No , it 's $ 4 . "   ->   He can't say (yet): "No, it's $4."

Older data sets are cut up like this (MultiNLI as XNLI ships it by the Moses tokenizer, others by
the rules of the Penn Treebank), but not what a model was pretrained on, nor what it is asked about
later. A subword vocabulary has other pieces for `` .`` than for ``.``, so that a model taught on
such texts meets marks it does not know. Only blanks go, and the Treebank's names of quotes and
brackets; a text that is not cut up stays as it is. The rules are those of English spelling: French
parts ``!`` from its word.
"""

from __future__ import annotations

import regex

_TREEBANK = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]"}
_TREEBANK_TOKEN = regex.compile(r"(?<!\S)(?:``|''|-[LR][RS]B-)(?!\S)")
_JOINS = (
    # it 's, it ' s, do n't, y 'all, the boys '
    (regex.compile(r"(?<=\w) (['’]) ?(?=(?:s|t|re|m|ve|ll|d)(?!\w))", regex.IGNORECASE), r"\1"),
    (regex.compile(r"(?<=\w) (?=n['’]t(?!\w))", regex.IGNORECASE), ""),
    (regex.compile(r"(?<=\b[oy]) (?=['’](?:clock|all)(?!\w))", regex.IGNORECASE), ""),
    (regex.compile(r"(?<=s) (['’])(?= )"), r"\1"),
    # what closes, what opens
    (regex.compile(r'(?<! ) ++(?=[.,;:?!%)\]}…”]+"?(?!\S))'), ""),
    (regex.compile(r"(?<![^\s\x22])([(\[{“¡¿]+|[$£€#](?= [\d.])) +"), r"\1"),
)
_QUOTE = regex.compile(r'(?<!\S)"(?!\S)')


def detokenized(text: str) -> str:
    """A text in English without the blanks that a tokenizer put before and behind its marks."""
    text = _TREEBANK_TOKEN.sub(lambda found: _TREEBANK[found.group()], text)
    text = _quotes_joined(text)
    for pattern, joined in _JOINS:
        text = pattern.sub(joined, text)
    return text


def _quotes_joined(text: str) -> str:
    """Straight quotes that stand alone, opening and closing by turns; an odd one stays alone."""
    pieces = _QUOTE.split(text)
    if len(pieces) % 2 == 0:
        return text
    for i in range(1, len(pieces), 2):
        pieces[i] = f'"{pieces[i].strip()}"'
    return "".join(pieces)


__all__ = ["detokenized"]
