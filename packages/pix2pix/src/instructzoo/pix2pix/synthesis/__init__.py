"""How training pairs are written with a teacher and a text-to-image model."""
