"""Turns corpora into rows, and rows into training examples."""
