"""The networks of an editor."""
