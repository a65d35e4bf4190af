"""The rows of a data set: its questions, how often each stands in training, and which options it offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue.data.dataset import Dataset, Entry, item_of_entry
from instructzoo.dialogue.data.examples import examples
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.options import Offered, Settings
from instructzoo.dialogue.prompts.answer_format import parse_slots
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Dialogue, Example
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE, TASKS

OUT_OF_SCOPE = "out of scope"
"""What is added to the name of a data set for questions that no option answers: they are scored apart."""


def rows(dataset: Dataset, inventory: Inventory, split: str, settings: Settings, seed: int) -> Iterator[Row]:
    """The rows of one split of a data set, entry by entry.

    Args:
        dataset: The data set.
        inventory: Its labels.
        split: The split.
        settings: data.options.
        seed: Decides what is drawn: entries, repeats, options and wordings.

    Yields:
        Test and validation rows: each question once, with all options in the order of the data set. Training rows:
        each question as often as its weight says, with the options that Offered says, in an order drawn for each row.
    """
    train = split == "train"
    limit = settings.per_dataset if train else settings.per_test if split == "test" else None
    for entry in _drawn(dataset, split, limit, seed):
        for task in tasks_of(dataset, settings):
            weight = _weight(dataset, task, settings) if train else 1.0
            rng = Random(f"{seed}\n{split}\n{task}\n{item_of_entry(entry)}")
            for repeat in range(-int(-weight // 1)):
                for example in _questions(entry, task, inventory, rng):
                    if repeat >= int(weight) and rng.random() >= weight % 1:
                        continue
                    if train:
                        example = replace(example, options=offered(example, settings.options, rng))
                    name = _name(dataset, entry, example, inventory)
                    instruction = "" if isinstance(entry, Dialogue) else entry.instruction
                    yield make_row(example, name, dataset.source, dataset.licence, f"{seed} {repeat}", instruction)


def tasks_of(dataset: Dataset, settings: Settings) -> tuple[str, ...]:
    """The task types of the recipe that a data set feeds, in its order."""
    feeds = dataset.tasks or tuple(TASKS)
    return tuple(task for task in feeds if task in TASKS and (not settings.tasks or task in settings.tasks))


def offered(example: Example, settings: Offered, rng: Random) -> tuple[str, ...]:
    """The options of a training question: all, or some with the right ones among them; in an order that is drawn.

    Args:
        example: A question with all options of its data set.
        settings: How many options.
        rng: Decides which options, and their order.

    Returns:
        The options.
    """
    number = len(example.options) if rng.random() < settings.all else rng.randint(settings.at_least, settings.at_most)
    right = {example.output, *example.references}
    if TASKS[example.task].answer == "slots":
        slots = parse_slots(example.output)
        right = set() if isinstance(slots, Invalid) else {slot.name for slot in slots}
    kept = [option for option in example.options if option in right]
    others = [option for option in example.options if option not in right]
    kept += rng.sample(others, min(len(others), max(0, number - len(kept))))
    rng.shuffle(kept)
    return tuple(kept)


def _drawn(dataset: Dataset, split: str, limit: int | None, seed: int) -> Sequence[Entry]:
    """The entries of a split, at most `limit`, drawn by seed and left in their order."""
    entries = dataset.entries.get(split, [])
    if limit is None or len(entries) <= limit:
        return entries
    dataset.note(split, f"{limit:,} of {len(entries):,}, drawn by seed")
    chosen = sorted(Random(f"{seed}\n{dataset.name}\n{split}").sample(range(len(entries)), limit))
    return [entries[index] for index in chosen]


def _questions(entry: Entry, task: str, inventory: Inventory, rng: Random) -> Iterator[Example]:
    if isinstance(entry, Dialogue):
        yield from examples(entry, task, inventory, rng)
    elif entry.example.task == task:
        yield replace(entry.example, item=item_of_entry(entry))


def _name(dataset: Dataset, entry: Entry, example: Example, inventory: Inventory) -> str:
    """The name under which a question is scored."""
    if not isinstance(entry, Dialogue):
        return f"{dataset.name}/{entry.dataset}"
    out_of_scope = example.output == NONE_OF_THE_ABOVE and inventory.out_of_scope
    return f"{dataset.name} {OUT_OF_SCOPE}" if out_of_scope else dataset.name


def _weight(dataset: Dataset, task: str, settings: Settings) -> float:
    """How often a question of the task stands in training, on average."""
    by_task = settings.task_weights.get(f"{dataset.source}:{task}", settings.task_weights.get(task, 1.0))
    return settings.weights.get(dataset.source, 1.0) * by_task
