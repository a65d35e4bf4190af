"""Corpora, their readers, and the questions that are made of dialogues."""
