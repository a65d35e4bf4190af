"""Readers of published files."""
