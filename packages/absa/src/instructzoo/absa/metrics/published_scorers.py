"""Two published scorers, rebuilt with what they get wrong, so that published figures can be read.

abs-quad             IsakZhang/ABSA-QUAD at ce4d4a51, eval_utils.py: tuples are decoded from the text
                     "food quality is great because pizza is tasty [SSEP] ...". A right tuple that is said twice counts
                     twice; what cannot be decoded becomes a tuple of empty texts, on either side: a true tuple whose
                     words hold " is " is hit by any answer without form.
instructabsa-legacy  kevinscaria/InstructABSA at 741e3d86, utils.py: an answer is split at ", ", and a true term counts
                     as found where one of the pieces is a part of it or holds it. Answering "e" to everything scores F1
                     .82 to .86 on the four SemEval test sets, the empty answer 1.09 to 1.25, and where a sentence has
                     no term, "noaspectterm" is one. The sentiment of a triplet is compared with itself.

Written anew after these files. An answer in the zoo's own form is first written in theirs; any other text is taken as
it is, so that answers of these systems can be scored too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructzoo.absa.prompts.answer_format import SENTIMENT_OF, SENTIMENT_WORDS
from instructzoo.absa.schema import Quad
from instructzoo.core.score.tuple_f1 import Overlap

ABS_QUAD, INSTRUCTABSA = "abs-quad", "instructabsa-legacy"
NO_TERM = "noaspectterm"

Said = Sequence[Quad] | str
"""An answer: its tuples, or a text that is not in the zoo's form."""


def abs_quad(gold: Sequence[Sequence[Quad]], said: Sequence[Said], tasks: Sequence[str]) -> Overlap:
    """Counts of ABSA-QUAD's scorer, row by row; hits may exceed the true tuples.

    ae and aesc, which it does not know, are compared in the same way, without the detour over a text. Neither does it
    know a sentence without a tuple: here that is no tuple, on either side.
    """
    hits, spoken, true = [], [], []
    for quads, answer, task in zip(gold, said, tasks, strict=True):
        wanted, found = _decoded(quads, task), _decoded(answer, task)
        hits.append(sum(one in wanted for one in found))
        spoken.append(len(found))
        true.append(len(wanted))
    return _overlap(hits, spoken, true)


def paraphrase(quads: Sequence[Quad], task: str) -> str:
    """The target text of ABSA-QUAD for tasd, aste or asqp."""
    return " [SSEP] ".join(_sentence(quad, task) for quad in quads)


def decode(text: str, task: str) -> list[tuple[str, ...]]:
    """The tuples of such a text; one of empty texts for each piece that is not of the form."""
    return [_tuple(piece.strip(), task) for piece in text.split("[SSEP]")]


def instructabsa(gold: Sequence[Sequence[Quad]], said: Sequence[Said], tasks: Sequence[str]) -> Overlap:
    """Counts of InstructABSA's scorer, row by row; hits may exceed what was said.

    ae are terms, aesc `term:sentiment`, aste `term:opinion:sentiment`; tasd and asqp, which it does not know, are
    scored on their aspect terms, each once.
    """
    hits, spoken, true = [], [], []
    for quads, answer, task in zip(gold, said, tasks, strict=True):
        wanted = _listed(quads, task).split(", ")
        found = (answer if isinstance(answer, str) else _listed(answer, task)).split(", ")
        hits.append(sum(_triplet(one, found) if task == "aste" else _part(one, found) for one in wanted))
        spoken.append(len(found))
        true.append(len(wanted))
    return _overlap(hits, spoken, true)


def _decoded(answer: Said, task: str) -> list[tuple[str, ...]]:
    if isinstance(answer, str):
        return decode(answer, task)
    if not answer:
        return []
    if task in ("ae", "aesc"):
        return [(quad.aspect or "NULL", quad.sentiment or "") for quad in answer]
    return decode(paraphrase(answer, task), task)


def _sentence(quad: Quad, task: str) -> str:
    word = SENTIMENT_WORDS[quad.sentiment or ""]
    aspect, opinion = quad.aspect or "it", quad.opinion or "NULL"
    if task == "aste":
        return f"It is {word} because {aspect} is {opinion}"
    category = (quad.category or "").replace("#", " ").lower()
    return f"{category} is {word} because {aspect} is {word if task == 'tasd' else opinion}"


def _tuple(piece: str, task: str) -> tuple[str, ...]:
    """One decoded tuple. Too few and too many separators are both undecodable."""
    before, because, after = piece.partition(" because ")
    first, second = before.split(" is "), after.split(" is ")
    if task == "aste":
        if not because or " because " in after or len(second) != 2:
            return "", "", ""
        return second[0], second[1], SENTIMENT_OF.get(before[6:], "nope")
    if task in ("ae", "aesc") or not because or " because " in after or len(first) != 2 or len(second) != 2:
        return ("",) * 4
    aspect = "NULL" if second[0].lower() == "it" else second[0]
    if task == "tasd":
        return first[0], aspect, SENTIMENT_OF.get(first[1], "nope")
    return first[0], aspect, first[1], second[1]


def _listed(quads: Sequence[Quad], task: str) -> str:
    """The answer as InstructABSA writes it. Implicit aspects are no terms for it."""
    terms = [quad for quad in quads if quad.aspect is not None]
    if task == "aesc":
        return ", ".join(f"{quad.aspect}:{quad.sentiment}" for quad in terms) or f"{NO_TERM}:none"
    if task == "aste":
        return ", ".join(f"{quad.aspect}:{quad.opinion or ''}:{quad.sentiment}" for quad in terms) or NO_TERM
    names = [str(quad.aspect) for quad in terms]
    return ", ".join(names if task == "ae" else dict.fromkeys(names)) or NO_TERM


def _part(wanted: str, found: Sequence[str]) -> int:
    return int(any(piece in wanted or wanted in piece for piece in found))


def _triplet(wanted: str, found: Sequence[str]) -> int:
    """How many pieces hit a triplet: their aspect and opinion are parts of the true ones, whatever their sentiment."""
    aspect, *rest = wanted.split(":")
    if len(rest) < 2:
        return 0
    pieces = [piece.split(":") for piece in found]
    return sum(len(piece) > 1 and piece[0] in aspect and piece[1] in rest[0] for piece in pieces)


def _overlap(*counts: Sequence[int]) -> Overlap:
    hits, said, gold = (np.array(column, dtype=np.float64) for column in counts)
    return Overlap(hits, said, gold)
