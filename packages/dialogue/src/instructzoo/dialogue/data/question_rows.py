"""The rows of a data set: its questions, how often each stands in training, and which options it offers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue.data.caps import Caps, capped_text, capped_turns
from instructzoo.dialogue.data.dataset import Dataset, Entry, item_of_entry
from instructzoo.dialogue.data.examples import examples
from instructzoo.dialogue.data.field_format import join_turns, split_turns
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.options import Offered, Settings
from instructzoo.dialogue.prompts.answer_format import parse_slots
from instructzoo.dialogue.prompts.meta_tasks import varied
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Dialogue, Example
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE, TASKS

KNOWLEDGE = ("DOCUMENT", "EVIDENCE", "PERSONA", "GRAPH", "SCHEMA", "DB")
"""Fields that hold a text beside the dialogue."""

ON_REQUEST = ("utterance_generation",)
"""Task types that make data instead of answering questions on them."""

OUT_OF_SCOPE = "out of scope"
"""What is added to the name of a data set for questions that no option answers: they are scored apart."""


def rows(
    dataset: Dataset, inventory: Inventory, split: str, tasks: Sequence[str], settings: Settings, seed: int
) -> Iterator[Row]:
    """The rows of one split of a data set, entry by entry.

    Args:
        dataset: The data set.
        inventory: Its labels.
        split: The split.
        tasks: The task types.
        settings: data.options.
        seed: Decides what is drawn: entries, repeats, options and wordings.

    Yields:
        Test and validation rows: each question once, with all options in the order of the data set. Training rows:
        each question as often as its weight says, with the options that Offered and Variation say.
    """
    limit = {"train": settings.per_dataset, "test": settings.per_test}.get(split)
    cut = Counter[bool]()
    for entry in _drawn(dataset, split, limit, seed):
        try:
            for task in tasks:
                yield from _rows_of_entry(entry, task, dataset, inventory, split, settings, seed, cut)
        except ZooError as error:
            if error.where:
                raise
            raise ZooError(error.found, error.expected, error.fix, entry.where) from error
    if cut[True]:
        dataset.note(split, f"{cut[True]:,} questions with a dialogue or text cut at data.options.caps")


def _rows_of_entry(
    entry: Entry,
    task: str,
    dataset: Dataset,
    inventory: Inventory,
    split: str,
    settings: Settings,
    seed: int,
    cut: Counter[bool],
) -> Iterator[Row]:
    """The rows of one task type on a dialogue; `cut` counts the questions that the caps have made shorter."""
    train = split == "train"
    weight = _weight(dataset, task, settings) if train else 1.0
    rng = Random(f"{seed}\n{split}\n{task}\n{item_of_entry(entry)}")
    instruction = "" if isinstance(entry, Dialogue) else entry.instruction
    for repeat in range(math.ceil(weight)):
        for example in _questions(entry, task, inventory, rng):
            if repeat >= int(weight) and rng.random() >= weight % 1:
                continue
            name = _name(dataset, entry, example, inventory)
            example, was_cut = capped(example, settings.caps)
            cut[was_cut] += 1
            if train:
                example = varied(offered(example, settings.options, rng), settings.variation, f"{seed} {repeat}")
            yield make_row(example, name, dataset.source, dataset.licence, seed, instruction, repeat)


def tasks_of(dataset: Dataset, settings: Settings) -> tuple[str, ...]:
    """The task types of the recipe that a data set feeds, in its order; those of ON_REQUEST only if it names them."""
    if dataset.source == "own" and settings.tasks:
        return settings.tasks
    wanted = settings.tasks or tuple(task for task in TASKS if task not in ON_REQUEST)
    return tuple(task for task in dataset.tasks or tuple(TASKS) if task in wanted)


def offered(example: Example, settings: Offered, rng: Random) -> Example:
    """A training question with all options, or some of them with the right ones among them, in an order that is drawn.

    Args:
        example: A question with all options of its data set.
        settings: How many options. Only labels of the data set and its slots are left out.
        rng: Decides which options, and their order. "none of the above" stays in half of the draws.

    Returns:
        The question.
    """
    task = TASKS[example.task]
    if task.options not in ("labels", "slots"):
        return example
    number = len(example.options) if rng.random() < settings.all else rng.randint(settings.at_least, settings.at_most)
    right = {example.output, *example.references}
    if task.answer == "slots":
        slots = parse_slots(example.output)
        right = set() if isinstance(slots, Invalid) else {slot.name for slot in slots}
    if NONE_OF_THE_ABOVE in example.options and rng.random() < 0.5:
        right.add(NONE_OF_THE_ABOVE)  # else it would be on offer mostly where it is right
    kept = [option for option in example.options if option in right]
    others = [option for option in example.options if option not in right and option != NONE_OF_THE_ABOVE]
    kept += rng.sample(others, min(len(others), max(0, number - len(kept))))
    rng.shuffle(kept)
    return replace(example, options=tuple(kept))


def capped(example: Example, caps: Caps) -> tuple[Example, bool]:
    """A question with its dialogue and the texts beside it cut to a length, and whether anything was cut.

    Args:
        example: The question. One about the indices of turns is returned as it is: its builder has cut it.
        caps: The lengths.

    Returns:
        The question, and whether it is shorter now.
    """
    if TASKS[example.task].name.startswith("find_"):
        return example, False
    fields, cut = [], 0
    for token, text in example.fields:
        if token == "CONTEXT":
            turns, left_out = capped_turns(split_turns(text), caps)
            text = join_turns(turns) if left_out else text
        elif token in KNOWLEDGE:
            text, left_out = capped_text(text, caps.knowledge_words)
        else:
            left_out = 0
        fields.append((token, text))
        cut += left_out
    return (replace(example, fields=tuple(fields)), True) if cut else (example, False)


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
