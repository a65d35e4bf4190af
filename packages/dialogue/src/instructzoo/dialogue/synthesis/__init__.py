"""Labelled utterances that a model writes, after LINGUIST (arXiv:2209.09900), and the student that learns of them."""
