"""Writes the layout in which the paper's pairs were released (arXiv:2211.09800), one prompt at a time.

    0000012/prompt.json      {"input", "edit", "output"} and, beyond the release, "samples" and "rejected"
    0000012/421_0.jpg        before; 421 is the seed of the pair
    0000012/421_1.jpg        after
    0000012/metadata.jsonl   a line for each pair: seed, p2p_threshold, cfg_scale and the four CLIP similarities
    seeds.json               [["0000012", ["421", ...]], ...]: prompts with pictures, as training reads them

A prompt without an accepted pair has a folder without pictures: it is finished and not sampled again.
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
class SampledPair:
    """A pair of pictures and how it was sampled.

    Attributes:
        seed: Seed of the noise.
        sharing: Fraction of steps with shared attention.
        guidance: Scale of classifier-free guidance.
        before: uint8 [h, w, 3].
        after: uint8 [h, w, 3].
        clip: Similarities of picture and caption before, of picture and caption after, of the two directions, and of
            the two pictures; None if no CLIP model was used.
    """

    seed: int
    sharing: float
    guidance: float
    before: Pixels
    after: Pixels
    clip: tuple[float, ...] | None = None

    def metadata(self) -> dict[str, Any]:
        """Its line of metadata.jsonl."""
        names = ("clip_sim_0", "clip_sim_1", "clip_sim_dir", "clip_sim_image")
        values = {"seed": self.seed, "p2p_threshold": self.sharing, "cfg_scale": self.guidance}
        return values | dict(zip(names, self.clip or (None,) * 4, strict=True))


def prompt_folder(folder: Path, number: int) -> Path:
    """The folder of a prompt, named by its number in seven digits."""
    return folder / f"{number:07d}"


def write_prompt(
    folder: Path, number: int, triplet: Triplet, pairs: Iterable[SampledPair], rejected: dict[str, int]
) -> None:
    """Write the folder of a prompt, completely or not at all.

    Args:
        folder: The folder of the set.
        number: The prompt's number.
        triplet: Its captions and instruction.
        pairs: The accepted pairs of pictures.
        rejected: Sampled pairs that were not kept, by reason.
    """
    kept = list(pairs)
    with runs.atomic_folder(prompt_folder(folder, number)) as new_folder:
        for pair in kept:
            for side, pixels in enumerate((pair.before, pair.after)):
                (new_folder / f"{pair.seed}_{side}.jpg").write_bytes(images.encode(pixels, "jpeg"))
        write_jsonl(new_folder / "metadata.jsonl", (pair.metadata() for pair in kept))
        samples = len(kept) + sum(rejected.values())
        runs.write_json(new_folder / "prompt.json", triplet._asdict() | {"samples": samples, "rejected": rejected})


def is_done(folder: Path, number: int, triplet: Triplet) -> bool:
    """Whether a prompt has its folder.

    Args:
        folder: The folder of the set.
        number: The prompt's number.
        triplet: Its captions and instruction.

    Returns:
        Whether the folder is finished, even if no pair was accepted.

    Raises:
        ZooError: The folder is of another triplet.
    """
    file = prompt_folder(folder, number) / "prompt.json"
    if not file.is_file():
        return False
    stored = runs.read_json(file)
    if [stored.get(key) for key in Triplet._fields] != list(triplet):
        problem = f"the pairs of another triplet ({str(stored.get('edit'))[:60]})"
        raise ZooError(problem, f"those of: {triplet.edit[:60]}", "choose another -o, or remove this folder", str(file))
    return True


def finished_prompts(folder: Path) -> Iterator[tuple[str, list[str], dict[str, int]]]:
    """(name, seeds of the kept pairs, rejected pairs by reason) of every finished prompt, in order."""
    for path in sorted(p for p in folder.iterdir() if re.fullmatch(r"\d{7}", p.name)):
        seeds = sorted((p.name.removesuffix("_0.jpg") for p in path.glob("*_0.jpg")), key=int)
        yield path.name, seeds, runs.read_json(path / "prompt.json")["rejected"]


def write_index(folder: Path, names: Collection[str] | None = None) -> None:
    """Write seeds.json: every prompt with pictures, and their seeds.

    Args:
        folder: The folder of the set.
        names: The names of the prompt folders to list; None lists all.
    """
    seeds_by_name = ((name, seeds) for name, seeds, _ in finished_prompts(folder) if names is None or name in names)
    runs.write_json(folder / "seeds.json", [[name, seeds] for name, seeds in seeds_by_name if seeds])
