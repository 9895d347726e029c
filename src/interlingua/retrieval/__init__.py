"""Search: vector indexes, BM25, fusion, reranking; mining of translations; alignment of words."""
