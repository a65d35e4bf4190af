"""Reads the common form into which DialogStudio converts its data sets.

    {"WOZ2_0--train--1": {
        "original dialog info": {"summary": "..."},
        "external knowledge": "( navigate : (( poi : ... )) )",
        "log": [{"turn id": 1, "user utterance": "Anything cheap?", "system response": "Which area?",
                 "dst accumulated": "restaurant price_range cheap", "intent": "find_restaurant",
                 "original user side information": {...}, "original system side information": {...}}, ...]}, ...}

An entry of the log is what the user says and what the system answers; whoever says nothing has no turn. Entries in
which nobody says anything are left out, and counted. What becomes of the annotations:

    dst accumulated       state of the user's turn; None for all turns of a file that has no state anywhere
    intent                its intent, "" for NONE; an entry with several has none, which is counted
    act, ActionLabel, user_acts, system_acts
                          acts of the side that they stand with; the intent, which only repeats them, is None then
    summary, topic        fields["summary"] and labels["topic"]; roles are the speakers' names, where they are given
    profiles (ConvAI2)    fields["persona"]: that of the side which answers
    external knowledge    of a dialogue: fields["db"] where it comes with a schema, else fields["document"];
                          of its entries: fields["graph"] where they are paths of triples, else fields["knowledge"];
                          spans of annotators (Taskmaster) are no knowledge
    dialog history        the turns, where the log is empty since there are many speakers (QMSum)
    context (Empathetic)  labels["emotion"] of the dialogue
    results (CaSiNo)      labels["deal"], yes or no

dialogstudio_utterances.py reads the sets of single utterances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data import strict_json
from instructzoo.core.data.json_objects import single_object
from instructzoo.core.data.line_files import malformed
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue, text_of
from instructzoo.dialogue.data.readers.dialogstudio_states import STATE, domains_of, parse_state
from instructzoo.dialogue.data.readers.dialogstudio_utterances import (
    SYSTEM,
    SYSTEM_SIDE,
    USER,
    USER_SIDE,
    intent_of,
    utterance_reader,
)
from instructzoo.dialogue.data.readers.summaries import named_turns
from instructzoo.dialogue.schema import Dialogue, Slot, Turn

NO_WORDS = "entries in which nobody says anything, left out"
SEVERAL_SUMMARIES = "dialogues with several summaries, read with the first"
SEVERAL_INTENTS = "turns with several intents, read without one"

INFO, KNOWLEDGE, STRUCTURED = "original dialog info", "external knowledge", "external knowledge non-flat"

_SPLITS = {"train": "train", "val": "validation", "valid": "validation", "dev": "validation", "test": "test"}
_EMPTY = ("", "()", "( )", "{}", "Metadata: ()")
_DEALS = {"Accept-Deal": "yes", "Walk-Away": "no"}
_PROFILES = {"Human": "user_profile", "Bot": "bot_profile"}


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a dialogue of DialogStudio."""
    return beginning.text.startswith("{") and '"original dialog id"' in beginning.text


def read(path: Path) -> Iterator[Dialogue]:
    """Read the dialogues of a file.

    Args:
        path: A JSON file in DialogStudio's form.

    Yields:
        The dialogues.

    Raises:
        ZooError: With file, dialogue and turn for whatever is malformed.
    """
    dialogues = single_object(path)
    for key, values in dialogues.items():
        if isinstance(values, dict):
            values[INFO] = _parsed(values.get(INFO), INFO, _place(path, key))
    logs = {key: _log(values, _place(path, key)) for key, values in dialogues.items()}
    domains = domains_of((dialogues[key], log) for key, log in logs.items())
    for key, values in dialogues.items():
        where, (name, *rest) = _place(path, key), key.split("--")
        split = _SPLITS.get(rest[0], "") if rest else ""
        if read_utterance := utterance_reader(name, _info(values)):
            for entry in logs[key]:
                yield replace(read_utterance(entry, where), split=split)
        else:
            yield replace(_conversation(values, logs[key], domains, where), split=split)


def _place(path: Path, key: str) -> str:
    return f'{path}, dialogue "{key[:80]}"'


def _log(values: Any, where: str) -> list[dict[str, Any]]:
    """The entries of a log, which may be one alone; side information is an object, or its JSON text."""
    log = values.get("log") if isinstance(values, dict) else None
    entries = [log] if isinstance(log, dict) else log
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise malformed(values, 'an object with a list of objects under "log"', where)
    return [_with_sides(entry, f"{where}, turn {number}") for number, entry in enumerate(entries, 1)]


def _with_sides(entry: dict[str, Any], where: str) -> dict[str, Any]:
    return entry | {key: _parsed(entry.get(key), key, where) or {} for key in (USER_SIDE, SYSTEM_SIDE)}


def _parsed(value: Any, name: str, where: str) -> Any:
    try:
        return strict_json.parse(value) if isinstance(value, str) and value.strip() else value
    except (ValueError, RecursionError) as error:
        raise malformed(value, f'JSON under "{name}"', where) from error


def _info(values: Mapping[str, Any]) -> Mapping[str, Any]:
    info = values.get(INFO)
    return info if isinstance(info, dict) else {}


