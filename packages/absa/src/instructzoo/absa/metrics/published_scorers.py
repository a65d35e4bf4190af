"""Two published scorers, reimplemented with their errors, so that published results can be interpreted.

abs-quad             IsakZhang/ABSA-QUAD at ce4d4a51, eval_utils.py: tuples are decoded from the text
                     "food quality is great because pizza is tasty [SSEP] ...". A correct tuple that is predicted twice
                     counts twice. What cannot be decoded becomes a tuple of empty texts, in prediction and gold alike:
                     a gold tuple whose words contain " is " is hit by any unparseable output.
instructabsa-legacy  kevinscaria/InstructABSA at 741e3d86, utils.py: an answer is split at ", ", and a gold term counts
                     as found where one of the pieces is a substring of it or contains it. Answering "e" to everything
                     scores F1 .82 to .86 on the four SemEval test sets, the empty answer 1.09 to 1.25. Where a sentence
                     has no term, "noaspectterm" counts as one. The sentiment of a triplet is compared with itself.

The code is written anew after these files. An answer in this package's format is first converted to theirs; any other
text is scored as it is, so that outputs of these systems can be scored too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructzoo.absa.prompts.answer_format import SENTIMENT_OF, SENTIMENT_WORDS
from instructzoo.absa.schema import Quad
from instructzoo.core.score.tuple_f1 import TupleCounts

ABS_QUAD, INSTRUCTABSA = "abs-quad", "instructabsa-legacy"
NO_TERM = "noaspectterm"

Prediction = Sequence[Quad] | str
"""The tuples of an answer, or an output that is not in this package's format."""

DecodedTuple = tuple[str, ...]


def abs_quad(gold: Sequence[Sequence[Quad]], predictions: Sequence[Prediction], tasks: Sequence[str]) -> TupleCounts:
    """The counts of ABSA-QUAD's scorer by row; hits may exceed the gold tuples.

    ae and aesc, which it does not have, are compared in the same way without decoding. It also has no case for a
    sentence without tuples: here that is no tuple, in prediction and gold alike.

    Args:
        gold: the gold tuples of each row.
        predictions: the prediction for each row.
        tasks: the task of each row.

    Returns:
        Hits, predicted tuples and gold tuples of each row, [n].
    """
    hits, predicted_counts, gold_counts = [], [], []
    for gold_quads, prediction, task in zip(gold, predictions, tasks, strict=True):
        gold_tuples, predicted_tuples = _decoded(gold_quads, task), _decoded(prediction, task)
        hits.append(sum(predicted in gold_tuples for predicted in predicted_tuples))
        predicted_counts.append(len(predicted_tuples))
        gold_counts.append(len(gold_tuples))
    return _to_counts(hits, predicted_counts, gold_counts)


def paraphrase(quads: Sequence[Quad], task: str) -> str:
    """The target text of ABSA-QUAD for tasd, aste or asqp.

    Args:
        quads: the tuples.
        task: tasd, aste or asqp.

    Returns:
        A sentence for each tuple, joined by " [SSEP] ".
    """
    return " [SSEP] ".join(_paraphrase_quad(quad, task) for quad in quads)


def decode(text: str, task: str) -> list[DecodedTuple]:
    """The tuples of such a text; a tuple of empty texts for each piece that is not in its form.

    Args:
        text: a text as `paraphrase` writes it, such as a model's output.
        task: tasd, aste or asqp.

    Returns:
        A tuple of 3 (aste) or 4 texts for each piece, in order.
    """
    return [_decode_piece(piece.strip(), task) for piece in text.split("[SSEP]")]


