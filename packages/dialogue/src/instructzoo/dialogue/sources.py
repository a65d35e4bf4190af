"""Where rows come from. Every row names its source and licence; no utterance or dialogue is in two splits.

    world                       rows of the microworld, as many as data.sizes says, drawn by data.world
    snips, banking77, woz2, ... the published corpora of data/corpora.py, read from data.path
    own                         your own dialogues in data.path, in a format of data/readers

A split that a corpus lacks is cut out of its training part by content; the data card says so. What a test split of any
source contains is dropped from the others' training parts. data/options.py has the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from instructzoo.core import recipe as recipes
from instructzoo.core.data.microworld import world_rows
from instructzoo.core.data.sources import (
    RowCollector,
    check_sources,
    reads_one_source,
    wanted_splits,
)
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.dialogue import world
from instructzoo.dialogue.data import corpora, question_rows, readers
from instructzoo.dialogue.data.builders.base import MOST_TURNS, item_of_dialogue
from instructzoo.dialogue.data.corpora import CORPORA, OWN
from instructzoo.dialogue.data.dataset import Dataset, Entry, card_notes, without_shared_items
from instructzoo.dialogue.data.examples import examples
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.options import Settings
from instructzoo.dialogue.data.readers import instructdial
from instructzoo.dialogue.prompts.meta_tasks import meta_rows
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.protocols.zero_shot import check, few_shot_rows, limited_test
from instructzoo.dialogue.tasks import TASKS

if TYPE_CHECKING:
    import datasets

__all__ = ["Settings", "build", "gold"]

MAIN_TASKS = (
    "intent_classification",
    "slot_filling",
    "belief_state_generation",
    "act_classification",
    "summarization",
    "response_generation",
)
"""What a file is scored on where no task type is named: the first that its annotation answers."""

SOURCES = ("world", *CORPORA, "own")


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """The raw rows of recipe.data.sources by split, one data set after the other.

    Args:
        recipe: Its section `data` names the sources and their settings.
        splits: The splits that are needed. Others are left out only where all sources have the needed ones and train
            is not among them.

    Returns:
        The splits; the description of each holds notes for the data card.

    Raises:
        ZooError: An unknown source, task or setting; missing or malformed files (with their line); two labels that
            become the same words; and a source that feeds none of the tasks.
    """
    settings = _settings(recipe)
    zero_shot = settings.zero_shot
    sets = [one for name in recipe.data.sources if name != "world" for one in _read(name, recipe)]
    needed = wanted_splits(splits, set(SPLITS).intersection(*(one.entries for one in sets)))
    copies = {copy for name in settings.held_out if name in CORPORA for copy in CORPORA[name].copies}
    for one in sets:
        if one.source in settings.held_out:
            one.keep_test()
        else:
            one.drop_copies(copies)
            if settings.development == "train":
                one.train_on_development()
            one.cut_missing({"validation": recipe.data.validation, "test": recipe.data.test}, recipe.seed)
    without_shared_items(sets)
    _leave_out_intents(sets, settings)
    rows: dict[str, list[Row]] = {split: [] for split in SPLITS if split in needed}
    few_shot: list[Row] = []
    for one in sets:
        inventory = Inventory.of(one.dialogues(), one.name, one.dialogues(("train",)), one.state_slots)
        tasks = _tasks(one, settings)
        for split in rows:
            split_tasks = zero_shot.training_tasks(tasks)
            if split == "test":
                tested = zero_shot.tested_tasks(tasks, one.source in settings.held_out)
                split_tasks = tuple(t for t in tested if not settings.test_tasks or t in settings.test_tasks)
            rows[split] += question_rows.rows(one, inventory, split, split_tasks, settings, recipe.seed)
            if split == "train" and zero_shot.few_shot:
                held_out = [task for task in tasks if task in zero_shot.tasks]
                few_shot += question_rows.rows(one, inventory, split, held_out, settings, recipe.seed)
    return _collected(recipe, settings, rows, few_shot, sets)


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Read a file of dialogues as gold rows, so that `zoo score` accepts it as it is.

    Args:
        path: The file.
        task: The task type of the rows; "" chooses the first of MAIN_TASKS that the file's annotation answers.

    Returns:
        (file:line, row) for each question, with all labels of the file on offer; None where the file is in no known
        format.

    Raises:
        ZooError: The file answers no question of the task type; a line is malformed.
    """
    format = readers.format_of(path)
    return None if format is None else _gold_rows(path, format, task)


def _gold_rows(path: Path, format: str, task: str) -> Iterator[tuple[str, Row]]:
    if task and task not in TASKS:
        raise ZooError(f'the task "{task}"', suggest(task, TASKS), where="--task")
    dialogues = list(readers.read_file(path, format))
    inventory = Inventory.of(dialogues, str(path))
    for candidate in (task,) if task else MAIN_TASKS:
        found = False
        for dialogue in dialogues:
            for example in examples(dialogue, candidate, inventory, Random(item_of_dialogue(dialogue))):
                found = True
                yield dialogue.where, make_row(example, format, format, "")
        if found:
            return
    raise ZooError(f"no question of {task or 'any main task type'}", "what it needs in the file", "", str(path))


