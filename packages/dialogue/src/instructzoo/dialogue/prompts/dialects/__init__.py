"""Prompt formats of published checkpoints."""
