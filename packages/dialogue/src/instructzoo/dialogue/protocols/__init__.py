"""Protocols of published experiments."""
