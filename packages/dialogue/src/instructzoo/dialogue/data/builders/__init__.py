"""Builders of questions, by kind of task."""
