"""Corpora to rows."""
