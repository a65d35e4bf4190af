"""zoo synth pix2pix: the paper's data pipeline (arXiv:2211.09800, section 3.1), in stages that can be resumed.

    captions -> triplets (a teacher; caption_triplets) -> pairs of pictures (a text-to-image model; image_pairs)
             -> the pairs that pass CLIP's filter -> folders in the released layout (dataset_writer)

    zoo synth pix2pix -o FOLDER --teacher openai:MODEL@URL limit=1000 diffusion=./stable-diffusion clip=./clip

FOLDER contains synth.json (the settings of the pairs), journal.jsonl (the response cache), triplets.jsonl, a folder for
each triplet, and seeds.json. Without `diffusion` it ends with the triplets. Moderation of texts and pictures, which the
authors had, is not included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from instructzoo.core import recipe, runs
from instructzoo.core.data import write_jsonl
from instructzoo.core.errors import ZooError
from instructzoo.core.synth import Teacher, TeacherSettings, with_cache
from instructzoo.core.terminal.progress import Counter as ProgressCounter
from instructzoo.pix2pix.metrics import clip_metrics
from instructzoo.pix2pix.synthesis import caption_triplets, dataset_writer, image_pairs
from instructzoo.pix2pix.synthesis.seed_triplets import SEEDS, Triplet

PAIR_SETTINGS = (
    "diffusion", "samples", "steps", "size", "sharing", "guidance", "clip", "images", "caption", "direction", "keep",
    "seed",
)  # fmt: skip
"""Settings that determine the pairs of a triplet: all pairs of a folder must be sampled with the same ones."""

UNMODERATED = "no moderation is shipped: look at the texts and pictures before you publish them"
UNFILTERED = "no CLIP model was named (clip=FOLDER): nothing was measured, and every sampled pair was kept"


class TeacherOptions(TeacherSettings):
    """How the teacher generates."""

    stop: tuple[str, ...] = Field(("\nEND",), max_length=4, description="texts that end an answer")
    template: Literal["chat", "plain"] | None = Field(
        "plain", description="of a local model: the prompt is a list of examples, which it continues"
    )


class Settings(recipe.Settings):
    """Settings of the pipeline. The defaults are the paper's, but `limit` and `batch` are for one machine."""

    teacher: TeacherOptions = Field(TeacherOptions(), description="how the teacher generates")
    captions: str | None = Field(None, description="file of captions, one per line; none: recombined seed triplets")
    limit: int = Field(1000, ge=1, description="number of captions; a larger one continues a finished call")
    blocked: str | None = Field(None, description="file of words, one per line, that no text may contain")
    examples: int = Field(6, ge=1, le=len(SEEDS), description="seed triplets shown in a prompt")
    words: int = Field(50, ge=1, description="most words of an instruction or a caption")
    retries: int = Field(3, ge=0, description="further requests for a caption whose answer was rejected")
    diffusion: str | None = Field(None, description="folder of a Stable Diffusion pipeline; none: triplets only")
    samples: int = Field(100, ge=1, description="pairs to sample for each triplet")
    batch: int = Field(2, ge=1, description="pairs sampled together; the UNet sees four pictures for each")
    steps: int = Field(100, ge=1, description="ancestral Euler steps")
    size: int = Field(512, ge=8, description="pixels along a side")
    sharing: tuple[float, float] = Field((0.1, 0.9), description="range of the fraction of steps with shared attention")
    guidance: tuple[float, float] = Field((7.5, 15.0), description="range of classifier-free guidance")
    clip: str | None = Field(None, description="folder of a CLIP model that filters the pairs; none: all are kept")
    images: float = Field(clip_metrics.MIN_IMAGE, ge=-1, le=1, description="least similarity of the two pictures")
    caption: float = Field(
        clip_metrics.MIN_CAPTION, ge=-1, le=1, description="least similarity of each picture and its caption"
    )
    direction: float = Field(
        clip_metrics.MIN_DIRECTION, ge=-1, le=1, description="least similarity of the changes of pictures and captions"
    )
    keep: int = Field(4, ge=1, description="most pairs kept for a triplet, the best by direction")
    partition: str = Field("0/1", pattern=r"^\d+/[1-9]\d*$", description="i/n: every n-th caption, from the i-th on")
    seed: int = Field(0, ge=0, lt=2**32, description="seed of captions, examples and pairs")

    @field_validator("sharing", "guidance")
    @classmethod
    def _least_first(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= ends[0] <= ends[1]:
            raise ValueError(f"{list(ends)}; expected two numbers from 0 on, the smaller one first")
        return ends

    @model_validator(mode="after")
    def _can_be_done(self) -> Settings:
        if self.sharing[1] > 1:
            raise ValueError("sharing: more than all steps; expected two shares from 0 to 1")
        if self.partition_index[0] >= self.partition_index[1]:
            raise ValueError(f"partition: {self.partition}; expected i/n with i from 0 to n - 1")
        if self.teacher.max_tokens < 4 * self.words:
            # a text that max_tokens truncates is then always too long, so no partial caption is kept
            raise ValueError("teacher.max_tokens: fewer than 4 times `words`; expected more, or fewer words")
        return self

    @property
    def partition_index(self) -> tuple[int, int]:
        """Index and number of partitions."""
        index, _, of = self.partition.partition("/")
        return int(index), int(of)


def build(settings: Settings, teacher: Teacher, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Run all stages in `folder`; what exists already is not made again.

    Several machines may work in one folder, each on its partition; a last call without one merges the partitions.

    Args:
        settings: The pipeline's settings.
        teacher: The teacher model.
        folder: The output folder.
        quiet: Show no progress.

    Returns:
        {"kept": counts, "rejected": counts by reason, "asked" and "found": answers requested now and taken from the
        response cache, "notes"}.

    Raises:
        ZooError: Another process works on the partition, or the folder has pairs of other settings.
    """
    from filelock import FileLock, Timeout

    with runs.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    name = settings.partition.replace("/", "-of-")
    try:
        with FileLock(folder / f".{name}.lock", timeout=0):
            return _build(settings, teacher, folder, quiet)
    except Timeout as error:
        raise ZooError(f"another process writes {folder}", "one for each partition", "wait for it") from error


def _build(settings: Settings, teacher: Teacher, folder: Path, quiet: bool) -> dict[str, Any]:
    _check_pair_settings(settings, folder)
    model = (
        image_pairs.StableDiffusion.load(settings.diffusion) if settings.diffusion else None
    )  # a bad folder fails before any request is paid for
    clip = _load_clip(settings)
    if model and settings.size % model.scale:
        raise ZooError(f"size {settings.size}", f"a multiple of {model.scale}", where="size")
    cached_teacher = with_cache(teacher, folder / "journal.jsonl", settings.teacher)
    captions = caption_triplets.read_captions(settings.captions, settings.limit, settings.seed)
    own_captions = caption_triplets.select_partition(captions, *settings.partition_index)
    rules = caption_triplets.TripletRules(
        settings.examples,
        settings.words,
        settings.retries,
        caption_triplets.read_blocked_words(settings.blocked),
        settings.seed,
    )
    with ProgressCounter("captions", quiet) as progress:
        results = caption_triplets.write_triplets(own_captions, cached_teacher, rules, progress.update)
    _write_triplets(settings, folder, results.triplets)
    kept, rejected = Counter({"triplets": len(results.triplets)}), +results.rejected
    notes = [f"{results.n_retried:,} answers were rejected and asked for again"] if results.n_retried else []
    if model:
        _sample_missing(settings, results.triplets, model, clip, folder, quiet)
        _count_pairs(folder, results.triplets, kept, rejected)
        dataset_writer.write_index(
            folder,
            {dataset_writer.prompt_folder(folder, n).name for n in results.triplets}
            if settings.partition_index[1] == 1
            else None,
        )
        notes += [] if clip else [UNFILTERED]
    answer_counts = {"asked": cached_teacher.requested_count, "found": cached_teacher.cached_count}
    return {
        "kept": {"captions": len(own_captions)} | kept,
        "rejected": dict(rejected),
        **answer_counts,
        "notes": [*notes, UNMODERATED],
    }


def _check_pair_settings(settings: Settings, folder: Path) -> None:
    """Record the settings of the pairs, or raise a ZooError if the folder's pairs were made with others."""
    if not settings.diffusion:
        return
    current = settings.model_dump(mode="json", include=set(PAIR_SETTINGS))
    file = folder / "synth.json"
    stored = runs.read_json(file) if file.is_file() else current
    if changed := [name for name in PAIR_SETTINGS if stored.get(name) != current[name]]:
        name = changed[0]
        raise ZooError(f"pairs of {name}={stored.get(name)}", f"{name}={current[name]}", "choose another -o", str(file))
    runs.write_json(file, current)


def _load_clip(settings: Settings) -> clip_metrics.Clip | None:
    """The CLIP model of the settings, or None."""
    if not (settings.clip and settings.diffusion):
        return None
    from instructzoo.core.models.load import to_device

    clip = clip_metrics.Clip.load(settings.clip)
    to_device(clip.model)
    return clip


def _write_triplets(settings: Settings, folder: Path, triplets: Mapping[int, Triplet]) -> None:
    index, of = settings.partition_index
    name = "triplets.jsonl" if of == 1 else f"triplets-{index}-of-{of}.jsonl"
    write_jsonl(folder / name, ({"number": n, **triplets[n]._asdict()} for n in sorted(triplets)))


def _sample_missing(
    settings: Settings,
    triplets: Mapping[int, Triplet],
    model: image_pairs.StableDiffusion,
    clip: clip_metrics.Clip | None,
    folder: Path,
    quiet: bool,
) -> None:
    """Sample pairs for every triplet that has no folder yet."""
    with ProgressCounter("triplets with pairs", quiet) as progress:
        for count, number in enumerate(sorted(triplets), 1):
            if not dataset_writer.is_done(folder, number, triplets[number]):
                pairs, rejected = _sample_triplet(settings, number, triplets[number], model, clip)
                dataset_writer.write_prompt(folder, number, triplets[number], pairs, dict(rejected))
            progress.update(count)


def _sample_triplet(
    settings: Settings,
    number: int,
    triplet: Triplet,
    model: image_pairs.StableDiffusion,
    clip: clip_metrics.Clip | None,
) -> tuple[list[dataset_writer.SampledPair], Counter[str]]:
    """The kept pairs of a triplet, and counts of the rejected ones by reason."""
    if not (model.fits(triplet.input) and model.fits(triplet.output)):
        return [], Counter({image_pairs.TOO_LONG: settings.samples})
    draws = image_pairs.draw_pairs(settings.seed, number, settings.samples, settings.sharing, settings.guidance)
    pairs: list[dataset_writer.SampledPair] = []
    for start in range(0, len(draws), settings.batch):
        batch = image_pairs.sample_pairs(
            model, triplet, draws[start : start + settings.batch], settings.steps, settings.size
        )
        pairs += image_pairs.add_similarities(batch, triplet, clip) if clip else batch
    if not clip:
        return pairs, Counter()
    return image_pairs.select_pairs(
        pairs, image_pairs.Thresholds(settings.images, settings.caption, settings.direction, settings.keep)
    )


def _count_pairs(folder: Path, triplets: Mapping[int, Triplet], kept: Counter[str], rejected: Counter[str]) -> None:
    """Add the pairs of these triplets, read from their folders, to the counts."""
    names = {dataset_writer.prompt_folder(folder, number).name for number in triplets}
    for name, seeds, rejected_here in dataset_writer.finished_prompts(folder):
        if name in names:
            kept["triplets with pairs"] += bool(seeds)
            kept["pairs"] += len(seeds)
            rejected.update({f"pairs: {reason}": count for reason, count in rejected_here.items()})
