"""Where rows come from. Every row names its source and licence; a sentence is one item, whatever is asked of it.

    world                      rows of the microworld, as many as data.sizes says, drawn by data.world
    crossner/ai and on, wnut17, ncbi, conll04, semeval2010, phee
                               the published sets of corpora.py, from data.path
    own                        your own annotation from data.path, in a format of readers.py (CoNLL, brat, JSON)

Labels are written in words (labels.py). A part that a set lacks is cut out of its train by item, or taken from
its development part (data.options.missing_test); the card says so, and counts what the readers had to decide.
Every part is asked data.options.tasks; training rows also get a share of the auxiliary tasks (arXiv:2304.08085).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.data.split import PARTS, by_item
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.uie import schema, world
from instructzoo.uie.data import corpora, examples, readers
from instructzoo.uie.data.corpora import CORPORA
from instructzoo.uie.data.examples import Asker, Inventory
from instructzoo.uie.data.readers.base import Sentence

if TYPE_CHECKING:
    import datasets

SOURCES = ("world", *CORPORA, "own")
OWN_LICENCE = "yours"

Task = Literal["ner", "re", "ee", "es", "et", "ep", "epr", "eet", "eea"]
Sentences = dict[str, list[Sentence]]


class Settings(recipes.Settings):
    """What is asked of the sentences of published and own sets, and which of them."""

    tasks: tuple[Task, ...] = Field(
        ("ner", "re", "ee"), min_length=1, description="tasks of all parts, where a set's annotation can answer them"
    )
    auxiliary: tuple[Task, ...] = Field(
        ("es", "et", "ep", "epr", "eet", "eea"), description="tasks of training rows alone"
    )
    auxiliary_share: float = Field(0.3, ge=0, le=1, description="chance that a sentence is asked an auxiliary task")
    per_dataset: int | None = Field(
        10_000, ge=1, description="training sentences of one data set, drawn by seed; none: all"
    )
    negatives: int | None = Field(
        None, ge=0, description="labels on offer in training beside the sentence's own, drawn by seed; none: all"
    )
    held_out: tuple[str, ...] = Field((), description="sources whose test part alone is read: for zero-shot")
    missing_test: Literal["cut", "development", "halve"] = Field(
        "cut",
        description="a test part that a set lacks: a cut of its train, its development part, or half of it (the paper)",
    )


@dataclass
class _Set:
    """One data set: its format, its sentences by part, and what is to be said of them in the card."""

    name: str
    format: str
    sentences: Sentences
    inventory: Inventory
    licence: str
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, part: str, text: str) -> None:
        self.notes.setdefault(part, []).append(f"{self.name}, {part}: {text}")


def build(recipe: Recipe, parts: Sequence[str] = PARTS) -> datasets.DatasetDict:
    """The raw parts of recipe.data.sources, one after the other, with notes for the card in their descriptions.

    parts: those that are needed; where all sources have them and train is not among them, the others are not made.
    Raises ZooError for an unknown source, files that are missing or malformed (with their line), two labels that read
    the same, and tasks that no source can answer.
    """
    import datasets

    from instructzoo.core.data.tables import dataset

    settings = _settings(recipe)
    sets = {name: _read(name, recipe, settings) for name in recipe.data.sources if name != "world"}
    had = set(PARTS).intersection(*(one.sentences for one in sets.values()))
    wanted = set(parts) if set(parts) <= had - {"train"} else set(PARTS)
    found: dict[str, list[datasets.Dataset]] = {}
    notes: dict[str, list[str]] = {}
    for name in recipe.data.sources:
        if name == "world":
            for part, rows in _world(recipe, wanted):
                found.setdefault(part, []).append(dataset(rows))
            continue
        one = sets[name]
        _divide(one, recipe, settings)
        for part in PARTS:
            if part in wanted and (made := _rows(one, part, settings, recipe.seed)):
                found.setdefault(part, []).append(dataset(made))
                notes.setdefault(part, []).extend(one.notes.get(part, []))
    if not found:
        raise ZooError(f"no source can answer {', '.join(settings.tasks)}", "tasks that fit", "", "data.options.tasks")
    made_parts = {part: datasets.concatenate_datasets(pieces) for part, pieces in found.items()}
    for part, rows in made_parts.items():
        rows.info.description = "\n".join(notes.get(part, []))
    return datasets.DatasetDict(made_parts)


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Rows of a published or own file with their places; None where it is in no such format.

    task: what is asked; default: ner of CoNLL files, re of CoNLL04 and SemEval-2010, ee of PHEE; of other formats the
    first of ner, re and ee that they annotate. All labels of the file are on offer.
    Raises ZooError for a task that the file cannot answer, and for malformed lines.
    """
    format = readers.format_of(path)
    return None if format is None else _gold(path, format, task)


def _gold(path: Path, format: str, task: str) -> Iterator[tuple[str, Row]]:
    if task and task not in schema.TASKS:
        raise ZooError(f'the task "{task}"', suggest(task, schema.TASKS), where="--task")
    sentences = list(readers.read_file(path, format))
    inventory = Inventory.of(sentences, str(path))
    allowed = readers.ANSWERS[format]
    wanted = task or next(iter(examples.tasks(format, inventory)), allowed[0])
    if wanted not in allowed:
        raise ZooError(f"the task {wanted}", f"one of {', '.join(allowed)}", where=str(path))
    asker = Asker(inventory, corpora.name_of(path), format, "", 0)
    for sentence in sentences:
        for row in asker.rows(sentence, wanted):
            yield sentence.where, row


