"""Edit triplets by a teacher (arXiv:2211.09800, section 3.1): a caption, an instruction, and the caption afterwards.

    a lighthouse on a rocky coast, oil painting        what the teacher reads, after some examples
    ##
    let snow fall on it                                what it writes
    %%
    a lighthouse on a rocky coast in falling snow, oil painting
    END

The paper tuned GPT-3 on 700 triplets; here examples stand in the prompt. Every caption is asked about once, and again
with other examples where the answer is rejected. What is blocked is the user's list of words: no moderation is shipped.
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

ASKED, BETWEEN, END = "\n##\n", "\n%%\n", "\nEND"
BLOCK = 256
"""Captions that are asked about together, so that a long list never stands in memory as prompts."""

TASK = (
    "You write data for a program that edits pictures. From the caption of a picture, think of an edit that a person "
    "could ask for. Write the request as one short instruction, then a line with %%, then the caption of the edited "
    "picture on one line, then END. Change what the instruction says and keep the rest of the caption. Ask for no "
    "zoom, no crop, no other point of view and no exchange of places."
)


@dataclass(frozen=True)
class Rules:
    """examples: seed triplets in a prompt; words: of an instruction or a caption at most; retries: further answers."""

    examples: int
    words: int
    retries: int
    blocked: frozenset[str]
    seed: int


@dataclass
class Written:
    """triplets: by the number of their caption; rejected: captions by the reason that their last answer was refused."""

    triplets: dict[int, Triplet] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    again: int = 0


def captions(path: str | None, limit: int, seed: int) -> list[str]:
    """Captions that differ beyond case and punctuation: of a file, a line each, in its order; else of the seeds' parts.

    Raises ZooError for a file without any, or where more are asked for than can be put together.
    """
    source = (line for _, line in lines(Path(path).expanduser())) if path else seed_triplets.recombined(seed)
    found: dict[str, str] = {}
    for text in source:
        if len(found) == limit:
            break
        caption = " ".join(text.split())
        if key := folded(caption):
            found.setdefault(key, caption)
    if not path and len(found) < limit:
        raise ZooError(f"{limit:,} captions", f"at most {len(found):,} without a file of them", where="limit")
    return list(found.values())


def blocked(path: str | None) -> frozenset[str]:
    """The words of a file, a line each, without case."""
    found = (" ".join(folded(line).split()) for _, line in lines(Path(path).expanduser())) if path else ()
    return frozenset(word for word in found if word)


def write(
    asked: Mapping[int, str], teacher: CachedTeacher, rules: Rules, tell: Callable[[int], None] = lambda n: None
) -> Written:
    """Triplets of captions by number. An answer depends on its caption, its number and the rules, on no other caption.

    tell: called with the number of captions that are done.
    """
    written, source, done = Written(), iter(asked.items()), 0
    while block := list(islice(source, BLOCK)):
        waiting = {n: caption for n, caption in block if not _holds(caption, rules.blocked)}
        written.rejected["a blocked word in the caption"] += len(block) - len(waiting)
        for attempt in range(rules.retries + 1):
            reasons = _round(waiting, attempt, teacher, rules, written.triplets)
            waiting = {n: waiting[n] for n in reasons}
            if not waiting or attempt == rules.retries:
                written.rejected.update(reasons.values())
                break
            written.again += len(waiting)
        done += len(block)
        tell(done)
    written.rejected = +written.rejected
    return written


def _round(
    waiting: Mapping[int, str], attempt: int, teacher: CachedTeacher, rules: Rules, kept: dict[int, Triplet]
) -> dict[int, str]:
    """Ask about captions once; the numbers of those whose answer is rejected, with the reason."""
    prompts = [prompt(caption, number, attempt, rules) for number, caption in waiting.items()]
    reasons: dict[int, str] = {}
    for (number, caption), answer in zip(waiting.items(), teacher.answer(prompts, attempt), strict=True):
        triplet = parse(answer, caption, rules)
        if isinstance(triplet, Invalid):
            reasons[number] = triplet.reason
        else:
            kept[number] = triplet
    return reasons


def prompt(caption: str, number: int, attempt: int, rules: Rules) -> str:
    """The task, some seed triplets in the form of the answer, and the caption."""
    chosen = Random(f"{rules.seed} {number} {attempt}").sample(seed_triplets.SEEDS, rules.examples)
    shown = (f"{t.input}{ASKED}{t.edit}{BETWEEN}{t.output}{END}" for t in (s.triplet for s in chosen))
    return "\n\n".join([TASK, *shown, f"{caption}{ASKED}"])


def parse(answer: str, caption: str, rules: Rules) -> Triplet | Invalid:
    """The triplet in an answer, or why it is none."""
    body = answer.strip().removeprefix(ASKED.strip())
    parts = _ENDED.split(body)[0].split(BETWEEN.strip())
    if len(parts) != 2:
        return Invalid("not two parts")
    edit, output = (" ".join(part.split()) for part in parts)
    if not folded(edit) or not folded(output):
        return Invalid("an empty part")
    if max(len(edit.split()), len(output.split())) > rules.words:
        return Invalid("too long")
    if folded(output) == folded(caption):
        return Invalid("the caption is unchanged")
    if _holds(f"{edit} {output}", rules.blocked):
        return Invalid("a blocked word in the answer")
    return Triplet(caption, edit, output)


def folded(text: str) -> str:
    """A text without case, punctuation and runs of spaces."""
    return " ".join(text.casefold().translate(_NO_PUNCTUATION).split())


_ENDED = re.compile(r"\s(?:END|##)\s*(?:\n|$)")
_NO_PUNCTUATION = {ord(mark): " " for mark in string.punctuation}


def _holds(text: str, words: frozenset[str]) -> bool:
    """Whether a text holds one of the words (or runs of words), whole."""
    padded = f" {folded(text)} "
    return any(f" {word} " in padded for word in words)


def numbered(all_: Sequence[str], index: int, of: int) -> dict[int, str]:
    """Every `of`-th caption from `index` on, by its number among all."""
    return {n: all_[n] for n in range(index, len(all_), of)}
