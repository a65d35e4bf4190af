"""What annotation tools export, brought into the general form with offsets: {"text", "entities", "relations"}.

    Prodigy        {"text": "Ann left", "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "accept"}
    doccano        {"text": "Ann left", "label": [[0, 3, "PER"]]}
                   {"text": "Ann left", "entities": [{"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3}],
                    "relations": [{"from_id": 7, "to_id": 8, "type": "knows"}]}
    Label Studio   {"data": {"text": "Ann left"}, "annotations": [{"was_cancelled": false, "result": [
                       {"id": "a", "type": "labels", "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}},
                       {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["knows"]}]}]}
                   {"text": "Ann left", "label": [{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]}

What an annotator rejected or skipped is left out. Of several annotations of a text the one marked as ground truth
counts, else the one that all agree on; where they differ, the text is left out. Predictions are never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.core.data.line_files import LeftOut, malformed
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.base import UNANNOTATED

SPAN_KEYS = ("entities", "ents", "spans")
DOCCANO_KEYS = ("label", "labels")
ANSWERS = ("accept", "reject", "ignore")

REJECTED = "texts that their annotator rejected or ignored, left out"
REJECTED_SPAN = "spans that their annotator rejected, left out"
CANCELLED = "texts that their annotators skipped, left out"
DISAGREEING = "texts whose annotators differ and of which none is marked as ground truth, left out"
OTHER_RESULTS = "answers that are neither spans nor relations, which no question asks for"
UNLABELLED = "spans and relations without a label, left out"

_PRODIGY_KEYS = {"_input_hash", "_task_hash", "_session_id", "_view_id"}
_TASK_FORM = '{"data": {"text": "..."}, "annotations": [{"result": [...]}]}'


def general_form(values: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], list[str]] | LeftOut:
    """An object of spaCy's, Prodigy's or doccano's export in the general form.

    Args:
        values: An object with `text`.
        where: File and line, for error messages.

    Returns:
        The object with its spans under "entities" (absent where nobody annotated spans), and remarks about it; what is
        left out of a row of which nothing is annotated or that was rejected.

    Raises:
        ZooError: For spans under two keys, or an unknown answer of Prodigy.
    """
    answer = values.get("answer")
    if answer not in ANSWERS and _PRODIGY_KEYS & set(values) and answer is not None:
        raise malformed(answer, f'{", ".join(ANSWERS)} under "answer"', where)
    if answer in ("reject", "ignore"):
        return LeftOut(where, REJECTED)
    keys = [key for key in SPAN_KEYS if key in values] or [key for key in DOCCANO_KEYS if _is_list_or_none(values, key)]
    if len(keys) > 1:
        raise ZooError(f'both "{keys[0]}" and "{keys[1]}"', "one of them", "remove one", where)
    spans = values[keys[0]] if keys else None
    if spans is None and answer == "accept":
        spans = []  # the annotator accepted the text without a span
    general = {key: values[key] for key in ("text", "relations", "events") if values.get(key) is not None}
    if spans is not None:
        general["entities"] = spans
    elif not general.keys() - {"text"}:
        return LeftOut(where, UNANNOTATED)
    return _without_rejected(general)


def _is_list_or_none(values: Mapping[str, Any], key: str) -> bool:
    return key in values and isinstance(values[key], list | None)


def _without_rejected(general: dict[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """The object without the spans that have an answer of their own other than accept."""
    spans = general.get("entities")
    if not isinstance(spans, list):
        return general, []
    accepted = [s for s in spans if not (isinstance(s, dict) and s.get("answer") in ("reject", "ignore"))]
    if len(accepted) < len(spans):  # relations may name spans by their numbers, so rejected ones keep their place
        general["entities"] = [s if any(s is a for a in accepted) else None for s in spans]
    return general, [REJECTED_SPAN] * (len(spans) - len(accepted))


def label_studio_text(values: Mapping[str, Any]) -> str:
    """The text of a task of Label Studio: the one called "text", or the only one of its data; "" where none is."""
    data = values.get("data")
    texts = {key: text for key, text in data.items() if isinstance(text, str)} if isinstance(data, dict) else {}
    return texts.get("text", next(iter(texts.values())) if len(texts) == 1 else "")


def from_label_studio(values: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], list[str]] | LeftOut:
    """A task of Label Studio in the general form.

    Args:
        values: The task.
        where: File and line, for error messages.

    Returns:
        The general form and remarks about it; what is left out of a task that nobody answered, that was skipped, or
        whose annotators differ.

    Raises:
        ZooError: For an object of another form, and for a task without one text.
    """
    annotations = values.get("annotations")
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        raise malformed(annotations, _TASK_FORM, where)
    text = label_studio_text(values)
    if not text:
        raise ZooError("no text, or several, in the data of a task", 'one, or one under "text"', "rename it", where)
    answered = [a for a in annotations if not (a.get("was_cancelled") or a.get("skipped"))]
    if not answered:
        return LeftOut(where, CANCELLED if annotations else UNANNOTATED)
    forms = [_annotation(text, a.get("result"), where) for a in answered]
    truths = [form for form, a in zip(forms, answered, strict=True) if a.get("ground_truth")]
    candidates = truths or forms
    first, remarks = candidates[0]
    if any(_content(form) != _content(first) for form, _ in candidates):
        return LeftOut(where, DISAGREEING)
    return first, remarks


def _content(form: Mapping[str, Any]) -> list[str]:
    """What an annotation says, without the ids of its spans and in any order, for comparison."""
    spans = [(str(e["id"]), (e["start"], e["end"], e["label"])) for e in form["entities"]]
    places = dict(spans)
    relations = [(r["type"], places.get(str(r["head"])), places.get(str(r["tail"]))) for r in form["relations"]]
    return sorted(map(repr, [*(place for _, place in spans), *relations]))


def _annotation(text: str, results: Any, where: str) -> tuple[dict[str, Any], list[str]]:
    """The general form of one annotator's results, and remarks."""
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        raise malformed(results, _TASK_FORM, where)
    entities, relations, remarks = [], [], []
    for result in results:
        value, type = result.get("value"), result.get("type")
        if type == "relation":
            labels = _labels(result.get("labels"), where)
            sides = {"head": result.get("from_id"), "tail": result.get("to_id")}
            if result.get("direction") == "left":
                sides = {"head": sides["tail"], "tail": sides["head"]}
            relations += [{"type": label, **sides} for label in labels]
        elif type == "labels" and isinstance(value, dict):
            labels = _labels(value.get("labels"), where)
            spans = {key: value.get(key) for key in ("start", "end", "text")}
            entities += [{"id": result.get("id"), "label": label, **spans} for label in labels]
        else:
            remarks.append(OTHER_RESULTS)
            continue
        remarks += [UNLABELLED] * (not labels)
    return {"text": text, "entities": entities, "relations": relations}, remarks


def _labels(values: Any, where: str) -> Sequence[str]:
    """The labels of a span or a relation; none where it has none."""
    if not isinstance(values, list | None) or not all(isinstance(v, str) for v in values or ()):
        raise malformed(values, 'a list of texts under "labels"', where)
    return values or ()
