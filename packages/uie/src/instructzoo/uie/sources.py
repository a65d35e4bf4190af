"""Where rows come from. Every row names its source and licence; a sentence is one item, whatever is asked about it.

    world                      rows of the microworld, as many as data.sizes says, generated with data.world
    crossner/ai, ... , wnut17, ncbi, conll04, semeval2010, phee
                               the published data sets of data/corpora.py, read from data.path
    templates                  short everyday sentences with well-known names, for training (data/sentence_templates.py)
    own                        your own annotation in data.path, in a format of data/readers (CoNLL, brat, JSON)

Labels are put into words (data/label_names.py). A split that a data set lacks is cut from its training split by item,
or taken from its validation split (data.options.missing_test); the data card says so, and counts what the readers
had to decide. Rows of every split have the tasks of data.options.tasks; a fraction of the training sentences also get
an auxiliary task (arXiv:2304.08085).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.data.microworld import world_rows
from instructzoo.core.data.sources import OWN_LICENCE, RowCollector, check_sources, reads_one_source, wanted_splits
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.uie import schema, world
from instructzoo.uie.data import corpora, examples, readers, sentence_templates
from instructzoo.uie.data.corpora import CORPORA
from instructzoo.uie.data.examples import VARIED, ExampleBuilder, LabelInventory
from instructzoo.uie.data.label_variation import DERIVED_LABELS
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.data.source_splits import (
    Dataset,
    cut_missing_splits,
    drop_items,
    keep_test_split,
    use_development_split,
)

if TYPE_CHECKING:
    import datasets

SOURCES = ("world", *CORPORA, "templates", "own")

Task = Literal["ner", "re", "ee", "es", "et", "ep", "epr", "eet", "eea"]


class Settings(recipes.Settings):
    """data.options: which questions are asked about the sentences of published and own data sets."""

    tasks: tuple[Task, ...] = Field(
        ("ner", "re", "ee"), min_length=1, description="tasks of all splits, where a set's annotation supports them"
    )
    auxiliary: tuple[Task, ...] = Field(
        ("es", "et", "ep", "epr", "eet", "eea"), description="additional tasks of training rows"
    )
    auxiliary_share: float = Field(0.3, ge=0, le=1, description="probability of each auxiliary task for a sentence")
    per_dataset: int | None = Field(
        10_000, ge=1, description="training sentences of each data set, drawn by seed; none: all"
    )
    negatives: int | None = Field(
        None, ge=0, description="labels offered in training besides the sentence's own, drawn by seed; none: all"
    )
    variations: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {},
        description="by source, training rows a sentence besides the others, on average, with a sample of the labels, "
        "more general and finer ones among them, under other names (tasks ner and re)",
    )
    templates: int = Field(3_000, ge=1, description="sentences of the source templates, all for training")
    per_test: int | None = Field(None, ge=1, description="test sentences of each data set, drawn by seed; none: all")
    held_out: tuple[str, ...] = Field((), description="sources of which only the test split is used, for zero-shot")
    development: Literal["validation", "train"] = Field(
        "validation",
        description="use of a development split, or of the half of it that is no test split; with train, validation is "
        "cut from the training split",
    )
    missing_test: Literal["cut", "development", "halve"] = Field(
        "cut",
        description="test split of a set without one: a cut of train, the development split, or half of it (the paper)",
    )


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """Build the raw splits of all sources of a recipe, one source after the other.

    Args:
        recipe: Its section `data` names the sources.
        splits: The splits that are needed. The others are left out only where all sources have the needed ones and
            train is not among them; otherwise all splits are built.

    Returns:
        The splits; the description of each holds notes for the data card.

    Raises:
        ZooError: For an unknown source, missing or malformed files (with their line), two labels that become the same
            words, and tasks that no source supports.
    """
    settings = _settings(recipe)
    read = {name: _read(name, recipe, settings) for name in recipe.data.sources if name != "world"}
    published = [source.sentences for name, source in read.items() if name != "templates"]
    needed = wanted_splits(splits, set(SPLITS).intersection(*published))
    tested = {examples.item_of(s.text) for source in read.values() for s in source.sentences.get("test", ())}
    collector = RowCollector()
    for name in recipe.data.sources:
        if name == "world":
            for split, generated in world_rows(recipe, world, needed).items():
                collector.add(split, generated)
            continue
        source = read[name]
        drop_items(source, tested)
        if name != "templates":
            fractions = {"validation": recipe.data.validation, "test": recipe.data.test}
            cut_missing_splits(source, fractions, name in settings.held_out, recipe.seed)
        for split in SPLITS:
            if split in needed and (rows := _rows(source, split, settings, recipe.seed)):
                collector.add(split, rows, source.notes.get(split, []))
    if not collector:
        raise ZooError(f"no source can answer {', '.join(settings.tasks)}", "tasks that fit", "", "data.options.tasks")
    return collector.dataset_dict()


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Read a file in a published format, so that `zoo score` accepts it as it is.

    Args:
        path: The file.
        task: The task of the rows. Default: ner for CoNLL files, re for CoNLL04 and SemEval-2010, ee for PHEE; for
            other formats the first of ner, re and ee that the file annotates.

    Returns:
        (file:line, row) for each row, with all labels of the file on offer, and the reader's `remarks` so far; None
        where the file is in no known format.

    Raises:
        ZooError: For a task that the format does not support, and for malformed lines.
    """
    format = readers.format_of(path)
    return None if format is None else _gold_rows(path, format, task)


