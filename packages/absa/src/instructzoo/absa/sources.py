"""Builds the rows of a recipe from its sources. Every row names its source and licence; the sentence is the split key.

    world               rows of the microworld, as many as data.sizes says, generated with the settings in data.world
    asqp/rest15, ...    the published sets of data/corpora.py (ASQP, ACOS, ASTE-V2, SemEval 2014-2016), from data.path
    own                 your own reviews as CSV or JSON Lines (data/readers/custom.py), from data.path

data.path is the folder that contains the sets (asqp/, acos/, aste_v2/, semeval/), or with one source its own folder or
one file. A split that no source has is cut out of train. Three options change this: data.options.dev_as_test uses a
set's dev split as its test split, skip_dev and skip_test use none of it, and a K-shot sample is never cut. Published
sets overlap: most of rest15's test sentences are in rest16's train split. Training rows of a sentence that is in
validation or test are therefore dropped, and the data card counts them. So are sentences that nobody has annotated:
that a file says nothing of a sentence does not mean that it has no opinion. How several sets are mixed into one
training part is in data/mixture.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from instructzoo.absa import prompts, world
from instructzoo.absa.data import corpora, few_shot, mixture, readers
from instructzoo.absa.data.corpora import CORPORA
from instructzoo.absa.data.options import SOURCES
from instructzoo.absa.data.options import Settings as Settings
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import CONFLICT, TASK_ELEMENTS, Quad, check_task
from instructzoo.core import recipe as recipes
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.microworld import world_rows
from instructzoo.core.data.sources import OWN_LICENCE, RowCollector, check_sources, reads_one_source, wanted_splits
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

UNANNOTATED = "texts that nobody has annotated, left out (none, or [] in JSON, says that there is no opinion)"


@dataclass(frozen=True)
class _SplitSentences:
    """The sentences of one split of one set, and notes on them for the data card."""

    sentences: list[Sentence]
    notes: list[str]


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """Build the raw splits of `recipe.data.sources`, one source after the other.

    The description of each split holds notes for the data card.

    Args:
        recipe: names the sources and their settings.
        splits: the splits that are needed. Others are left out where the sources have all that are needed and train is
            not among them; else all are built.

    Raises:
        ZooError: for an unknown source or task, files that are missing or malformed (with file:line), and a set that
            supports none of the tasks.
    """
    check_sources(recipe, SOURCES)
    settings = recipes.validate_settings(Settings, recipe.data.options, "data.options")
    files = {name: _files(name, recipe, settings) for name in recipe.data.sources}
    available = {split for name, paths in files.items() for split in (SPLITS if name == "world" else paths)}
    if settings.kshot and "test" not in available:
        fix = "set data.options.dev_as_test=true" if "validation" in available else "add a test file"
        found, expected = "no test split beside a K-shot draw", "one, since a K-shot draw is never split"
        raise ZooError(found, expected, fix, "data.options.kshot")
    needed = wanted_splits(splits, available)
    collector = RowCollector()
    mixtures = {"train": _train_mixture(recipe, settings, files), "test": mixture.Mixture(settings.test_weights)}
    for name, paths in files.items():
        if name == "world":
            for split, generated in world_rows(recipe, world, needed).items():
                collector.add(split, generated)
            continue
        for split, read in _read_splits(name, paths, settings, needed):
            mixed = mixtures.get(split) if name in CORPORA else None  # your own rows are taken as they are
            rows, remarks = _rows(name, read.sentences, settings, recipe.seed, mixed or mixture.Mixture())
            collector.add(split, rows, [f"{name}, {split}: {note}" for note in [*read.notes, *remarks]])
    return collector.dataset_dict()


def _train_mixture(recipe: Recipe, settings: Settings, files: Mapping[str, Mapping[str, Path]]) -> mixture.Mixture:
    """The mixture of train. Where it needs to know the sentences of all sets, their files are read once more."""
    with_opinion, in_test = set[str](), set[str]()
    published = [name for name in files if name in CORPORA]
    for name in published if settings.without_opinion or settings.test_weights else ():
        all_files = _files(name, recipe, Settings())  # a split that is skipped knows opinions too
        for path in all_files.values():
            sentences = list(readers.read_file(path, _format(name, path)))
            with_opinion.update(mixture.sentence_key(sentence.text) for sentence in sentences if sentence.quads)
            if path == files[name].get("test"):
                in_test.update(mixture.sentence_key(sentence.text) for sentence in sentences)
    return mixture.Mixture(
        settings.weights,
        settings.one_set,
        settings.without_opinion,
        frozenset(with_opinion),
        frozenset(in_test),
        settings.natural_spacing,
    )


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Read a published or own file as gold rows, so that `zoo score` accepts it directly.

    Args:
        path: the file.
        task: the task of the rows; "" chooses asqp for ASQP and ACOS, aste for ASTE, tasd for SemEval's opinions, and
            ae for SemEval's aspect terms.

    Returns:
        (file:line, row) pairs, or None where the file is in none of these formats.

    Raises:
        ZooError: for a task that the annotation does not support, and for malformed lines.
    """
    format = readers.detect_format(path)
    return None if format is None else _gold(path, format, task)


