"""zoo synth pix2pix: the paper's data pipeline (arXiv:2211.09800, section 3.1), in stages that go on where they ended.

    captions -> triplets (a teacher; triplets.py) -> pairs of pictures (a text-to-image model; pairs.py)
             -> the pairs that CLIP lets pass -> folders in the released layout (released.py)

    zoo synth pix2pix -o FOLDER --teacher openai:MODEL@URL limit=1000 diffusion=./stable-diffusion clip=./clip

FOLDER holds synth.json (the settings of the pairs), journal.jsonl (what the teacher said), triplets.jsonl, a folder for
each triplet, and seeds.json. Without `diffusion` it ends with the triplets. Moderation of texts and pictures, which the
authors had, is not shipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from instructzoo.core import recipe, runs
from instructzoo.core.commands.progress import Counter as Shown
from instructzoo.core.data import write_jsonl
from instructzoo.core.errors import ZooError
from instructzoo.core.synth import Teacher, TeacherSettings, with_cache
from instructzoo.pix2pix.metrics import clip_metrics
from instructzoo.pix2pix.synthesis import caption_triplets, dataset_writer, image_pairs
from instructzoo.pix2pix.synthesis.seed_triplets import SEEDS, Triplet

PAIRS = ("diffusion", "samples", "steps", "size", "sharing", "guidance", "clip", "images", "caption", "direction",
         "keep", "seed")  # fmt: skip
"""Settings that decide the pairs of a triplet: a folder is begun with them and goes on with no others."""

UNMODERATED = "no moderation is shipped: look at the texts and pictures before you publish them"
UNFILTERED = "no CLIP model was named (clip=FOLDER): nothing was measured, and every sampled pair was kept"


class Asking(TeacherSettings):
    """How the teacher is asked."""

    stop: tuple[str, ...] = Field(("\nEND",), max_length=4, description="texts at which an answer ends")
    template: Literal["chat", "plain"] | None = Field(
        "plain", description="of a local model: the prompt is a list of examples, which it goes on with"
    )


class Settings(recipe.Settings):
    """The paper's values are the defaults, except that `limit` and `batch` are for one machine."""

    teacher: Asking = Field(Asking(), description="how the teacher is asked")
    captions: str | None = Field(None, description="file of captions, a line each; none: parts of the seeds, put anew")
    limit: int = Field(1000, ge=1, description="captions to ask about; a larger one later goes on from there")
    blocked: str | None = Field(None, description="file of words, a line each, that no text may hold")
    examples: int = Field(6, ge=1, le=len(SEEDS), description="seed triplets shown in a prompt")
    words: int = Field(50, ge=1, description="words of an instruction or a caption at most")
    retries: int = Field(3, ge=0, description="further answers to a caption whose answer was rejected")
    diffusion: str | None = Field(None, description="folder of a Stable Diffusion pipeline; none: triplets only")
    samples: int = Field(100, ge=1, description="pairs to sample for each triplet")
    batch: int = Field(2, ge=1, description="pairs sampled at once: each is four pictures to the UNet")
    steps: int = Field(100, ge=1, description="ancestral Euler steps")
    size: int = Field(512, ge=8, description="pixels along a side")
    sharing: tuple[float, float] = Field((0.1, 0.9), description="share of steps with shared attention, drawn between")
    guidance: tuple[float, float] = Field((7.5, 15.0), description="classifier-free guidance, drawn between")
    clip: str | None = Field(None, description="folder of a CLIP model that measures the pairs; none: all are kept")
    images: float = Field(clip_metrics.MIN_IMAGE, ge=-1, le=1, description="least similarity of the two pictures")
    caption: float = Field(
        clip_metrics.MIN_CAPTION, ge=-1, le=1, description="least similarity of each picture and its caption"
    )
    direction: float = Field(
        clip_metrics.MIN_DIRECTION, ge=-1, le=1, description="least similarity of the changes of pictures and captions"
    )
    keep: int = Field(4, ge=1, description="pairs kept for a triplet at most, the best by direction")
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
        if self.part[0] >= self.part[1]:
            raise ValueError(f"partition: {self.partition}; expected i/n with i from 0 to n - 1")
        if self.teacher.max_tokens < 4 * self.words:
            # a text that max_tokens cuts is then always too long, and no half caption is kept
            raise ValueError("teacher.max_tokens: fewer than 4 times `words`; expected more, or fewer words")
        return self

    @property
    def part(self) -> tuple[int, int]:
        index, _, of = self.partition.partition("/")
        return int(index), int(of)