def instructabsa(
    gold: Sequence[Sequence[Quad]], predictions: Sequence[Prediction], tasks: Sequence[str]
) -> TupleCounts:
    """The counts of InstructABSA's scorer by row; hits may exceed the predictions.

    ae answers are terms, aesc `term:sentiment`, aste `term:opinion:sentiment`. tasd and asqp, which it does not have,
    are scored on their aspect terms, each once. Arguments are those of `abs_quad`.

    Returns:
        Hits, predicted terms and gold terms of each row, [n].
    """
    hits, predicted_counts, gold_counts = [], [], []
    for gold_quads, prediction, task in zip(gold, predictions, tasks, strict=True):
        gold_terms = _to_list(gold_quads, task).split(", ")
        predicted_terms = (prediction if isinstance(prediction, str) else _to_list(prediction, task)).split(", ")
        count_hits = _triplet_hits if task == "aste" else _term_hits
        hits.append(sum(count_hits(term, predicted_terms) for term in gold_terms))
        predicted_counts.append(len(predicted_terms))
        gold_counts.append(len(gold_terms))
    return _to_counts(hits, predicted_counts, gold_counts)


def _decoded(prediction: Prediction, task: str) -> list[DecodedTuple]:
    if isinstance(prediction, str):
        return decode(prediction, task)
    if not prediction:
        return []
    if task in ("ae", "aesc"):
        return [(quad.aspect or "NULL", quad.sentiment or "") for quad in prediction]
    return decode(paraphrase(prediction, task), task)


def _paraphrase_quad(quad: Quad, task: str) -> str:
    word = SENTIMENT_WORDS[quad.sentiment or ""]
    aspect, opinion = quad.aspect or "it", quad.opinion or "NULL"
    if task == "aste":
        return f"It is {word} because {aspect} is {opinion}"
    category = (quad.category or "").replace("#", " ").lower()
    return f"{category} is {word} because {aspect} is {word if task == 'tasd' else opinion}"


def _decode_piece(piece: str, task: str) -> DecodedTuple:
    """One decoded tuple. Both too few and too many separators make it undecodable."""
    before, because, after = piece.partition(" because ")
    left, right = before.split(" is "), after.split(" is ")
    if task == "aste":
        if not because or " because " in after or len(right) != 2:
            return "", "", ""
        return right[0], right[1], SENTIMENT_OF.get(before[6:], "nope")
    if task in ("ae", "aesc") or not because or " because " in after or len(left) != 2 or len(right) != 2:
        return ("",) * 4
    aspect = "NULL" if right[0].lower() == "it" else right[0]
    if task == "tasd":
        return left[0], aspect, SENTIMENT_OF.get(left[1], "nope")
    return left[0], aspect, left[1], right[1]


def _to_list(quads: Sequence[Quad], task: str) -> str:
    """The answer as InstructABSA writes it. An implicit aspect is no term there."""
    terms = [quad for quad in quads if quad.aspect is not None]
    if task == "aesc":
        return ", ".join(f"{quad.aspect}:{quad.sentiment}" for quad in terms) or f"{NO_TERM}:none"
    if task == "aste":
        return ", ".join(f"{quad.aspect}:{quad.opinion or ''}:{quad.sentiment}" for quad in terms) or NO_TERM
    names = [str(quad.aspect) for quad in terms]
    return ", ".join(names if task == "ae" else dict.fromkeys(names)) or NO_TERM


def _term_hits(gold_term: str, predicted_terms: Sequence[str]) -> int:
    """1 where a predicted term is a substring of the gold term or contains it, else 0."""
    return int(any(term in gold_term or gold_term in term for term in predicted_terms))


def _triplet_hits(gold_triplet: str, predicted_triplets: Sequence[str]) -> int:
    """How many predictions hit a triplet: aspect and opinion are substrings of the gold ones; any sentiment will do."""
    aspect, *rest = gold_triplet.split(":")
    if len(rest) < 2:
        return 0
    triplets = [triplet.split(":") for triplet in predicted_triplets]
    return sum(len(triplet) > 1 and triplet[0] in aspect and triplet[1] in rest[0] for triplet in triplets)


def _to_counts(*counts: Sequence[int]) -> TupleCounts:
    hits, predicted, gold = (np.array(column, dtype=np.float64) for column in counts)
    return TupleCounts(hits, predicted, gold)
