"""Makes pairs of the user's photos by known operations (photo_operations.py), saved as PNG files in the cache.

    <cache>/pix2pix/<hash of the photo and the settings>/   photo.png  darken.png  blur.png  pairs.json

The same photos, settings and seed give the same files; adding or removing a photo changes nothing for the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images
from instructzoo.pix2pix.data import image_transforms, photo_operations
from instructzoo.pix2pix.data.photo_operations import OperationName
from instructzoo.pix2pix.data.readers.base import DAMAGED, EditExample, Tally, picture_files, visible_files

PHOTO_FILE, PAIRS_FILE = "photo.png", "pairs.json"
OTHER_FILES = "files passed over: no pictures by their names"
TOO_FEW = "pairs fewer than asked: the other operations change nothing of the photo"


def read_examples(
    folder: Path, count: int, side: int, names: Sequence[OperationName], seed: int, tally: Tally
) -> Iterator[EditExample]:
    """Pairs of every photo of a folder.

    Args:
        folder: Photos, also in folders below it.
        count: Pairs of each photo.
        side: Larger photos are shrunk until their longer side has this many pixels.
        names: Operations to draw from.
        seed: Seed of the draw.
        tally: Counts damaged photos if it skips errors.

    Raises:
        ZooError: The folder has no picture, or one is damaged.
    """
    folder = folder.absolute()
    photo_paths = picture_files(folder)
    if not photo_paths:
        raise ZooError("no picture in this folder", "PNG or JPEG files", where=str(folder))
    if other_count := len(visible_files(folder)) - len(photo_paths):
        tally.counts[OTHER_FILES] += other_count
    for path in photo_paths:
        try:
            pair_folder = _make_pairs(path, count, side, names, seed)
        except ZooError as error:
            tally.skip_or_raise(error, DAMAGED)
            continue
        pairs = runs.read_json(pair_folder / PAIRS_FILE)
        if len(pairs) < count:
            tally.counts[TOO_FEW] += count - len(pairs)
        for kind, instruction in pairs:
            files = (str(pair_folder / PHOTO_FILE), str(pair_folder / f"{kind}.png"))
            yield EditExample(str(path), instruction, (files,), kind=kind)


def _make_pairs(path: Path, count: int, side: int, names: Sequence[OperationName], seed: int) -> Path:
    """The folder of a photo's pairs, written unless it exists and is complete."""
    content = runs.sha256(path)
    cache_key = [content, count, side, list(names), seed, runs.sha256(Path(photo_operations.__file__))]
    pair_folder = runs.cache() / "pix2pix" / hashlib.sha256(repr(cache_key).encode()).hexdigest()[:16]
    pair_folder = pair_folder.absolute()
    if (pair_folder / PAIRS_FILE).is_file():
        kinds = [kind for kind, _ in runs.read_json(pair_folder / PAIRS_FILE)]
        if all((pair_folder / name).is_file() for name in (PHOTO_FILE, *(f"{kind}.png" for kind in kinds))):
            return pair_folder
    pixels = images.read(str(path), str(path))
    scale = min(1.0, side / max(pixels.shape[:2]))
    pixels = image_transforms.resize(
        pixels, (max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    )
    with runs.atomic_folder(pair_folder) as new_folder:
        (new_folder / PHOTO_FILE).write_bytes(images.encode(pixels))
        pairs = []
        for edit in photo_operations.draw_edits(pixels, count, f"{seed} {content}", names):
            (new_folder / f"{edit.kind}.png").write_bytes(images.encode(edit.pixels))
            pairs.append([edit.kind, edit.instruction])
        runs.write_json(new_folder / PAIRS_FILE, pairs)
    return pair_folder
