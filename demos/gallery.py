"""One page with a tab for every installed domain. Run it with `python demos/gallery.py`."""

from instructzoo.core import ui

ui.launch(ui.gallery())
