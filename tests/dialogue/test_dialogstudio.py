"""DialogStudio's common form: turns, states and what else its sets annotate."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.readers import dialogstudio
from instructzoo.dialogue.data.readers.dialogstudio_states import parse_state
from instructzoo.dialogue.schema import Dialogue, Slot

SCHEMA = {"external knowledge non-flat": {"slots and values": {}}}


def entry(user: str, system: str, user_side: Any = None, system_side: Any = None, **values: Any) -> dict[str, Any]:
    sides = {"original user side information": user_side or {}, "original system side information": system_side or {}}
    return {"user utterance": user, "system response": system, **sides, **values}


def state(text: str) -> dict[str, Any]:
    return {"dst": text, "dst accumulated": text}


def write(folder: Path, **dialogues: Any) -> Path:
    path = folder / "train.json"
    values = {f"{name}--val--{i}": {"original dialog id": ""} | d for i, (name, d) in enumerate(dialogues.items(), 1)}
    path.write_text(json.dumps(values, indent=1))
    return path


def read(folder: Path, name: str, *log: dict[str, Any], **values: Any) -> Dialogue:
    (dialogue,) = readers.read_file(write(folder, **{name: {"log": list(log), **values}}))
    return dialogue


def said(dialogue: Dialogue) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in dialogue.turns]


def test_whoever_says_nothing_has_no_turn_and_an_empty_entry_is_counted(tmp_path: Path) -> None:
    dialogue = read(tmp_path, "Made", entry("", "Hello"), entry("Hi ", ""), entry("", " "))
    assert said(dialogue) == [("system", "Hello"), ("user", "Hi")]
    assert dialogue.remarks == (dialogstudio.NO_WORDS,)
    assert dialogue.split == "validation"
    assert dialogue.where == f'{tmp_path}/train.json, dialogue "Made--val--1"'


def test_states_stand_at_the_users_turn(tmp_path: Path) -> None:
    first = entry("Thai, in the north", "Fine", **state("restaurant food thai, restaurant area north"))
    dialogue = read(tmp_path, "Made", first, entry("Ok", "Bye", **state("")))
    expected = (Slot("restaurant food", "thai"), Slot("restaurant area", "north"))
    assert [turn.state for turn in dialogue.turns] == [expected, None, (), None]


def test_a_file_without_any_state_is_not_annotated_with_states(tmp_path: Path) -> None:
    assert [turn.state for turn in read(tmp_path, "Made", entry("Hi", "Hello", **state(""))).turns] == [None, None]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("food area north , food kind thai", ["north", "thai"]),
        ("food area north,, hotel stars 4", ["north", "4"]),
        ("food kind thai, spicy, hot, hotel stars 4", ["thai, spicy, hot", "4"]),
        ("food kind thai food", ["thai food"]),
        ("food price 1,000", ["1,000"]),
        ("", []),
    ],
)
def test_commas_within_values_are_kept(text: str, values: list[str]) -> None:
    assert [slot.value for slot in parse_state(text, frozenset({"food", "hotel"}), "x")] == values


@pytest.mark.parametrize("text", ["food kind", "food", "food kind thai, food area", "food kind thai, food kind greek"])
def test_a_state_that_is_not_understood_is_an_error_with_file_and_dialogue(tmp_path: Path, text: str) -> None:
    with pytest.raises(ZooError, match=r'train.json, dialogue "Made--val--1", turn 1: "food'):
        read(tmp_path, "Made", entry("Hi", "Hello", **state(text)))


def test_intents_and_acts(tmp_path: Path) -> None:
    acts = {"act": ["inform(date=9th) ", "inform(x)", "thanks()"]}
    dialogue = read(
        tmp_path,
        "Made",
        entry("a", "b", intent="find_restaurant"),
        entry("c", "d", intent="NONE"),
        entry("e", "f", intent="greet, order"),
        entry("g", "h", acts, {"ActionLabel": "ask_name"}, intent="inform"),
    )
    user, system = dialogue.turns[::2], dialogue.turns[1::2]
    assert [turn.intent for turn in user] == ["find_restaurant", "", None, None]
    assert [turn.acts for turn in user] == [None, None, None, ("inform", "thanks")]
    assert [turn.acts for turn in system] == [None, None, None, ("ask_name",)]
    assert dialogue.remarks == (dialogstudio.SEVERAL_INTENTS,)


def test_summaries_topics_and_names_of_speakers(tmp_path: Path) -> None:
    log = entry("Hi", "Hello", {"speaker": "Ann"}, {"speaker": "Bo"})
    dialogue = read(tmp_path, "SAMSum", log, **{"original dialog info": {"summary": "They\nmeet.", "topic": "meeting"}})
    assert said(dialogue) == [("Ann", "Hi"), ("Bo", "Hello")]
    assert (dialogue.fields, dialogue.labels) == ({"summary": "They meet."}, {"topic": "meeting"})


def test_summaries_in_other_forms(tmp_path: Path) -> None:
    tweets = {"summaries": {"abstractive_summaries": [["She asks.", "He answers."], ["They talk."]]}}
    dialogue = read(tmp_path, "TweetSumm", entry("Hi", "Hello"), **{"original dialog info": tweets})
    assert dialogue.fields == {"summary": "She asks. He answers."}
    assert dialogue.remarks == (dialogstudio.SEVERAL_SUMMARIES,)
    meeting = {
        "dialog history": ["Grad C : So .", "PhD D : Right , so"],
        "general_query_list": [{"query": "Summarize all", "answer": "They agree."}],
    }
    dialogue = read(tmp_path, "QMSum", **{"original dialog info": json.dumps(meeting)})
    assert said(dialogue) == [("Grad C", "So ."), ("PhD D", "Right , so")]
    assert (dialogue.fields, dialogue.remarks) == ({"summary": "They agree."}, ())


def test_typed_acts_are_acts_and_plain_ones_of_the_system_are_not(tmp_path: Path) -> None:
    user, system = {"user_acts": [{"type": "INFORM"}]}, {"system_acts": [{"type": "REQUEST", "slot": "movie"}]}
    dialogue = read(tmp_path, "Made", entry("a", "b", user, system), entry("c", "d", {}, {"system_acts": ["food"]}))
    assert [turn.acts for turn in dialogue.turns] == [("INFORM",), ("REQUEST",), None, None]


def test_persona_is_that_of_the_side_which_answers(tmp_path: Path) -> None:
    info = {"bot_profile": ["i am a bot."], "user_profile": ["i like jazz.", "i sing."]}
    log = entry("Hi", "Hello", {"sender_class": "Bot"}, {"sender_class": "Human"})
    assert read(tmp_path, "ConvAI2", log, **{"original dialog info": info}).fields == {
        "persona": "i like jazz. i sing."
    }


@pytest.mark.parametrize(
    ("values", "turn", "fields"),
    [
        ({"external knowledge": "Oslo is a city."}, {}, {"document": "Oslo is a city."}),
        ({"external knowledge": "( a : b )", **SCHEMA}, {}, {"db": "( a : b )"}),
        ({"external knowledge": "()"}, {"external knowledge": ""}, {}),
        ({}, {"external knowledge": "Jazz is music."}, {"knowledge": "Jazz is music."}),
        ({}, {"external knowledge": "(( text : a ))", "external knowledge non-flat": [{"text": "a"}]}, {}),
    ],
)  # fmt: skip
def test_knowledge_has_the_field_of_its_kind(
    tmp_path: Path, values: dict[str, Any], turn: dict[str, Any], fields: dict[str, str]
) -> None:
    assert read(tmp_path, "Made", entry("Hi", "Hello", **turn), **values).fields == fields


def test_a_path_of_triples_is_a_graph(tmp_path: Path) -> None:
    side = {"metadata": {"metadata": {"path": [1.0, [["Oslo", "capital of", "Norway"]], "Oslo is ..."]}}}
    log = entry("Hi", "Hello", {}, json.dumps(side), **{"external knowledge": "Metadata: {...}"})
    assert read(tmp_path, "OpenDialKG", log).fields == {"graph": "(Oslo, capital of, Norway)"}


def test_emotion_and_deal_are_labels_of_the_dialogue(tmp_path: Path) -> None:
    emotion = {"original dialog info": {"context": "afraid", "selfeval": "5|5"}}
    dialogue = read(tmp_path, "Empathetic", entry("Well_comma_ no", "Oh"), **emotion)
    assert dialogue.labels == {"emotion": "afraid"} and dialogue.turns[0].text == "Well, no"
    deal = {"original dialog info": {"results": [{"text": "Submit-Deal"}, {"text": "Accept-Deal"}]}}
    assert read(tmp_path, "CaSiNo", entry("a", "b"), **deal).labels == {"deal": "yes"}


def test_sets_of_utterances_give_intents_tags_and_spans(tmp_path: Path) -> None:
    span = {"slot": "genre", "valueSpan": {"endIndex": 4}, "value": "jazz"}
    spans = {"user utterance": "jazz please", "original system side information": [span]}
    path = write(
        tmp_path,
        SNIPS={"log": [entry("play jazz", "PlayMusic")]},
        CLINC={"original dialog info": {"task": "Intent Detection. ..."}, "log": entry("how tall", "oos")},
        NER={"original dialog info": {"task": "BIO tag ..."}, "log": entry("play jazz", "O B-genre")},
        Slots={"original dialog info": {"task": "Slot Filling. ..."}, "log": spans},
        MTOP={"log": entry("call Ann", "[IN:CREATE_CALL [SL:CONTACT Ann ] ]")},
    )
    snips, clinc, ner, slots, mtop = (dialogue.turns[0] for dialogue in readers.read_file(path))
    assert (snips.intent, snips.slots, clinc.intent) == ("PlayMusic", None, "")
    assert (ner.intent, ner.slots) == (None, (Slot("genre", "jazz", 5, 9),))
    assert (mtop.intent, mtop.slots) == ("CREATE_CALL", None)
    assert slots.slots == (Slot("genre", "jazz", 0, 4),)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"log": []}, "a dialogue without turns"),
        ({"log": [entry("", "")]}, "a dialogue without turns"),
        ({"log": "x"}, 'list of objects under "log"'),
        ({"log": [{"user utterance": "Hi"}]}, 'turn 1: .*"system response"'),
        ({"log": [entry("Hi", "", "{")]}, "turn 1: found {; expected JSON"),
        ({"log": [entry("Hi", "", **{"dst accumulated": 1})]}, None),
    ],
)
def test_a_malformed_dialogue_is_an_error_with_its_key(tmp_path: Path, values: Any, message: str | None) -> None:
    path = write(tmp_path, Fine={"log": [entry("a", "b", **state("x y z"))]}, Made=values)
    with pytest.raises(ZooError, match=f'train.json, dialogue "Made--val--2".*{message or "dst accumulated"}'):
        list(readers.read_file(path))


def test_a_value_that_its_offsets_do_not_hold_is_an_error(tmp_path: Path) -> None:
    span = {"slot": "genre", "valueSpan": {"startIndex": 1, "endIndex": 5}, "value": "jazz"}
    log = {"user utterance": "jazz please", "original system side information": [span]}
    path = write(tmp_path, Slots={"original dialog info": {"task": "Slot Filling"}, "log": log})
    with pytest.raises(ZooError, match='"azz " from 1 to 5; expected "jazz"'):
        list(readers.read_file(path))


@pytest.mark.realdata
def test_the_examples_of_all_sets_are_read(realdata: Path) -> None:
    folder = realdata / "dialogue" / "dialogstudio_examples"
    by_set = {path.parent.name: list(readers.read_file(path)) for path in folder.glob("*/*/*.json")}
    assert {name: len(dialogues) for name, dialogues in by_set.items()} == dict.fromkeys(by_set, 5)
    assert len(by_set) == 20
    has = {
        kind: {
            name for name, dialogues in by_set.items() if any(kind in d.fields or kind in d.labels for d in dialogues)
        }
        for kind in ("summary", "persona", "document", "graph", "emotion", "deal")
    }
    assert has == {
        "summary": {"SAMSum", "DialogSum"},
        "persona": {"ConvAI2"},
        "document": {"CoQA"},
        "graph": {"OpenDialKG"},
        "emotion": {"Empathetic"},
        "deal": {"CaSiNo"},
    }
    states = {name for name, ds in by_set.items() if any(t.state is not None for d in ds for t in d.turns)}
    assert states == {"KVRET", "MS-DC", "WOZ2_0"}
