"""WOZ 2.0: turns, states and acts as the file has them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.readers import woz2
from instructzoo.dialogue.schema import Slot


def belief(act: str, *slots: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"act": act, "slots": [list(slot)]} for slot in slots]


ENTRIES: list[dict[str, Any]] = [
    {
        "turn_idx": 0,
        "system_transcript": "",
        "transcript": "Somewhere cheap, any kitchen will do. ",
        "turn_label": [["price range", "cheap"], ["food", "dontcare"]],
        "belief_state": belief("inform", ("price range", "cheap"), ("food", "dontcare")),
        "system_acts": [],
    },
    {
        "turn_idx": 1,
        "system_transcript": "Try the Blue Door.",
        "transcript": "Their number, please?",
        "turn_label": [["request", "phone"], ["request", "phone"]],
        "belief_state": belief("request", ("slot", "phone"))
        + belief("inform", ("price range", "cheap"), ("food", "dontcare"), ("price range", "cheap")),
        "system_acts": [],
    },
    {
        "turn_idx": 2,
        "system_transcript": "It is 0123.",
        "transcript": "Thanks",
        "turn_label": [],
        "belief_state": [],
        "system_acts": ["phone"],
    },
]


def write(folder: Path, *dialogues: list[dict[str, Any]]) -> Path:
    path = folder / "woz_train_en.json"
    path.write_text(json.dumps([{"dialogue_idx": i, "dialogue": d} for i, d in enumerate(dialogues)], indent=1))
    return path


def test_an_entry_is_a_turn_of_the_system_and_one_of_the_user(tmp_path: Path) -> None:
    (dialogue,) = woz2.read(write(tmp_path, ENTRIES))
    assert [(turn.role, turn.text) for turn in dialogue.turns] == [
        ("user", "Somewhere cheap, any kitchen will do."),
        ("system", "Try the Blue Door."),
        ("user", "Their number, please?"),
        ("system", "It is 0123."),
        ("user", "Thanks"),
    ]
    assert dialogue.where == f"{tmp_path}/woz_train_en.json:2, dialogue 1"


def test_the_state_is_what_is_informed_and_requests_are_acts(tmp_path: Path) -> None:
    (dialogue,) = woz2.read(write(tmp_path, ENTRIES))
    first, _, second, _, last = dialogue.turns
    state = (Slot("price range", "cheap"), Slot("food", "dontcare"))
    assert (first.state, first.acts) == (state, ("inform price range", "inform food"))
    assert (second.state, second.acts) == (state, ("request phone",))
    assert (last.state, last.acts) == ((), ())


def test_what_the_file_does_not_annotate_is_none(tmp_path: Path) -> None:
    (dialogue,) = woz2.read(write(tmp_path, ENTRIES))
    user, system = dialogue.turns[:2]
    assert user.intent is None and user.slots is None
    assert system.state is None and system.acts is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"system_transcript": " "}, "dialogue 1, turn 2: a turn without text"),
        ({"transcript": ""}, "dialogue 1, turn 2: a turn without text"),
        ({"transcript": None}, 'turn 2: found .*"transcript"'),
        ({"belief_state": belief("deny", ("food", "thai"))}, "turn 2: found deny"),
        ({"belief_state": belief("inform", ("food", "thai"), ("food", "greek"))}, '"food" is both "thai" and "greek"'),
        ({"belief_state": belief("inform", ("food", ""))}, "the value '' of \"food\""),
        ({"belief_state": [{"act": "inform", "slots": [["food"]]}]}, "turn 2: found .*a pair"),
        ({"turn_label": [["food", 1]]}, "turn 2: found .*a pair"),
        ({"turn_label": None}, 'turn 2: found .*"turn_label"'),
    ],
)
def test_a_malformed_turn_is_an_error_with_dialogue_and_turn(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    entries = copy.deepcopy(ENTRIES)
    entries[1] |= change
    with pytest.raises(ZooError, match=message):
        list(woz2.read(write(tmp_path, entries)))


def test_a_dialogue_without_turns_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"woz_train_en.json:\d+, dialogue 2: a dialogue without turns"):
        list(woz2.read(write(tmp_path, ENTRIES, [])))


def test_the_ontology_gives_the_values_of_the_slots(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    informable = {"request": ["phone"], "area": ["north", "south"], "food": ["thai"]}
    path.write_text(json.dumps({"requestable": ["phone"], "informable": informable}))
    assert woz2.read_ontology(path) == {"area": ("north", "south"), "food": ("thai",)}
    path.write_text('{"informable": {"area": "north"}}')
    with pytest.raises(ZooError, match='list under "area"'):
        woz2.read_ontology(path)


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "dialogues", "turns"), [("train", 600, 2536), ("validate", 200, 830)])
def test_woz2_has_its_published_counts(realdata: Path, name: str, dialogues: int, turns: int) -> None:
    read = list(woz2.read(realdata / "dialogue" / "woz2" / f"woz_{name}_en.min.json"))
    users = [turn for dialogue in read for turn in dialogue.turns if turn.role == "user"]
    assert (len(read), len(users)) == (dialogues, turns)
    assert {slot.name for turn in users for slot in turn.state or ()} == {"food", "area", "price range"}
    ontology = woz2.read_ontology(realdata / "dialogue" / "woz2" / "ontology_dstc2_en.json")
    values = {(slot.name, slot.value) for turn in users for slot in turn.state or ()}
    other = {(name, value) for name, value in values if value not in ontology[name]}
    assert other - {("area", "center")} == {(name, "dontcare") for name in ontology}
