"""Own data: utterances and dialogues as JSON Lines, as a JSON list, or as a table (CSV, TSV).

    {"text": "Wake me at seven", "intent": "set alarm",
     "slots": [{"name": "time", "value": "seven", "start": 11, "end": 16}]}
    {"turns": [{"role": "user", "text": "A table for two", "state": {"people": "two"}, "acts": ["inform"]},
               {"role": "system", "text": "Where?"}], "summary": "...", "labels": {"topic": "restaurants"}}

    text,intent                                     an utterance a row
    dialogue_id,role,text,intent,acts,state         a turn a row; rows of a dialogue stand together

Whatever an object leaves out is not annotated. In tables an empty cell is not annotated, acts have commas between them,
and slots, state and labels are JSON texts as above; what belongs to a dialogue as a whole stands in its first row.

    role      user, system; assistant, agent and bot are the system. Who has a name is a "speaker" instead of a "role"
    intent    "" (not in tables), "oos" and "out of scope" say that no intent fits
    slots     a list with offsets, counted in characters of the text, the end exclusive; or {"time": "seven"} without
    state     {"people": "two"}, after the turn
    labels    others, by kind: {"emotion": "joy"}
    split     train, validation or test; else the file's name says it

Texts that a dialogue rests on, or that belong to it as a whole, stand beside its turns: persona, document, knowledge,
evidence, graph, schema, db, summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from instructzoo.core.data import read as read_rows
from instructzoo.core.data import strict_json
from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import malformed
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue, checked_state, checked_text, list_of, make_slot
from instructzoo.dialogue.schema import Dialogue, Slot, Turn

ROLES = {"user": "user", "system": "system", "assistant": "system", "agent": "system", "bot": "system"}
"""The roles of turns, with the role that each stands for."""

OUT_OF_SCOPE = ("", "oos", "out of scope", "out_of_scope")
TABLES = (".csv", ".tsv")

_ANNOTATIONS = ("intent", "acts", "slots", "state")
_TURN_KEYS = ("role", "speaker", "text", *_ANNOTATIONS, "labels")
_FIELDS = ("persona", "document", "knowledge", "evidence", "graph", "schema", "db", "summary")
_DIALOGUE_KEYS = ("id", "dialogue_id", "split", *_FIELDS)
_JSON_CELLS = ("slots", "state", "labels")
_FIRST_TURNS = re.compile(r'\[?\s*\{[^[{]*"turns"\s*:\s*\[\s*\{')


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with an annotated utterance, with turns, or with the header of such a table."""
    if beginning.path.suffix.lower() in TABLES:
        header = beginning.text.partition("\n")[0].strip().replace('"', "")
        keys = set(header.split("\t" if beginning.path.suffix.lower() == ".tsv" else ","))
        return "text" in keys and bool(keys & {"role", "speaker", "dialogue_id", *_ANNOTATIONS})
    keys = set(beginning.object)
    turns = beginning.object.get("turns")
    if _FIRST_TURNS.match(beginning.text) or (isinstance(turns, list) and all(isinstance(t, dict) for t in turns)):
        return True
    return "text" in keys and bool(keys & {*_ANNOTATIONS}) and "instruction" not in keys


def read(path: Path) -> Iterator[Dialogue]:
    """Read the utterances and dialogues of a file.

    Args:
        path: A file that ends in .jsonl, .json, .csv or .tsv.

    Yields:
        The dialogues.

    Raises:
        ZooError: With file:line for unknown keys and roles, turns without text, offsets that do not hold the value,
            and dialogues without turns or in several pieces.
    """
    if path.suffix.lower() in TABLES:
        yield from _read_table(path)
        return
    for where, values in objects(path):
        if "turns" in values:
            _check_keys(values, ("turns", "labels", *_DIALOGUE_KEYS), where)
            given = enumerate(list_of(values, "turns", where), 1)
            turns = [_turn(turn, f"{where}, turn {number}") for number, turn in given]
            yield _dialogue(values, turns, where, _texts(values.get("labels"), "labels", where))
        else:
            yield _utterance(values, where)


