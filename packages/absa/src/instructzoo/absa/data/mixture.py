"""How the rows of several sets are mixed: which set speaks for a sentence that several have, and how often it is asked.

The published sets share sentences and contradict each other. ASQP and ACOS also count opinions on what the text does
not name; ASTE and SemEval's aspect terms leave them out. ACOS has opinions without opinion words, ASQP has none. A
model that is trained on all of them learns one answer to each question only if one set answers it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.data.spacing import naturally_spaced
from instructzoo.absa.schema import TASKS
from instructzoo.core.data.ngrams import words
from instructzoo.core.data.split import hash_position
from instructzoo.core.errors import suggest

OTHER_SET = "rows left out, since an earlier set has the sentence with the task"
IN_TEST = "rows left out, since their sentence is in the test split of a set"
WEIGHTED_OUT = "rows left out by their weight"


def sentence_key(sentence: str) -> str:
    """What the sets' versions of one sentence share: its letters and digits. "Don't!" is "Do n't !" in tokens.

    The split key of a row (`prompts.item_of`) keeps words apart, since a microworld writes a review in one way.
    """
    return "".join(words(sentence)) or sentence


@dataclass
class Mixture:
    """Decides how many rows each pair of sentence and task gets, over all sets of one build and one split.

    Attributes:
        weights: By task, by set ("asqp/rest16") and by both ("asqp/rest16 asqp"): the factors of the number of rows.
        one_set: Whether a sentence with a task has rows of one set only, the first that has it.
        without_opinion: Sets whose sentences without a tuple have no opinion at all, if no set has one in them.
        with_opinion: The sentences in which some set has an opinion, by `sentence_key`.
        in_test: The sentences of all test splits, by `sentence_key`: what test_weights leaves out is not trained on.
        natural_spacing: The share of the rows whose text is written with natural spacing.
        source_by_row: The set of each sentence and task so far.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    one_set: bool = False
    without_opinion: tuple[str, ...] = ()
    with_opinion: frozenset[str] = frozenset()
    in_test: frozenset[str] = frozenset()
    natural_spacing: float = 0.0
    source_by_row: dict[tuple[str, str], str] = field(default_factory=dict)

    def tasks(self, sentence: Sentence, source: str) -> tuple[str, ...]:
        """The tasks that can be asked of a sentence: what its annotation supports, and all where it has no opinion."""
        opinionless = source in self.without_opinion and not sentence.quads
        return TASKS if opinionless and sentence_key(sentence.text) not in self.with_opinion else sentence.tasks

    def row_count(self, sentence: str, task: str, source: str) -> tuple[int, str]:
        """How many rows a set gets for a sentence and a task, each with another wording of the question.

        Args:
            sentence: The text of the sentence.
            task: One of TASKS.
            source: The name of the set.

        Returns:
            The number, and where it is 0 the reason, as the data card counts it. A weight of 2.3 gives two rows to
            every sentence and a third to three in ten, chosen by the hash of sentence and task.
        """
        key = sentence_key(sentence)
        if key in self.in_test:
            return 0, IN_TEST
        weight = math.prod(self.weights.get(name, 1.0) for name in (task, source, f"{source} {task}"))
        count = int(weight) + (hash_position(key, task.encode()) < weight % 1)
        if self.one_set and self.source_by_row.setdefault((key, task), source) != source:
            return 0, OTHER_SET
        return count, "" if count else WEIGHTED_OUT

    def version(self, sentence: Sentence, task: str, turn: int) -> Sentence:
        """The sentence as one of its rows has it: as in its set or with natural spacing, by hash."""
        position = hash_position(sentence_key(sentence.text), f"{task} {turn}".encode())
        return naturally_spaced(sentence) if position < self.natural_spacing else sentence


def check_weights(weights: Mapping[str, float], sources: tuple[str, ...]) -> Mapping[str, float]:
    """Return the weights themselves.

    Raises:
        ValueError: for a name that is no task, no set and no pair of both.
    """
    names = (*TASKS, *sources, *(f"{source} {task}" for source, task in product(sources, TASKS)))
    if unknown := [name for name in weights if name not in names]:
        raise ValueError(f'"{unknown[0]}" is no task, set or "set task"; expected {suggest(unknown[0], names)}')
    return weights


def all_left_out(counts: Mapping[str, int]) -> bool:
    """Whether a set without rows had some, by the counts of its reasons."""
    return any(counts.get(reason) for reason in (OTHER_SET, IN_TEST, WEIGHTED_OUT))
