"""Models: backbones by name, pinned assets, tuning methods, loading and saving."""

from instructzoo.core.models.load import ModelBundle, load, open_plain, open_saved, save, save_plain

__all__ = ["ModelBundle", "load", "open_plain", "open_saved", "save", "save_plain"]
