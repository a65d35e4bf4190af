"""Where rows come from. Every row names its source and licence; a sentence is one item, whatever is asked of it.

    world               rows of the microworld, as many as data.sizes says, drawn by data.world
    asqp/rest15 and on  the published sets of corpora.py (ASQP, ACOS, ASTE-V2, SemEval 2014 to 2016), from data.path
    own                 your own reviews as CSV or JSON Lines (readers_own.py), from data.path

data.path is the folder that holds the sets (asqp/, acos/, aste_v2/, semeval/), or with one source its own folder or one
file. A part that no source has is cut out of train (data.options.dev_as_test takes a set's dev part for its test part
instead, and a K-shot draw is never cut). Sets overlap: most of rest15's test sentences stand in rest16's
training part, so training rows of a sentence that is in validation or test are dropped, and the card counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from instructzoo.absa import prompts, world
from instructzoo.absa.data import corpora, few_shot, readers
from instructzoo.absa.data.corpora import CORPORA
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import CONFLICT, ELEMENTS, Quad, known
from instructzoo.core import recipe as recipes
from instructzoo.core.data.line_files import part_of
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

SOURCES = ("world", *CORPORA, "own")
OWN_LICENCE = "yours"

Task = Literal["ae", "aesc", "tasd", "aste", "asqp"]


class Settings(recipes.Settings):
    """What is asked of the sentences of published and own sets."""

    tasks: tuple[Task, ...] = Field((), description="tasks to ask; none: all that a set's annotation can answer")
    kshot: int | None = Field(None, ge=1, description="tuples of every class in train and validation; none: all")
    kshot_seed: int = Field(0, ge=0, description="number of the draw; the paper's repository draws 0 to 4")
    dev_as_test: bool = Field(False, description="report on the dev part of sets whose test part is not there")
    domain: str = Field("restaurant", min_length=1, description="of own reviews that do not name theirs")


@dataclass(frozen=True)
class _Taken:
    """Sentences of one part of one set, and what is to be said of them."""

    sentences: list[Sentence]
    notes: list[str]


def build(recipe: Recipe, parts: Sequence[str] = PARTS) -> datasets.DatasetDict:
    """The raw parts of recipe.data.sources, one after the other, with notes for the card in their descriptions.

    parts: those that are needed; where the sources have them all and train is not among them, the others are not made.
    Raises ZooError for an unknown source or task, files that are missing or malformed (with their line), and a set that
    can answer none of the tasks.
    """
    import datasets

    from instructzoo.core.data.tables import dataset

    if unknown := [name for name in recipe.data.sources if name not in SOURCES]:
        raise ZooError(f'no source "{unknown[0]}"', suggest(unknown[0], SOURCES), where="data.sources")
    settings = recipes.validate_part(Settings, recipe.data.options, "data.options")
    files = {name: _files(name, recipe, settings) for name in recipe.data.sources}
    had = {part for name, found in files.items() for part in (world.SPLITS if name == "world" else found)}
    if settings.kshot and "test" not in had:
        fix = "set data.options.dev_as_test=true" if "validation" in had else "add a test file"
        raise ZooError(
            "no test part beside a K-shot draw", "one: no shot can be spared for it", fix, "data.options.kshot"
        )
    wanted = set(parts) if set(parts) <= had - {"train"} else set(PARTS)
    found: dict[str, list[datasets.Dataset]] = {}
    notes: dict[str, list[str]] = {}
    for name, places in files.items():
        if name == "world":
            for part, made_up in _world(recipe, wanted):
                found.setdefault(part, []).append(dataset(made_up))
            continue
        for part, taken in _take(name, places, settings, wanted):
            rows, counts = _rows(name, taken.sentences, settings, recipe.seed)
            found.setdefault(part, []).append(dataset(rows))
            notes.setdefault(part, []).extend(f"{name}, {part}: {note}" for note in [*taken.notes, *counts])
    made = {part: datasets.concatenate_datasets(pieces) for part, pieces in found.items()}
    for part, together in made.items():
        together.info.description = "\n".join(notes.get(part, []))
    return datasets.DatasetDict(made)


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Rows of a published or own file with their places; None where it is in no such format.

    task: what is asked; default: asqp of ASQP and ACOS, aste of ASTE, tasd of SemEval's opinions, ae of its terms.
    Raises ZooError for a task that the file cannot answer, and for malformed lines.
    """
    format = readers.format_of(path)
    return None if format is None else _gold(path, format, task)


def _gold(path: Path, format: str, task: str) -> Iterator[tuple[str, Row]]:
    for sentence in readers.read_file(path, format):
        asked = known(task, "--task") if task else readers.default_task(sentence.tasks)
        if asked not in sentence.tasks:
            raise ZooError(f"the task {asked}", f"one of {', '.join(sentence.tasks)}", where=sentence.where)
        # A file does not say its domain, and an answer may: a row without one is parsed with any.
        row = _row(sentence, asked, 0, sentence.domain or "restaurant", format, "")
        yield sentence.where, row | {"domain": sentence.domain}