def _read_table(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a table; rows without a dialogue_id are dialogues of their own."""
    filled = ((where, {key: cell for key, cell in row.items() if cell.strip()}) for where, row in read_rows(path))
    rows = enumerate((where, _parsed_cells(row, where)) for where, row in filled)
    finished: set[str] = set()
    for key, group in groupby(rows, key=lambda row: row[1][1].get("dialogue_id", row[0])):
        places = [place for _, place in group]
        where, first = places[0]
        if not isinstance(key, str):
            yield _utterance(first, where)
            continue
        if key in finished:
            found, expected = f'rows of the dialogue "{key[:40]}" once more', "all of them next to each other"
            raise ZooError(found, expected, "sort the table by dialogue_id", where)
        finished.add(key)
        for place, row in places:
            _check_keys(row, (*_TURN_KEYS, *_DIALOGUE_KEYS), place)
        turns = [_turn({k: v for k, v in row.items() if k in _TURN_KEYS}, place) for place, row in places]
        yield _dialogue(first, turns, where)


def _parsed_cells(row: Mapping[str, str], where: str) -> dict[str, Any]:
    """The cells of a row, JSON texts as what they say."""
    cells: dict[str, Any] = dict(row)
    for key in _JSON_CELLS:
        try:
            cells |= {key: strict_json.parse(row[key])} if key in row else {}
        except (ValueError, RecursionError) as error:
            raise malformed(row[key], f'JSON in the column "{key}"', where) from error
    return cells


def _utterance(values: Mapping[str, Any], where: str) -> Dialogue:
    """The dialogue of one turn, of the user where nothing else is said."""
    _check_keys(values, (*_TURN_KEYS, *_DIALOGUE_KEYS), where)
    turn = {key: value for key, value in values.items() if key in _TURN_KEYS}
    return _dialogue(values, [_turn(turn if "speaker" in turn else {"role": "user"} | turn, where)], where)


def _dialogue(
    values: Mapping[str, Any], turns: list[Turn], where: str, labels: Mapping[str, str] | None = None
) -> Dialogue:
    fields = {name: values[name] for name in _FIELDS if values.get(name) is not None}
    dialogue = checked_dialogue(turns, where, _texts(fields, "the fields", where), labels)
    split = values.get("split") or ""
    if split and split not in SPLITS:
        raise ZooError(f'the split "{split}"', suggest(str(split), SPLITS), where=where)
    return replace(dialogue, split=split)


def _turn(values: Any, where: str) -> Turn:
    if not isinstance(values, Mapping):
        raise malformed(values, '{"role": "user", "text": "..."}', where)
    _check_keys(values, _TURN_KEYS, where)
    text = values.get("text")
    if not isinstance(text, str):
        raise malformed(dict(values), 'a turn with a text under "text"', where)
    return Turn(
        _role(values, where),
        checked_text(text, where),
        _intent(values.get("intent"), where),
        _acts(values.get("acts"), where),
        _slots(values.get("slots"), text, where),
        _state(values.get("state"), where),
        _texts(values.get("labels"), "labels", where),
    )


def _role(values: Mapping[str, Any], where: str) -> str:
    speaker, role = values.get("speaker"), values.get("role")
    if isinstance(speaker, str) and speaker.strip() and role is None:
        return speaker.strip()
    if not isinstance(role, str) or role.strip().lower() not in ROLES:
        fix = 'the name of a speaker stands under "speaker"'
        raise ZooError(f"the role {role!r:.40}", f"one of {', '.join(ROLES)}", fix, where)
    return ROLES[role.strip().lower()]


def _intent(intent: Any, where: str) -> str | None:
    if intent is None:
        return None
    if not isinstance(intent, str):
        raise malformed(intent, 'a text under "intent"', where)
    return "" if intent.strip().lower() in OUT_OF_SCOPE else intent.strip()


def _acts(acts: Any, where: str) -> tuple[str, ...] | None:
    if acts is None:
        return None
    names = acts.split(",") if isinstance(acts, str) else acts
    if not isinstance(names, list) or not all(isinstance(act, str) and act.strip() for act in names):
        raise malformed(acts, 'a list of texts under "acts"', where)
    return tuple(dict.fromkeys(act.strip() for act in names))


def _slots(slots: Any, text: str, where: str) -> tuple[Slot, ...] | None:
    """Slots with offsets in the text without the spaces around it."""
    if slots is None:
        return None
    if isinstance(slots, Mapping):
        return tuple(make_slot(name, value, where) for name, value in slots.items())
    if not isinstance(slots, list) or not all(isinstance(slot, Mapping) for slot in slots):
        form = '{"time": "seven"}, or [{"name": "time", "value": "seven", "start": 11, "end": 16}]'
        raise malformed(slots, form, where)
    for slot in slots:
        _check_keys(slot, ("name", "value", "start", "end"), where)
    made = [make_slot(s.get("name"), s.get("value"), where, text, s.get("start"), s.get("end")) for s in slots]
    shift = len(text) - len(text.lstrip())
    return tuple(replace(s, start=s.start - shift, end=s.end - shift) if s.start >= 0 else s for s in made)


def _state(state: Any, where: str) -> tuple[Slot, ...] | None:
    if state is None:
        return None
    if not isinstance(state, Mapping):
        raise malformed(state, '{"people": "two"} under "state"', where)
    return checked_state((make_slot(name, value, where) for name, value in state.items()), where)


def _texts(values: Any, name: str, where: str) -> dict[str, str]:
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not all(isinstance(text, str) for text in values.values()):
        raise malformed(values, f"texts by name under {name}", where)
    return {key: text.strip() for key, text in values.items() if text.strip()}


def _check_keys(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := [key for key in values if key not in known]:
        raise ZooError(f'the key "{unknown[0][:40]}"', suggest(unknown[0][:40], known), "leave out other keys", where)
