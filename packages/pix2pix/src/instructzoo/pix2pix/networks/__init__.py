"""The networks of an editor, and how they are loaded."""
