"""Readers: files of published formats and own files to dialogues."""
