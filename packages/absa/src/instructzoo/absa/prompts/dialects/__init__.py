"""Prompt formats of published checkpoints, one module each: render, parse, and rewrite into the domain's own format."""