def _collected(
    recipe: Recipe, settings: Settings, rows: dict[str, list[Row]], few_shot: Sequence[Row], sets: Sequence[Dataset]
) -> datasets.DatasetDict:
    """All rows by split, those of the world first: with the rows of the meta-tasks, and as the protocol says."""
    zero_shot, collector = settings.zero_shot, RowCollector()
    if "world" in recipe.data.sources:
        for split, generated in world_rows(recipe, world, list(rows)).items():
            collector.add(split, generated)
    if "test" in rows:
        rows["test"] = limited_test(rows["test"], zero_shot, recipe.seed)
    if "train" in rows:
        rows["train"] += meta_rows(rows["train"], settings.variation, recipe.seed)
        for task in zero_shot.tasks:
            of_task = [row for row in few_shot if row["task"] == task]
            rows["train"] += few_shot_rows(of_task, zero_shot.few_shot, recipe.seed)
    if zero_shot.tasks or settings.held_out:
        seen = [*rows.get("train", ()), *rows.get("validation", ())]
        check(seen, rows.get("test", ()), zero_shot, settings.held_out)
    for split, made in rows.items():
        if made:
            collector.add(split, made, card_notes(sets, split))
    return collector.dataset_dict()


def _settings(recipe: Recipe) -> Settings:
    """data.options, checked. Raises ZooError for unknown settings, sources and task types."""
    check_sources(recipe, SOURCES)
    settings = recipes.validate_settings(Settings, recipe.data.options, "data.options")
    if settings.caps.turns >= MOST_TURNS:
        raise ZooError(f"{settings.caps.turns} turns", f"fewer than {MOST_TURNS}", where="data.options.caps.turns")
    weighted = {key.rpartition(":") for key in settings.task_weights}
    for key, names, known in (
        ("tasks", settings.tasks, tuple(TASKS)),
        ("test_tasks", settings.test_tasks, settings.tasks or tuple(TASKS)),
        ("zero_shot", (*settings.zero_shot.tasks, *settings.zero_shot.kin), tuple(TASKS)),
        ("task_weights", [task for _, _, task in weighted], tuple(TASKS)),
        ("task_weights", [source for source, _, _ in weighted if source], recipe.data.sources),
        ("weights", tuple(settings.weights), recipe.data.sources),
        ("held_out", settings.held_out, recipe.data.sources),
    ):
        if unknown := [name for name in names if name not in known or name == "world"]:
            raise ZooError(f'"{unknown[0]}"', suggest(unknown[0], known), where=f"data.options.{key}")
    return settings


def _read(name: str, recipe: Recipe) -> list[Dataset]:
    """The data sets of a source, with the splits that its files have."""
    alone, corpus, path = reads_one_source(recipe), CORPORA.get(name, OWN), recipe.data.path
    files = corpora.locate(name, path, alone) if name in CORPORA else corpora.own_files(path, alone)
    sets: dict[str, Dataset] = {}
    for split, paths in files.items():
        for file in paths:
            set_name = f"{name}/{file.parent.name}" if corpus.by_folder else name
            empty = Dataset(set_name, name, corpus.licence, corpus.tasks, {}, corpus.state_slots)
            one = sets.setdefault(set_name, empty)
            remarks = Counter[str]()
            for entry in _entries(file, corpus.format, remarks):
                one.entries.setdefault(entry.split or split, []).append(entry)
            for remark, count in sorted(remarks.items()):
                one.note(split, f"{count:,} {remark}")
    return list(sets.values())


def _entries(file: Path, format: str, remarks: Counter[str]) -> Iterator[Entry]:
    """The dialogues of a file, or the questions of InstructDial's; what readers had to decide is counted."""
    if format == "instructdial":
        yield from instructdial.read_examples(file, remarks)
        return
    for dialogue in readers.read_file(file, format):
        remarks.update(dialogue.remarks)
        yield dialogue


def _leave_out_intents(sets: Sequence[Dataset], settings: Settings) -> None:
    """Leave out what data.options.without_intents names. Raises ZooError for an intent that no data set has."""
    known = {turn.intent for one in sets for dialogue in one.dialogues() for turn in dialogue.turns if turn.intent}
    if unknown := [intent for intent in settings.without_intents if intent not in known]:
        raise ZooError(f'"{unknown[0]}"', suggest(unknown[0], known), where="data.options.without_intents")
    for one in sets:
        one.leave_out_intents(settings.without_intents)


def _tasks(one: Dataset, settings: Settings) -> tuple[str, ...]:
    """The task types of the recipe that a data set feeds. Raises ZooError where it feeds none of them."""
    tasks = question_rows.tasks_of(one, settings)
    if not tasks:
        expected, fix = f"some of {', '.join(one.tasks)}", "name one, or leave the source out"
        raise ZooError(f"{one.name} feeds none of {', '.join(settings.tasks)}", expected, fix, "data.options.tasks")
    return tasks
