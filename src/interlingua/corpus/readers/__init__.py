"""Readers of documents and pairs."""
