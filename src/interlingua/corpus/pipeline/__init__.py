"""From raw text to a corpus: read, decide, sample, split, write, and say what became of it."""