def _files(name: str, recipe: Recipe, settings: Settings) -> dict[str, Path]:
    """Files of a source by part; none for the world."""
    if name == "world":
        return {}
    alone = sum(source != "world" for source in recipe.data.sources) == 1
    if name in CORPORA:
        found = corpora.locate(name, recipe.data.path, alone)
    else:
        found = corpora.own_files(recipe.data.path, alone)
    if settings.dev_as_test and "test" not in found and "validation" in found:
        found["test"] = found.pop("validation")
    return found


def _world(recipe: Recipe, wanted: Iterable[str]) -> Iterator[tuple[str, Iterator[Row]]]:
    settings = recipes.validate_part(world.Settings, recipe.data.world, "data.world")
    for part, n in recipe.data.sizes.model_dump().items():
        if part in wanted:
            yield part, world.generate(n, recipe.seed, part, settings)


def _take(name: str, places: dict[str, Path], settings: Settings, wanted: set[str]) -> Iterator[tuple[str, _Taken]]:
    """Sentences of the wanted parts of a set, drawn where data.options.kshot says so.

    Validation is drawn as train is; out of what the draw left of train, where the set has no such part.
    """
    for part, path in places.items():
        if part not in wanted:
            continue
        sentences = list(readers.read_file(path, _format(name, path)))
        notes = ["the dev part, since no test part is there"] if settings.dev_as_test and _is_dev(part, path) else []
        if not settings.kshot or part == "test":
            yield part, _Taken(sentences, notes)
            continue
        yield part, _draw(sentences, settings, notes)
        if part == "train" and "validation" not in places and "validation" in wanted:
            drawn = set(few_shot.sample(sentences, settings.kshot, settings.kshot_seed).places)
            left = [sentence for place, sentence in enumerate(sentences) if place not in drawn]
            yield "validation", _draw(left, settings, ["from what the draw left of train"])


def _is_dev(part: str, path: Path) -> bool:
    return part == "test" and part_of(path.name) == "validation"


def _draw(sentences: Sequence[Sentence], settings: Settings, notes: list[str]) -> _Taken:
    shots = few_shot.sample(sentences, settings.kshot or 1, settings.kshot_seed)
    text = f"{len(shots.places):,} of {len(sentences):,} sentences drawn by the {shots.k}-shot sampler"
    left = ", ".join(f"{name} {count}" for name, count in shots.unfilled.items())
    text += f"; classes with fewer than {shots.k} tuples: {left}" if left else ""
    return _Taken([sentences[place] for place in shots.places], [*notes, text])


def _rows(name: str, sentences: Sequence[Sentence], settings: Settings, seed: int) -> tuple[list[Row], list[str]]:
    """Rows of all tasks, task after task for every sentence, and counted remarks."""
    corpus = CORPORA.get(name)
    domain, licence = (corpus.domain, corpus.licence) if corpus else (settings.domain, OWN_LICENCE)
    rows, counts = [], Counter[str]()
    for sentence in sentences:
        tasks = [task for task in settings.tasks or sentence.tasks if task in sentence.tasks]
        counts.update(_remarks(sentence))
        counts["tasks asked for that the annotation cannot answer"] += len(set(settings.tasks) - set(tasks))
        rows += [_row(sentence, task, seed, sentence.domain or domain, name, licence) for task in tasks]
    if not rows:
        held = ", ".join(sentences[0].tasks) if sentences else "none"
        asked = ", ".join(settings.tasks)
        raise ZooError(f"{name} answers none of {asked}", f"some of {held}", where="data.options.tasks")
    return rows, [f"{count:,} {remark}" for remark, count in sorted(counts.items()) if count]


def _format(name: str, path: Path) -> str:
    if name in CORPORA and CORPORA[name].reader == "semeval":
        return "semeval-csv" if path.suffix.lower() == ".csv" else "semeval-xml"
    return CORPORA[name].reader if name in CORPORA else readers.format_of(path) or "own"


def _remarks(sentence: Sentence) -> Iterator[str]:
    """What is to be counted of a sentence."""
    yield from sentence.remarks
    if not sentence.quads:
        yield "sentences without a judgement"
    for quad in sentence.quads:
        if quad.sentiment == CONFLICT:
            yield "judgements of conflicting sentiment, asked of no task but ae"
        for words in (quad.aspect, quad.opinion):
            if words is not None and words not in sentence.text:
                yield "spans that are not in their sentence"


def _row(sentence: Sentence, task: str, seed: int, domain: str, source: str, licence: str) -> Row:
    quads: Sequence[Quad] = sentence.quads
    if "sentiment" in ELEMENTS[task]:
        quads = [quad for quad in quads if quad.sentiment != CONFLICT]
    return prompts.write(sentence.text, quads, task, seed, domain, source, licence, sentence.where)
