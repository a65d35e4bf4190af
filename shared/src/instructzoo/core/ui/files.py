"""Files that a demo offers for download, in folders that are removed again."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

FOLDERS_KEPT = 8
"""Folders of results that are kept until newer ones replace them; gradio copies what it offers for download."""


class ResultFolders:
    """Temporary folders for the files that a page offers for download. The last FOLDERS_KEPT of them exist.

    All are removed together with the page that holds this object.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="zoo-")
        self.count = itertools.count()

    def new_folder(self) -> Path:
        """Create an empty folder, and remove the oldest one beyond FOLDERS_KEPT."""
        number = next(self.count)
        shutil.rmtree(Path(self.folder.name) / str(number - FOLDERS_KEPT), ignore_errors=True)
        folder = Path(self.folder.name) / str(number)
        folder.mkdir()
        return folder