def _gold(path: Path, format: str, task: str) -> Iterator[tuple[str, Row]]:
    for sentence in readers.read_file(path, format):
        if not sentence.annotated:
            raise ZooError(
                "a text that nobody has annotated", "its tuples, or none", "annotate or remove it", sentence.where
            )
        row_task = check_task(task, "--task") if task else readers.default_task(sentence.tasks)
        if row_task not in sentence.tasks:
            raise ZooError(f"the task {row_task}", f"one of {', '.join(sentence.tasks)}", where=sentence.where)
        # the file may not name its domain while an answer contains one: a row without domain accepts any
        row = _row(sentence, row_task, 0, sentence.domain or "restaurant", format, "")
        yield sentence.where, row | {"domain": sentence.domain}


def _files(name: str, recipe: Recipe, settings: Settings) -> dict[str, Path]:
    """The files of a source by split; none for the world."""
    if name == "world":
        return {}
    only_source = reads_one_source(recipe)
    if name in CORPORA:
        files = corpora.locate(name, recipe.data.path, only_source)
    else:
        files = corpora.own_files(recipe.data.path, only_source)
    for split, skipped in (("validation", settings.skip_dev), ("test", settings.skip_test)):
        if name in skipped:
            files.pop(split, None)
    if settings.dev_as_test and "test" not in files and "validation" in files:
        files["test"] = files.pop("validation")
    return files


def _read_splits(
    name: str, paths: dict[str, Path], settings: Settings, needed: set[str]
) -> Iterator[tuple[str, _SplitSentences]]:
    """The sentences of the needed splits of a set, sampled where data.options.kshot says so.

    Validation is sampled as train is. Where the set has no validation split, it is sampled from what the sample of
    train left over.
    """
    for split, path in paths.items():
        if split not in needed:
            continue
        sentences = list(readers.read_file(path, _format(name, path)))
        is_dev = settings.dev_as_test and split == "test" and split_from_name(path.name) == "validation"
        notes = ["the dev split, since there is no test split"] if is_dev else []
        if not settings.kshot or split == "test":
            yield split, _SplitSentences(sentences, notes)
            continue
        yield split, _sample(sentences, settings, notes)
        if split == "train" and "validation" not in paths and "validation" in needed:
            drawn = set(few_shot.sample(sentences, settings.kshot, settings.kshot_seed).indices)
            left_over = [sentence for i, sentence in enumerate(sentences) if i not in drawn]
            yield "validation", _sample(left_over, settings, ["from what the draw left of train"])


def _sample(sentences: Sequence[Sentence], settings: Settings, notes: list[str]) -> _SplitSentences:
    shots = few_shot.sample(sentences, settings.kshot or 1, settings.kshot_seed)
    note = f"{len(shots.indices):,} of {len(sentences):,} sentences drawn by the {shots.k}-shot sampler"
    unfilled = ", ".join(f"{name} {count}" for name, count in shots.unfilled.items())
    note += f"; classes with fewer than {shots.k} tuples: {unfilled}" if unfilled else ""
    return _SplitSentences([sentences[i] for i in shots.indices], [*notes, note])


