"""Edit triplets from a teacher (arXiv:2211.09800, section 3.1): a caption, an instruction, and the caption afterwards.

    a lighthouse on a rocky coast, oil painting        what the teacher reads, after some examples
    ##
    let snow fall on it                                what it writes
    %%
    a lighthouse on a rocky coast in falling snow, oil painting
    END

The paper fine-tuned GPT-3 on 700 triplets; here examples are part of the prompt. The teacher is asked once for every
caption, and again with other examples if its answer is rejected. Blocked words are the user's list: no moderation is
included.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from instructzoo.core.data.line_files import lines
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.core.synth import CachedTeacher
from instructzoo.pix2pix.synthesis import seed_triplets
from instructzoo.pix2pix.synthesis.seed_triplets import Triplet

AFTER_CAPTION, AFTER_EDIT, END = "\n##\n", "\n%%\n", "\nEND"
BLOCK_SIZE = 256
"""Captions that are requested together, which bounds the prompts in memory."""

TASK = (
    "You write data for a program that edits pictures. From the caption of a picture, think of an edit that a person "
    "could ask for. Write the request as one short instruction, then a line with %%, then the caption of the edited "
    "picture on one line, then END. Change what the instruction says and keep the rest of the caption. Ask for no "
    "zoom, no crop, no other point of view and no exchange of places."
)


@dataclass(frozen=True)
class TripletRules:
    """What the teacher sees and which answers are accepted.

    Attributes:
        examples: Seed triplets in a prompt.
        words: Most words of an instruction or a caption.
        retries: Further requests after a rejected answer.
        blocked: Words that no text may contain.
        seed: Seed of the examples.
    """

    examples: int
    words: int
    retries: int
    blocked: frozenset[str]
    seed: int


@dataclass
class TripletResults:
    """Triplets of captions.

    Attributes:
        triplets: By the number of their caption.
        rejected: Captions by the reason of their last rejection.
        n_retried: Requests that were repeated.
    """

    triplets: dict[int, Triplet] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    n_retried: int = 0


def read_captions(path: str | None, limit: int, seed: int) -> list[str]:
    """Captions that differ in more than case and punctuation.

    Args:
        path: A file with one caption per line, read in order; None recombines the seed triplets.
        limit: Largest number of captions.
        seed: Seed of the recombination.

    Returns:
        The captions, of those that differ in no more than case and punctuation the first.

    Raises:
        ZooError: The file has none, or the seeds give fewer captions than requested.
    """
    source = (line for _, line in lines(Path(path).expanduser())) if path else seed_triplets.recombine_captions(seed)
    captions_by_key: dict[str, str] = {}
    for text in source:
        if len(captions_by_key) == limit:
            break
        caption = " ".join(text.split())
        if key := normalise(caption):
            captions_by_key.setdefault(key, caption)
    if not path and len(captions_by_key) < limit:
        raise ZooError(f"{limit:,} captions", f"at most {len(captions_by_key):,} without a file of them", where="limit")
    return list(captions_by_key.values())


def read_blocked_words(path: str | None) -> frozenset[str]:
    """The words of a file, one per line, without case."""
    words = (" ".join(normalise(line).split()) for _, line in lines(Path(path).expanduser())) if path else ()
    return frozenset(word for word in words if word)


def write_triplets(
    captions: Mapping[int, str],
    teacher: CachedTeacher,
    rules: TripletRules,
    on_progress: Callable[[int], None] = lambda n: None,
) -> TripletResults:
    """Ask the teacher for the triplets of captions.

    Args:
        captions: Captions by number. An answer depends on its caption, its number and the rules, on no other caption.
        teacher: The teacher, with its response cache.
        rules: What is asked and accepted.
        on_progress: Called with the number of captions that are done.

    Returns:
        The triplets by caption number, with counts of rejected captions and of repeated requests.
    """
    results, source, done = TripletResults(), iter(captions.items()), 0
    while block := list(islice(source, BLOCK_SIZE)):
        waiting = {n: caption for n, caption in block if not _contains_any(caption, rules.blocked)}
        results.rejected["a blocked word in the caption"] += len(block) - len(waiting)
        for attempt in range(rules.retries + 1):
            reasons = _ask_round(waiting, attempt, teacher, rules, results.triplets)
            waiting = {n: waiting[n] for n in reasons}
            if not waiting or attempt == rules.retries:
                results.rejected.update(reasons.values())
                break
            results.n_retried += len(waiting)
        done += len(block)
        on_progress(done)
    results.rejected = +results.rejected
    return results


def _ask_round(
    waiting: Mapping[int, str], attempt: int, teacher: CachedTeacher, rules: TripletRules, triplets: dict[int, Triplet]
) -> dict[int, str]:
    """Ask for each caption once; returns the numbers of those whose answer is rejected, with the reason."""
    prompts = [build_prompt(caption, number, attempt, rules) for number, caption in waiting.items()]
    reasons: dict[int, str] = {}
    for (number, caption), answer in zip(waiting.items(), teacher.answer(prompts, attempt), strict=True):
        triplet = parse(answer, caption, rules)
        if isinstance(triplet, Invalid):
            reasons[number] = triplet.reason
        else:
            triplets[number] = triplet
    return reasons


def build_prompt(caption: str, number: int, attempt: int, rules: TripletRules) -> str:
    """The task, some seed triplets in the form of the answer, and the caption.

    Args:
        caption: The caption to write an edit for.
        number: The caption's number; it seeds the choice of examples.
        attempt: The number of earlier requests for this caption; each attempt shows other examples.
        rules: What the teacher sees.

    Returns:
        The prompt for the teacher.
    """
    seeds = Random(f"{rules.seed} {number} {attempt}").sample(seed_triplets.SEEDS, rules.examples)
    examples = (f"{t.input}{AFTER_CAPTION}{t.edit}{AFTER_EDIT}{t.output}{END}" for t in (s.triplet for s in seeds))
    return "\n\n".join([TASK, *examples, f"{caption}{AFTER_CAPTION}"])


def parse(answer: str, caption: str, rules: TripletRules) -> Triplet | Invalid:
    """The triplet in an answer, or the reason why it is rejected.

    Args:
        answer: The teacher's text.
        caption: The caption that was asked about.
        rules: Which answers are accepted.

    Returns:
        The triplet, with single spaces in its texts, or `Invalid` with the reason.
    """
    body = answer.strip().removeprefix(AFTER_CAPTION.strip())
    parts = _ENDED.split(body)[0].split(AFTER_EDIT.strip())
    if len(parts) != 2:
        return Invalid("not two parts")
    edit, output = (" ".join(part.split()) for part in parts)
    if not normalise(edit) or not normalise(output):
        return Invalid("an empty part")
    if max(len(edit.split()), len(output.split())) > rules.words:
        return Invalid("too long")
    if normalise(output) == normalise(caption):
        return Invalid("the caption is unchanged")
    if _contains_any(f"{edit} {output}", rules.blocked):
        return Invalid("a blocked word in the answer")
    return Triplet(caption, edit, output)


def normalise(text: str) -> str:
    """A text without case, punctuation and repeated spaces."""
    return " ".join(text.casefold().translate(_NO_PUNCTUATION).split())


_ENDED = re.compile(r"\s(?:END|##)\s*(?:\n|$)")
_NO_PUNCTUATION = {ord(mark): " " for mark in string.punctuation}


def _contains_any(text: str, words: frozenset[str]) -> bool:
    """Whether a text contains one of the words, or runs of words, as a whole."""
    padded = f" {normalise(text)} "
    return any(f" {word} " in padded for word in words)


def select_partition(captions: Sequence[str], index: int, n_partitions: int) -> dict[int, str]:
    """Every n_partitions-th caption from `index` on, by its number among all.

    Args:
        captions: All captions.
        index: The number of this partition, from 0.
        n_partitions: The number of partitions.

    Returns:
        The captions of the partition by number.
    """
    return {n: captions[n] for n in range(index, len(captions), n_partitions)}
