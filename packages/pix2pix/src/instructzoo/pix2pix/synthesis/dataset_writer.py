"""The layout in which the paper's pairs were released (arXiv:2211.09800), written prompt by prompt.

    0000012/prompt.json      {"input", "edit", "output"} and, beyond the release, "samples" and "rejected"
    0000012/421_0.jpg        before; 421 is the seed of the pair
    0000012/421_1.jpg        after
    0000012/metadata.jsonl   a line for each pair: seed, p2p_threshold, cfg_scale and the four CLIP similarities
    seeds.json               [["0000012", ["421", ...]], ...]: prompts with pictures, as training reads them

A prompt of which no pair was kept has a folder without pictures: it is done, and not sampled again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.data import write_jsonl
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.synthesis.seed_triplets import Triplet


@dataclass(frozen=True, eq=False)
class Pair:
    """before, after: [h, w, 3]. clip: similarities of (image and caption before, image and caption after, the two
    directions, the two images); none where no CLIP model was asked."""

    seed: int
    sharing: float
    guidance: float
    before: Pixels
    after: Pixels
    clip: tuple[float, ...] | None = None

    def line(self) -> dict[str, Any]:
        """Its line of metadata.jsonl."""
        names = ("clip_sim_0", "clip_sim_1", "clip_sim_dir", "clip_sim_image")
        drawn = {"seed": self.seed, "p2p_threshold": self.sharing, "cfg_scale": self.guidance}
        return drawn | dict(zip(names, self.clip or (None,) * 4, strict=True))


def path(folder: Path, number: int) -> Path:
    return folder / f"{number:07d}"


def write(folder: Path, number: int, triplet: Triplet, pairs: Iterable[Pair], rejected: dict[str, int]) -> None:
    """The folder of a prompt, whole or not at all. rejected: sampled pairs that were not kept, by reason."""
    kept = list(pairs)
    with runs.atomic_folder(path(folder, number)) as fresh:
        for pair in kept:
            for end, pixels in enumerate((pair.before, pair.after)):
                (fresh / f"{pair.seed}_{end}.jpg").write_bytes(images.encode(pixels, "jpeg"))
        write_jsonl(fresh / "metadata.jsonl", (pair.line() for pair in kept))
        samples = len(kept) + sum(rejected.values())
        runs.write_json(fresh / "prompt.json", triplet._asdict() | {"samples": samples, "rejected": rejected})


def done(folder: Path, number: int, triplet: Triplet) -> bool:
    """Whether a prompt has its folder. Raises ZooError where that holds another triplet."""
    file = path(folder, number) / "prompt.json"
    if not file.is_file():
        return False
    held = runs.read_json(file)
    if [held.get(key) for key in Triplet._fields] != list(triplet):
        found = f"the pairs of another triplet ({str(held.get('edit'))[:60]})"
        raise ZooError(found, f"those of: {triplet.edit[:60]}", "choose another -o, or remove this folder", str(file))
    return True


def prompts(folder: Path) -> Iterator[tuple[str, list[str], dict[str, int]]]:
    """(name, seeds of the kept pairs, rejected pairs by reason) of every prompt that is done, in order."""
    for one in sorted(p for p in folder.iterdir() if re.fullmatch(r"\d{7}", p.name)):
        seeds = sorted((p.name.removesuffix("_0.jpg") for p in one.glob("*_0.jpg")), key=int)
        yield one.name, seeds, runs.read_json(one / "prompt.json")["rejected"]


def index(folder: Path, names: Collection[str] | None = None) -> None:
    """Write seeds.json: every prompt that has pictures, with their seeds. names: of the folders; none: all."""
    held = ((name, seeds) for name, seeds, _ in prompts(folder) if names is None or name in names)
    runs.write_json(folder / "seeds.json", [[name, seeds] for name, seeds in held if seeds])