def _gold_rows(path: Path, format: str, task: str) -> Iterator[tuple[str, Row]]:
    if task and task not in schema.TASKS:
        raise ZooError(f'the task "{task}"', suggest(task, schema.TASKS), where="--task")
    sentences = list(readers.read_file(path, format))
    inventory = LabelInventory.of(sentences, str(path))
    supported = readers.SUPPORTED_TASKS[format]
    task = task or next(iter(examples.supported_tasks(format, inventory)), supported[0])
    if task not in supported:
        raise ZooError(f"the task {task}", f"one of {', '.join(supported)}", where=str(path))
    builder = ExampleBuilder(inventory, corpora.name_of(path), format, "", 0)
    remarks: list[str] = []
    for sentence in sentences:
        remarks += sentence.remarks
        for row in builder.rows(sentence, task):
            yield sentence.where, row | {"remarks": remarks}
            remarks = []


def _settings(recipe: Recipe) -> Settings:
    """data.options, checked. Raises ZooError for unknown settings and sources."""
    check_sources(recipe, SOURCES)
    sources = recipe.data.sources
    settings = recipes.validate_settings(Settings, recipe.data.options, "data.options")
    for key, names in (("held_out", settings.held_out), ("variations", tuple(settings.variations))):
        if unknown := [name for name in names if name not in sources or name == "world"]:
            raise ZooError(f'"{unknown[0]}"', suggest(unknown[0], sources), where=f"data.options.{key}")
    return settings


def _read(name: str, recipe: Recipe, settings: Settings) -> Dataset:
    """Read all files of a source, with the splits that they have; the templates are filled."""
    if name == "templates":
        filled = list(sentence_templates.generate(settings.templates, recipe.seed))
        return Dataset(name, "offsets", {"train": filled}, LabelInventory.of(filled, name), "Apache-2.0")
    only_source = reads_one_source(recipe)
    skipped: list[str] = []
    if name in CORPORA:
        files, licence = corpora.locate(name, recipe.data.path, only_source), CORPORA[name].licence
    else:
        (files, skipped), licence = corpora.own_files(recipe.data.path, only_source), OWN_LICENCE
    formats = {_format(name, path) for paths in files.values() for path in paths}
    if len(formats) > 1:
        raise ZooError(f"files in several formats: {', '.join(sorted(formats))}", "one", where=str(recipe.data.path))
    (format,) = formats
    sentences = {split: [s for p in paths for s in readers.read_file(p, format)] for split, paths in files.items()}
    inventory = LabelInventory.of((s for of_split in sentences.values() for s in of_split), name)
    source = Dataset(name, format, sentences, inventory, licence)
    if skipped:
        source.note("train", f"{len(skipped)} files skipped, of an unknown suffix: {', '.join(sorted(skipped)[:5])}")
    if name in settings.held_out:
        keep_test_split(source)
    else:
        use_development_split(source, settings.missing_test, settings.development, recipe.seed)
    return source


