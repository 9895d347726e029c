"""Subword vocabularies: trained, audited, trimmed and extended; torch-free."""
