"""Annotated corpora and how they become training rows."""
