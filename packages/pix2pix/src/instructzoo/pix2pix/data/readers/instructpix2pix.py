"""Reads the layout in which the paper's data was released (github.com/timothybrooks/instruct-pix2pix).

    0000123/prompt.json       {"caption": "a lake", "edit": "as a watercolour", "output": "a watercolour of a lake"}
    0000123/17_0.jpg  17_1.jpg        the pair of seed 17, before and after; PNG too
    0000123/metadata.jsonl            not read: what it tells of the pairs was used when they were chosen
    seeds.json                        [["0000123", ["17", "29"]], ...]; if absent, all pairs are read

The authors' pipeline wrote the caption before under the key "caption", and their evaluation read "input"; both are
accepted. The folders may lie one level deeper, in shards. One prompt is one example with a pair per seed, and training
takes one of the pairs at a time (edit_dataset.py there).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instructzoo.core.data import strict_json
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location
from instructzoo.pix2pix import images
from instructzoo.pix2pix.data.readers.base import EditExample, Tally, read_text

NO_PAIRS = "prompts left out: no pair stands beside them"
_SEED = re.compile(r"[\w-]+")
SEEDS_FORMAT = '[["0000123", ["17", "29"]], ...]'


def read_examples(folder: Path, tally: Tally) -> Iterator[EditExample]:
    """Examples of a released set, in the order of the folders' names or of seeds.json.

    Args:
        folder: The set's folder.
        tally: Counts prompts without any picture.

    Yields:
        An example for each prompt with pictures.

    Raises:
        ZooError: The folder has no prompts, JSON is malformed (with file and line), or a seed has only one picture.
    """
    folder = folder.absolute()
    seeds_file = folder / "seeds.json"
    if seeds_file.is_file():
        yield from _read_listed(folder, seeds_file)
        return
    prompt_files = sorted(folder.glob("[!.]*/prompt.json")) or sorted(folder.glob("[!.]*/[!.]*/prompt.json"))
    if not prompt_files:
        raise ZooError("no prompt in this folder", "folders such as 0000123/prompt.json", where=str(folder))
    for path in prompt_files:
        files = _picture_files(path.parent)
        seeds = sorted({name.rpartition("_")[0] for name in files if name.endswith(("_0", "_1"))})
        if seeds:
            yield _read_prompt(path, seeds, files)
        else:
            tally.counts[NO_PAIRS] += 1


def _read_listed(folder: Path, seeds_file: Path) -> Iterator[EditExample]:
    """Examples in the order of seeds.json, each with the seeds that it lists."""
    entries = _read_json(seeds_file)
    if not isinstance(entries, list) or not entries:
        raise ZooError(f"found {shorten(repr(entries))}", SEEDS_FORMAT, "write it anew", str(seeds_file))
    for number, entry in enumerate(entries, 1):
        where = f"{seeds_file}, entry {number}"
        name, seeds = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
        is_listed = isinstance(seeds, list) and seeds and all(_SEED.fullmatch(str(seed)) for seed in seeds)
        if not is_listed or not isinstance(name, str) or ".." in Path(name).parts or Path(name).is_absolute():
            raise ZooError(f"found {shorten(repr(entry))}", SEEDS_FORMAT, "correct or remove the entry", where)
        path = folder / name / "prompt.json"
        if not os.path.isfile(path):  # noqa: PTH113 - a name that is too long is no file, and no OSError
            raise ZooError(
                f"no {shorten(name)}/prompt.json", "the folder of every prompt", "correct or remove the entry", where
            )
        yield _read_prompt(path, [str(seed) for seed in seeds or ()], _picture_files(path.parent))


def _read_json(path: Path) -> Any:
    """The content of a JSON file. Raises ZooError, with the line where it can be told."""
    try:
        return strict_json.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        where = location(path, error.lineno if isinstance(error, json.JSONDecodeError) else None)
        raise ZooError(f"malformed JSON ({str(error)[:120]})", "JSON in UTF-8", "correct it", where) from error


def _picture_files(folder: Path) -> dict[str, str]:
    """Paths of a folder's pictures by their names without suffix, such as 17_0."""
    with os.scandir(folder) as entries:
        paths = sorted(entry.path for entry in entries)
    return {Path(path).stem: path for path in paths if path.lower().endswith(images.SUFFIXES)}


def _read_prompt(path: Path, seeds: list[str], files: dict[str, str]) -> EditExample:
    """The example of one prompt.json."""
    where = str(path)
    values: Any = _read_json(path)
    if not isinstance(values, dict):
        raise ZooError(f"found {shorten(repr(values))}", "an object with caption, edit, output", where=where)
    before_key = "input" if "input" in values else "caption"
    pairs = tuple((_picture_path(path, seed, 0, files), _picture_path(path, seed, 1, files)) for seed in seeds)
    instruction, captions = (
        read_text(values, "edit", where, required=True),
        (read_text(values, before_key, where), read_text(values, "output", where)),
    )
    return EditExample(where, instruction, pairs, *captions)


def _picture_path(path: Path, seed: str, side: int, files: dict[str, str]) -> str:
    """The picture before (0) or after (1) of a seed; a missing one is noticed when it is inspected."""
    name = f"{seed}_{side}"
    return files.get(name) or str(path.with_name(f"{name}.jpg"))