def _conversation(
    values: Mapping[str, Any], log: Sequence[Mapping[str, Any]], domains: frozenset[str], where: str
) -> Dialogue:
    """A dialogue. domains: those of the states of its file; none where it has no states."""
    info = _info(values)
    summary, *other_summaries = _summaries(info) or [""]
    turns = _transcript(info, where) if not log else []
    remarks = [SEVERAL_SUMMARIES] * bool(other_summaries)
    for number, entry in enumerate(log, 1):
        place = f"{where}, turn {number}"
        state = parse_state(text_of(entry, STATE, place), domains, place) if domains and STATE in entry else None
        of_entry = _turns(entry, state, bool(summary), place)
        turns += of_entry
        if not of_entry:
            remarks.append(NO_WORDS)
        elif of_entry[0].acts is None and isinstance(entry.get("intent"), str) and "," in entry["intent"]:
            remarks.append(SEVERAL_INTENTS)
    dialogue = checked_dialogue(turns, where, {"summary": summary} | _fields(values, log), _labels(info))
    return replace(dialogue, remarks=tuple(remarks))


def _summaries(info: Mapping[str, Any]) -> list[str]:
    """The summaries of a dialogue as a whole: one, several of sentences (TweetSumm), or answers to queries (QMSum)."""
    if isinstance(info.get("summary"), str):
        return [info["summary"]]
    several, queries = info.get("summaries"), info.get("general_query_list")
    written = several.get("abstractive_summaries") if isinstance(several, dict) else None
    texts = [" ".join(map(str, one)) for one in written if isinstance(one, list)] if isinstance(written, list) else []
    if isinstance(queries, list):
        texts += [str(query["answer"]) for query in queries if isinstance(query, dict) and "answer" in query]
    return [text for text in texts if text.strip()]


def _transcript(info: Mapping[str, Any], where: str) -> list[Turn]:
    """The turns of a dialogue whose log is empty since it has many speakers (QMSum): "Ann : Good morning"."""
    history = info.get("dialog history")
    lines = [str(line) for line in history] if isinstance(history, list) else []
    return named_turns("\n".join(lines), where)


def _turns(entry: Mapping[str, Any], state: tuple[Slot, ...] | None, named: bool, where: str) -> list[Turn]:
    """The turns of an entry; the state belongs to what is said first."""
    turns: list[Turn] = []
    for role, text_key, side_key in (("user", USER, USER_SIDE), ("system", SYSTEM, SYSTEM_SIDE)):
        text, side = text_of(entry, text_key, where).replace("_comma_", ",").strip(), entry[side_key]
        speaker = side.get("speaker") if isinstance(side, dict) and named else None
        acts = _acts(side)
        intent = intent_of(entry) if role == "user" and acts is None else None
        if text:
            name = speaker.strip() if isinstance(speaker, str) and speaker.strip() else role
            turns.append(Turn(name, text, intent, acts, state=None if turns else state))
    return turns


def _acts(side: Any) -> tuple[str, ...] | None:
    """Acts without their arguments: "inform" for "inform(date=9th)" or {"type": "inform", "slot": "date"}."""
    if not isinstance(side, dict):
        return None
    acts, typed = side.get("act", side.get("ActionLabel")), side.get("user_acts", side.get("system_acts"))
    if isinstance(typed, list) and any(isinstance(act, dict) for act in typed):
        acts = [act.get("type") for act in typed if isinstance(act, dict)]
    names = [acts] if isinstance(acts, str) else acts
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(dict.fromkeys(act for name in names if (act := name.partition("(")[0].strip())))


def _fields(values: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    info, structured = _info(values), values.get(STRUCTURED)
    grounds = "db" if isinstance(structured, dict) and "slots and values" in structured else "document"
    graph = list(dict.fromkeys(path for entry in log if (path := _path(entry[SYSTEM_SIDE]))))
    grounded = [] if graph else [entry for entry in log if not isinstance(entry.get(STRUCTURED), list)]
    knowledge = list(dict.fromkeys(_knowledge(entry) for entry in grounded))
    sides = [entry[SYSTEM_SIDE] for entry in log if isinstance(entry[SYSTEM_SIDE], dict)]
    profile = next((_PROFILES[name] for side in sides if (name := side.get("sender_class")) in _PROFILES), "")
    persona = info.get(profile)
    return {
        "persona": " ".join(map(str, persona)) if isinstance(persona, list) else "",
        grounds: _knowledge(values),
        "knowledge": " ".join(knowledge),
        "graph": " ".join(graph),
    }


def _knowledge(values: Mapping[str, Any]) -> str:
    text = values.get(KNOWLEDGE)
    return text if isinstance(text, str) and text.strip() not in _EMPTY else ""


def _path(side: Any) -> str:
    """A path in a graph of knowledge (OpenDialKG): "(Oslo, capital of, Norway)"; "" where there is none."""
    for key in ("metadata", "metadata", "path"):
        side = side.get(key) if isinstance(side, dict) else None
    triples = side[1] if isinstance(side, list) and len(side) > 1 and isinstance(side[1], list) else []
    return " ".join(f"({', '.join(map(str, triple))})" for triple in triples if isinstance(triple, list))


def _labels(info: Mapping[str, Any]) -> dict[str, str]:
    labels = {"topic": info.get("topic"), "emotion": info.get("context") if "selfeval" in info else None}
    results = info.get("results")
    texts = [part.get("text") for part in results if isinstance(part, dict)] if isinstance(results, list) else []
    labels["deal"] = next((_DEALS[text] for text in texts if isinstance(text, str) and text in _DEALS), None)
    return {name: label.strip() for name, label in labels.items() if isinstance(label, str) and label.strip()}
