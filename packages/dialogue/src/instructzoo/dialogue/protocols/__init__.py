"""Experiments that are more than one run."""
