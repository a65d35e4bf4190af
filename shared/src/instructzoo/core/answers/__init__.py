"""Typed answers of a domain's model to what users bring: texts, rows and whole files."""