def _format(name: str, path: Path) -> str:
    return CORPORA[name].reader if name in CORPORA else readers.format_of(path) or ""


def _rows(source: Dataset, split: str, settings: Settings, seed: int) -> list[Row]:
    """Rows of one split of a data set: all questions about the first sentence, then about the second, and so on."""
    sentences = source.sentences.get(split, [])
    train = split == "train"
    supported = examples.supported_tasks(source.format, source.inventory)
    if sentences and not set(supported) & set(settings.tasks):
        expected = f"some of {', '.join(supported) or 'none'}"
        found = f"{source.name} answers none of {', '.join(settings.tasks)}"
        raise ZooError(found, expected, where="data.options.tasks")
    remarks = Counter(remark for sentence in sentences for remark in sentence.remarks)
    layers = {examples.layer_of(task) for task in settings.tasks if task in supported}
    remarks.update(
        f"texts without {layer} in their annotation, not asked about them"
        for sentence in sentences
        for layer in sorted(layers.difference(sentence.layers))
    )
    if contradicting := _contradicting(sentences):
        remarks["texts that stand more than once, with different annotations"] = contradicting
    rng = random.Random(f"{seed}\n{source.name}\n{split}")
    if train and settings.per_dataset and len(sentences) > settings.per_dataset:
        indices = sorted(rng.sample(range(len(sentences)), settings.per_dataset))
        source.note(split, f"{settings.per_dataset:,} of {len(sentences):,} sentences, drawn by seed (per_dataset)")
        sentences = [sentences[index] for index in indices]
    if split == "test" and settings.per_test and len(sentences) > settings.per_test:
        source.note(split, f"{settings.per_test:,} of {len(sentences):,} sentences, drawn by seed (per_test)")
        sentences = rng.sample(sentences, settings.per_test)
    tasks = [task for task in settings.tasks if task in supported]
    auxiliary = [task for task in settings.auxiliary if train and task in supported and task not in tasks]
    negatives = settings.negatives if train else None
    builder = ExampleBuilder(source.inventory, source.name, source.name, source.licence, seed, negatives)
    variations = settings.variations.get(source.name, 0) if train else 0
    rows: list[Row] = []
    for sentence in sentences:
        drawn = [task for task in auxiliary if rng.random() < settings.auxiliary_share]
        rows += [row for task in (*tasks, *drawn) for row in builder.rows(sentence, task)]
        for task in [task for task in tasks if variations and task in VARIED]:
            n = int(variations) + (rng.random() < variations % 1)
            rows += [row for number in range(n) for row in builder.varied_row(sentence, task, number)]
    if variations:
        source.note(split, "varied rows have other labels than the annotation: " + DERIVED_LABELS)
    for remark, count in sorted(remarks.items()):
        source.note(split, f"{count:,} {remark}")
    return rows


def _contradicting(sentences: Sequence[Sentence]) -> int:
    """How many texts have several annotations that differ, such as those of annotators who disagree."""
    annotations_by_text: dict[str, set[schema.Annotation]] = {}
    for sentence in sentences:
        annotations_by_text.setdefault(sentence.text, set()).add(sentence.annotation)
    return sum(len(annotations) > 1 for annotations in annotations_by_text.values())