def _settings(recipe: Recipe) -> Settings:
    sources = recipe.data.sources
    if unknown := [name for name in sources if name not in SOURCES]:
        raise ZooError(f'no source "{unknown[0]}"', suggest(unknown[0], SOURCES), where="data.sources")
    settings = recipes.validate_part(Settings, recipe.data.options, "data.options")
    if unknown := [name for name in settings.held_out if name not in sources or name == "world"]:
        raise ZooError(f'"{unknown[0]}"', suggest(unknown[0], sources), where="data.options.held_out")
    return settings


def _world(recipe: Recipe, wanted: set[str]) -> Iterator[tuple[str, Iterator[Row]]]:
    settings = recipes.validate_part(world.Settings, recipe.data.world, "data.world")
    for part, n in recipe.data.sizes.model_dump().items():
        if part in wanted:
            yield part, world.generate(n, recipe.seed, part, settings)


def _read(name: str, recipe: Recipe, settings: Settings) -> _Set:
    """All files of a source, its parts as its files have them."""
    alone = sum(source != "world" for source in recipe.data.sources) == 1
    passed: list[str] = []
    if name in CORPORA:
        files, licence = corpora.locate(name, recipe.data.path, alone), CORPORA[name].licence
    else:
        (files, passed), licence = corpora.own_files(recipe.data.path, alone), OWN_LICENCE
    formats = {_format(name, path) for paths in files.values() for path in paths}
    if len(formats) > 1:
        raise ZooError(f"files in several formats: {', '.join(sorted(formats))}", "one", where=str(recipe.data.path))
    (format,) = formats
    sentences = {part: [s for p in paths for s in readers.read_file(p, format)] for part, paths in files.items()}
    inventory = Inventory.of((s for found in sentences.values() for s in found), name)
    made = _Set(name, format, sentences, inventory, licence)
    if passed:
        made.note("train", f"{len(passed)} files passed over, of no known ending: {', '.join(sorted(passed)[:5])}")
    _stand_in(made, name in settings.held_out, settings, recipe.seed)
    return made


def _format(name: str, path: Path) -> str:
    return CORPORA[name].reader if name in CORPORA else readers.format_of(path) or ""


def _stand_in(one: _Set, held_out: bool, settings: Settings, seed: int) -> None:
    """A test part from the development part where that is asked, and nothing but a test part of what is held out."""
    held = one.sentences
    if held_out:
        part = next(part for part in ("test", "validation", "train") if part in held)
        one.sentences = {"test": held[part]}
        one.note("test", "held out: nothing of it is trained on")
        if part != "test":
            one.note("test", f"its {part} part, since its test part is not there")
    elif settings.missing_test != "cut" and "test" not in held and "validation" in held:
        whole = held.pop("validation")
        if settings.missing_test == "development":
            held["test"] = whole
        else:
            halves = _cut(whole, {"test": 0.5}, seed)
            held |= {part: halves[cut] for part, cut in (("validation", "train"), ("test", "test")) if cut in halves}
        half = "" if settings.missing_test == "development" else "half of "
        one.note("test", f"{half}its development part, since its test part is not there")


def _divide(one: _Set, recipe: Recipe, settings: Settings) -> None:
    """Cut the parts that are missing out of train, by item; nothing is cut out of what is held out."""
    if "train" not in one.sentences:
        if one.name not in settings.held_out:
            one.note("test" if "test" in one.sentences else "validation", "there is no train part of it")
        return
    shares = {"validation": recipe.data.validation, "test": recipe.data.test}
    missing = {part: share for part, share in shares.items() if part not in one.sentences and share}
    if not missing:
        return
    for part, found in _cut(one.sentences["train"], missing, recipe.seed).items():
        one.sentences[part] = found
        if part != "train":
            one.note(part, f"cut out of its train part ({missing[part]:g} of the items), since it has none")


def _cut(whole: list[Sentence], shares: Mapping[str, float], seed: int) -> Sentences:
    """Sentences by part: shares of the items as the core cuts them, and "train", what is left. No part is empty."""
    import pyarrow as pa

    table = pa.table({"item": [examples.item(s.text) for s in whole], "place": range(len(whole))})
    parts = by_item(table, shares, seed)
    return {
        part: [whole[place] for place in rows.column("place").to_pylist()] for part, rows in parts.items() if len(rows)
    }


def _rows(one: _Set, part: str, settings: Settings, seed: int) -> list[Row]:
    """Rows of one part of a set, question after question for every sentence."""
    sentences = one.sentences.get(part, [])
    train = part == "train"
    can = examples.tasks(one.format, one.inventory)
    if sentences and not set(can) & set(settings.tasks):
        wanted = f"some of {', '.join(can) or 'none'}"
        raise ZooError(f"{one.name} answers none of {', '.join(settings.tasks)}", wanted, where="data.options.tasks")
    counts = Counter(remark for sentence in sentences for remark in sentence.remarks)
    rng = random.Random(f"{seed}\n{one.name}\n{part}")
    if train and settings.per_dataset and len(sentences) > settings.per_dataset:
        chosen = sorted(rng.sample(range(len(sentences)), settings.per_dataset))
        one.note(part, f"{settings.per_dataset:,} of {len(sentences):,} sentences, drawn by seed (per_dataset)")
        sentences = [sentences[place] for place in chosen]
    main = [task for task in settings.tasks if task in can]
    extra = [task for task in settings.auxiliary if train and task in can and task not in main]
    asker = Asker(one.inventory, one.name, one.name, one.licence, seed, settings.negatives if train else None)
    rows: list[Row] = []
    for sentence in sentences:
        drawn = [task for task in extra if rng.random() < settings.auxiliary_share]
        rows += [row for task in (*main, *drawn) for row in asker.rows(sentence, task)]
    for remark, count in sorted(counts.items()):
        one.note(part, f"{count:,} {remark}")
    return rows
