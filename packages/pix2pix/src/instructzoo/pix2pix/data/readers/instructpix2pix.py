"""The layout that the paper's data were released in (github.com/timothybrooks/instruct-pix2pix), made by its pipeline.

    0000123/prompt.json       {"caption": "a lake", "edit": "as a watercolour", "output": "a watercolour of a lake"}
    0000123/17_0.jpg  17_1.jpg        the pair of seed 17, before and after; PNG too
    0000123/metadata.jsonl            not read: what it tells of the pairs was used when they were chosen
    seeds.json                        [["0000123", ["17", "29"]], ...]; none: all pairs that are there

The pipeline wrote the caption before under the key "caption" and its evaluation read "input": both are understood. The
folders may lie one level deeper, in shards. One prompt is one Edit with as many pairs as it has seeds, since training
takes one of them a pass (edit_dataset.py there).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.data.readers.base import SUFFIXES, Edit, Tally, text

EMPTY = "prompts left out: no pair stands beside them"
FORM = '[["0000123", ["17", "29"]], ...]'


def released(folder: Path, tally: Tally) -> Iterator[Edit]:
    """Prompts of a set, in order of their folders' names or of seeds.json. A folder without a picture is counted.

    Raises ZooError for a folder without prompts, for malformed JSON with file and line, and for half a pair.
    """
    folder = folder.absolute()
    listed = folder / "seeds.json"
    if listed.is_file():
        yield from _listed(folder, listed)
        return
    found = sorted(folder.glob("[!.]*/prompt.json")) or sorted(folder.glob("[!.]*/[!.]*/prompt.json"))
    if not found:
        raise ZooError("no prompt in this folder", "folders such as 0000123/prompt.json", where=str(folder))
    for path in found:
        files = _files(path.parent)
        seeds = sorted({name.rpartition("_")[0] for name in files if name.endswith(("_0", "_1"))})
        if seeds:
            yield _prompt(path, seeds, files)
        else:
            tally.counts[EMPTY] += 1


def _listed(folder: Path, listed: Path) -> Iterator[Edit]:
    """Prompts in the order of seeds.json, each with the seeds that it names."""
    entries = runs.read_json(listed)
    if not isinstance(entries, list) or not entries:
        raise ZooError(f"found {cut(repr(entries))}", FORM, "write it anew", str(listed))
    for number, entry in enumerate(entries, 1):
        where = f"{listed}, entry {number}"
        name, seeds = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
        if not isinstance(name, str) or not isinstance(seeds, list) or not seeds:
            raise ZooError(f"found {cut(repr(entry))}", FORM, "mend or remove the entry", where)
        path = folder / name / "prompt.json"
        if not path.is_file():
            raise ZooError(f"no {name}/prompt.json", "the folder of every prompt", "mend or remove the entry", where)
        yield _prompt(path, [str(seed) for seed in seeds], _files(path.parent))


def _files(folder: Path) -> dict[str, str]:
    """Paths of a folder's pictures by their names without suffix, such as 17_0."""
    with os.scandir(folder) as entries:
        paths = sorted(entry.path for entry in entries)
    return {Path(path).stem: path for path in paths if path.lower().endswith(SUFFIXES)}


def _prompt(path: Path, seeds: list[str], files: dict[str, str]) -> Edit:
    where = str(path)
    values: Any = runs.read_json(path)
    if not isinstance(values, dict):
        raise ZooError(f"found {cut(repr(values))}", "an object with caption, edit, output", where=where)
    before = "input" if "input" in values else "caption"
    pairs = tuple((_side(path, seed, 0, files), _side(path, seed, 1, files)) for seed in seeds)
    edit, captions = (
        text(values, "edit", where, needed=True),
        (text(values, before, where), text(values, "output", where)),
    )
    return Edit(where, edit, pairs, *captions)


def _side(path: Path, seed: str, side: int, files: dict[str, str]) -> str:
    """The picture before (0) or after (1) of a seed; one that is not there is missed when it is looked at."""
    name = f"{seed}_{side}"
    return files.get(name) or str(path.with_name(f"{name}.jpg"))
