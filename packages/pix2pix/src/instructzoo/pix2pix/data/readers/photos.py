"""Own photos: pairs made of them by known operations (operations.py), kept as PNG files in the cache.

    <cache>/pix2pix/<hash of the photo and of what was asked>/   photo.png  darken.png  blur.png  pairs.json

The same photos, settings and seed give the same files; a photo that comes or goes changes nothing for the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images
from instructzoo.pix2pix.data import image_transforms, photo_operations
from instructzoo.pix2pix.data.photo_operations import Name
from instructzoo.pix2pix.data.readers.base import DAMAGED, Edit, Tally, pictures, visible

PHOTO, LIST = "photo.png", "pairs.json"
PASSED_OVER = "files passed over: no pictures by their names"
TOO_FEW = "pairs fewer than asked: the other operations change nothing of the photo"


def photos(folder: Path, count: int, side: int, names: Sequence[Name], seed: int, tally: Tally) -> Iterator[Edit]:
    """`count` pairs of every photo of a folder, drawn by seed. side: pixels that the longer side is made smaller to.

    Raises ZooError for a folder without a picture, and for a damaged one (counted where the tally skips).
    """
    folder = folder.absolute()
    found = pictures(folder)
    if not found:
        raise ZooError("no picture in this folder", "PNG or JPEG files", where=str(folder))
    if others := len(visible(folder)) - len(found):
        tally.counts[PASSED_OVER] += others
    for path in found:
        try:
            home = _made(path, count, side, names, seed)
        except ZooError as error:
            tally.drop(error, DAMAGED)
            continue
        pairs = runs.read_json(home / LIST)
        if len(pairs) < count:
            tally.counts[TOO_FEW] += count - len(pairs)
        for kind, instruction in pairs:
            files = (str(home / PHOTO), str(home / f"{kind}.png"))
            yield Edit(str(path), instruction, (files,), kind=kind)


def _made(path: Path, count: int, side: int, names: Sequence[Name], seed: int) -> Path:
    """The folder of a photo's pairs, made where it is not there or not whole."""
    content = runs.sha256(path)
    asked = [content, count, side, list(names), seed, runs.sha256(Path(photo_operations.__file__))]
    home = runs.cache() / "pix2pix" / hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
    home = home.absolute()
    if (home / LIST).is_file():
        kinds = [kind for kind, _ in runs.read_json(home / LIST)]
        if all((home / name).is_file() for name in (PHOTO, *(f"{kind}.png" for kind in kinds))):
            return home
    pixels = images.read(str(path), str(path))
    scale = min(1.0, side / max(pixels.shape[:2]))
    pixels = image_transforms.back(
        pixels, (max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    )
    with runs.atomic_folder(home) as fresh:
        (fresh / PHOTO).write_bytes(images.encode(pixels))
        made = []
        for edit in photo_operations.draw(pixels, count, f"{seed} {content}", names):
            (fresh / f"{edit.kind}.png").write_bytes(images.encode(edit.pixels))
            made.append([edit.kind, edit.instruction])
        runs.write_json(fresh / LIST, made)
    return home