def build(settings: Settings, teacher: Teacher, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Run all stages in `folder`; what is there already is not made again.

    Several machines may work in one folder, each on its partition; a last call without one brings the parts together.
    Returns {"kept": counts, "rejected": counts by reason, "asked", "found": answers had now and from the journal,
    "notes"}. Raises ZooError where another process works on the partition, or the folder holds pairs of other settings.
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
    _same_settings(settings, folder)
    model = (
        image_pairs.Model.load(settings.diffusion) if settings.diffusion else None
    )  # a bad folder fails before it costs
    clip = _clip(settings)
    if model and settings.size % model.scale:
        raise ZooError(f"size {settings.size}", f"a multiple of {model.scale}", where="size")
    asked = with_cache(teacher, folder / "journal.jsonl", settings.teacher)
    every = caption_triplets.captions(settings.captions, settings.limit, settings.seed)
    own = caption_triplets.numbered(every, *settings.part)
    rules = caption_triplets.Rules(
        settings.examples, settings.words, settings.retries, caption_triplets.blocked(settings.blocked), settings.seed
    )
    with Shown("captions", quiet) as shown:
        written = caption_triplets.write(own, asked, rules, shown.update)
    _write_triplets(settings, folder, written.triplets)
    kept, rejected = Counter({"triplets": len(written.triplets)}), +written.rejected
    notes = [f"{written.again:,} answers were rejected and asked for again"] if written.again else []
    if model:
        _sample(settings, written.triplets, model, clip, folder, quiet)
        _count(folder, written.triplets, kept, rejected)
        dataset_writer.index(
            folder, {dataset_writer.path(folder, n).name for n in written.triplets} if settings.part[1] == 1 else None
        )
        notes += [] if clip else [UNFILTERED]
    found = {"asked": asked.asked, "found": asked.found}
    return {"kept": {"captions": len(own)} | kept, "rejected": dict(rejected), **found, "notes": [*notes, UNMODERATED]}


def _same_settings(settings: Settings, folder: Path) -> None:
    """Note the settings of the pairs, or raise ZooError where the folder's pairs were made with others."""
    if not settings.diffusion:
        return
    now = settings.model_dump(mode="json", include=set(PAIRS))
    file = folder / "synth.json"
    then = runs.read_json(file) if file.is_file() else now
    if differ := [name for name in PAIRS if then.get(name) != now[name]]:
        name = differ[0]
        raise ZooError(f"pairs of {name}={then.get(name)}", f"{name}={now[name]}", "choose another -o", str(file))
    runs.write_json(file, now)


def _clip(settings: Settings) -> clip_metrics.Clip | None:
    """The CLIP model of the settings, or None."""
    if not (settings.clip and settings.diffusion):
        return None
    from instructzoo.core.models.load import to_device

    clip = clip_metrics.Clip.load(settings.clip)
    to_device(clip.model)
    return clip


def _write_triplets(settings: Settings, folder: Path, found: Mapping[int, Triplet]) -> None:
    index, of = settings.part
    name = "triplets.jsonl" if of == 1 else f"triplets-{index}-of-{of}.jsonl"
    write_jsonl(folder / name, ({"number": n, **found[n]._asdict()} for n in sorted(found)))


def _sample(
    settings: Settings,
    found: Mapping[int, Triplet],
    model: image_pairs.Model,
    clip: clip_metrics.Clip | None,
    folder: Path,
    quiet: bool,
) -> None:
    """The folder of every triplet that has none yet."""
    with Shown("triplets with pairs", quiet) as shown:
        for count, number in enumerate(sorted(found), 1):
            if not dataset_writer.done(folder, number, found[number]):
                made, rejected = _pairs(settings, number, found[number], model, clip)
                dataset_writer.write(folder, number, found[number], made, dict(rejected))
            shown.update(count)


def _pairs(
    settings: Settings, number: int, triplet: Triplet, model: image_pairs.Model, clip: clip_metrics.Clip | None
) -> tuple[list[dataset_writer.Pair], Counter[str]]:
    """The kept pairs of a triplet, and the rejected ones by reason."""
    if not (model.reads(triplet.input) and model.reads(triplet.output)):
        return [], Counter({image_pairs.TOO_LONG: settings.samples})
    drawn = image_pairs.draws(settings.seed, number, settings.samples, settings.sharing, settings.guidance)
    made: list[dataset_writer.Pair] = []
    for begin in range(0, len(drawn), settings.batch):
        batch = image_pairs.sample(model, triplet, drawn[begin : begin + settings.batch], settings.steps, settings.size)
        made += image_pairs.measured(batch, triplet, clip) if clip else batch
    if not clip:
        return made, Counter()
    return image_pairs.chosen(
        made, image_pairs.Thresholds(settings.images, settings.caption, settings.direction, settings.keep)
    )


def _count(folder: Path, found: Mapping[int, Triplet], kept: Counter[str], rejected: Counter[str]) -> None:
    """Add the pairs of these triplets to the counts, from their folders."""
    own = {dataset_writer.path(folder, number).name for number in found}
    for name, seeds, refused in dataset_writer.prompts(folder):
        if name in own:
            kept["triplets with pairs"] += bool(seeds)
            kept["pairs"] += len(seeds)
            rejected.update({f"pairs: {reason}": count for reason, count in refused.items()})