def _rows(
    name: str, sentences: Sequence[Sentence], settings: Settings, seed: int, mixed: mixture.Mixture
) -> tuple[list[Row], list[str]]:
    """The rows of all tasks, one task after the other for every sentence, and the counted remarks."""
    corpus = CORPORA.get(name)
    domain, licence = (corpus.domain, corpus.licence) if corpus else (settings.domain, OWN_LICENCE)
    rows, counts = [], Counter[str]()
    annotated = [sentence for sentence in sentences if sentence.annotated]
    if sentences and not annotated:
        fix = "annotate some; none, or [] in JSON, says that a text has no opinion"
        raise ZooError(f"none of the {len(sentences):,} texts is annotated", "tuples", fix, sentences[0].where)
    counts[UNANNOTATED] = len(sentences) - len(annotated)
    counts["sentences that stand more than once with other tuples"] = _contradictions(annotated)
    for sentence in annotated:
        possible = mixed.tasks(sentence, name)
        tasks = [task for task in settings.tasks or possible if task in possible]
        counts.update(_remarks(sentence))
        counts["requested tasks that the annotation does not support"] += len(set(settings.tasks) - set(tasks))
        answerable = [task for task in tasks if not _only_conflicting(sentence, task)]
        counts["rows left out, since all tuples of their sentence are conflicting"] += len(tasks) - len(answerable)
        named_only = settings.state_convention and name in CORPORA and "tasd" not in possible
        for task in answerable:
            count, why_none = mixed.row_count(sentence.text, task, name)
            counts[why_none] += bool(why_none)
            for turn in range(count):
                version = mixed.version(sentence, task, turn)
                row = _row(version, task, seed, sentence.domain or domain, name, licence, named_only, turn)
                rows.append(row | {"item": prompts.item_of(sentence.text)})
    if not rows and not mixture.all_left_out(counts):
        supported = ", ".join(sentences[0].tasks) if sentences else "none"
        raise ZooError(
            f"{name} answers none of {', '.join(settings.tasks)}", f"some of {supported}", where="data.options.tasks"
        )
    return rows, [f"{count:,} {remark}" for remark, count in sorted(counts.items()) if count]


def _format(name: str, path: Path) -> str:
    if name in CORPORA and CORPORA[name].reader == "semeval":
        return "semeval-csv" if path.suffix.lower() == ".csv" else "semeval-xml"
    return CORPORA[name].reader if name in CORPORA else readers.detect_format(path) or "own"


def _contradictions(sentences: Sequence[Sentence]) -> int:
    """The number of sentences that repeat the text and the tasks of an earlier one, but not its tuples."""
    first_quads: dict[tuple[str, tuple[str, ...]], set[Quad]] = {}
    return sum(first_quads.setdefault((s.text, s.tasks), {*s.quads}) != {*s.quads} for s in sentences)


def _only_conflicting(sentence: Sentence, task: str) -> bool:
    """Whether a task with sentiments could only be answered with "nothing" although the sentence has opinions."""
    conflicting = [quad.sentiment == CONFLICT for quad in sentence.quads]
    return "sentiment" in TASK_ELEMENTS[task] and bool(conflicting) and all(conflicting)


def _remarks(sentence: Sentence) -> Iterator[str]:
    """What the data card counts of a sentence."""
    yield from sentence.remarks
    if not sentence.quads:
        yield "sentences without a tuple"
    for quad in sentence.quads:
        if quad.sentiment == CONFLICT:
            yield "tuples of conflicting sentiment, which only ae keeps"
        for span in (quad.aspect, quad.opinion):
            if span is not None and span not in sentence.text:
                yield "spans that are not in their sentence"


def _row(
    sentence: Sentence,
    task: str,
    seed: int,
    domain: str,
    source: str,
    licence: str,
    named_only: bool = False,
    turn: int = 0,
) -> Row:
    quads: Sequence[Quad] = sentence.quads
    if "sentiment" in TASK_ELEMENTS[task]:
        quads = [quad for quad in quads if quad.sentiment != CONFLICT]
    return prompts.make_row(sentence.text, quads, task, seed, domain, source, licence, sentence.where, named_only, turn)
