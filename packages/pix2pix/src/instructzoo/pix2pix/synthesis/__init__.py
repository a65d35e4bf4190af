"""Creates training pairs with a teacher model and a text-to-image model."""
