"""Sets of single utterances in DialogStudio: the annotation stands where others have the system's answer.

    {"user utterance": "play some jazz", "system response": "PlayMusic"}                       an intent
    {"user utterance": "play some jazz", "system response": "O O B-genre"}                     BIO tags of the words
    {"user utterance": "play some jazz", "original system side information":
        [{"slot": "genre", "valueSpan": {"startIndex": 10, "endIndex": 14}, "value": "jazz"}]} slots with offsets
    {"user utterance": "call Ann", "system response": "[IN:CREATE_CALL [SL:CONTACT Ann ] ]"}   a parse (MTOP), of which
                                                                                               the intent is read

A startIndex that is missing is 0. The intent of an utterance that is out of scope is "".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from instructzoo.core.data.line_files import malformed
from instructzoo.dialogue.data.readers import joint_bert
from instructzoo.dialogue.data.readers.base import utterance
from instructzoo.dialogue.data.readers.checks import checked_text, make_slot, text_of
from instructzoo.dialogue.schema import Dialogue, Slot

USER, SYSTEM = "user utterance", "system response"
USER_SIDE, SYSTEM_SIDE = "original user side information", "original system side information"

INTENT_SETS = ("ATIS", "BANKING77", "CLINC150", "HWU64", "SNIPS")
"""Sets whose answers are intents although no dialogue of theirs says so."""

_FIRST_INTENT = re.compile(r"\[IN:(\w+)")

OUT_OF_SCOPE = ("oos", "ood", "NONE")


def utterance_reader(name: str, info: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], Dialogue] | None:
    """The reader of the entries of a dialogue.

    Args:
        name: The set's name.
        info: The dialogue's "original dialog info".

    Returns:
        The reader; None where the set has dialogues.
    """
    task = str(info.get("task", ""))
    if task.startswith("BIO"):
        return _tagged
    if task.startswith("Slot"):
        return _with_spans
    if name == "MTOP":
        return _parsed
    return _with_intent if task.startswith("Intent") or name in INTENT_SETS else None


def intent_of(entry: Mapping[str, Any]) -> str | None:
    """The intent that an entry states; "" where it is out of scope, None for several or none."""
    for values in (entry, entry[USER_SIDE], entry[SYSTEM_SIDE]):
        intent = values.get("intent") if isinstance(values, dict) else None
        if isinstance(intent, str) and intent.strip() and "," not in intent:
            return "" if intent.strip() in OUT_OF_SCOPE else intent.strip()
    return None


def _with_intent(entry: Mapping[str, Any], where: str) -> Dialogue:
    intent = checked_text(text_of(entry, SYSTEM, where), where)
    return utterance(text_of(entry, USER, where), where, "" if intent in OUT_OF_SCOPE else intent)


def _parsed(entry: Mapping[str, Any], where: str) -> Dialogue:
    parse = text_of(entry, SYSTEM, where)
    match = _FIRST_INTENT.match(parse)
    if not match:
        raise malformed(parse, "a parse that begins with [IN:...", where)
    return utterance(text_of(entry, USER, where), where, match[1])


def _tagged(entry: Mapping[str, Any], where: str) -> Dialogue:
    words, tags = (text_of(entry, key, where).split() for key in (USER, SYSTEM))
    return joint_bert.tagged(words, tags, where, where, intent_of(entry))


def _with_spans(entry: Mapping[str, Any], where: str) -> Dialogue:
    text = text_of(entry, USER, where)
    labels = entry[SYSTEM_SIDE] or []
    if not isinstance(labels, list):
        raise malformed(labels, "a list of slots", where)
    slots = [_slot(label, text, where) for label in labels]
    return utterance(text, where, spans=[(slot.name, slot.start, slot.end) for slot in slots])


def _slot(label: Any, text: str, where: str) -> Slot:
    span = label.get("valueSpan") if isinstance(label, dict) else None
    if not isinstance(span, dict):
        raise malformed(label, '{"slot": "time", "valueSpan": {"startIndex": 3, "endIndex": 7}}', where)
    start, end = span.get("startIndex", 0), span.get("endIndex")
    return make_slot(label.get("slot"), label.get("value"), where, text, start, end)
