"""The microworld: every annotation agrees with the words, and no message of a held-out dialogue is in training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.dialogue import world
from instructzoo.dialogue.schema import Dialogue, Turn
from instructzoo.dialogue.world.goals import GOALS, QUESTIONS, REPLIES
from instructzoo.dialogue.world.vocabulary import ANY, VALUES

GOAL_BY_INTENT = {goal.intent: goal for goal in GOALS}


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    return list(world.dialogues(400, 3, "train"))


def users(dialogue: Dialogue) -> list[Turn]:
    return [turn for turn in dialogue.turns if turn.role == "user"]


def states(dialogue: Dialogue) -> list[dict[str, str]]:
    """The state after each turn; a turn of the system leaves it as it was."""
    states: list[dict[str, str]] = []
    for turn in dialogue.turns:
        assert (turn.state is None) == (turn.role == "system")
        states.append(states[-1] if turn.state is None else {slot.name: slot.value for slot in turn.state})
    return states


def exchanges(dialogue: Dialogue) -> Iterator[tuple[Turn, Turn, dict[str, str]]]:
    """Each turn with the one before it, and the state before it."""
    return zip(dialogue.turns, dialogue.turns[1:], states(dialogue), strict=False)


def test_the_offsets_of_slots_hold_their_values(dialogues: list[Dialogue]) -> None:
    slots = [(turn.text, slot) for dialogue in dialogues for turn in dialogue.turns for slot in turn.slots or ()]
    assert len(slots) > 1000
    for text, slot in slots:
        assert text[slot.start : slot.end] == slot.value, (text, slot)
        assert slot.value.lower() in {value.lower() for value in VALUES[slot.name]}, (text, slot)


def test_the_state_is_what_the_user_said_last(dialogues: list[Dialogue]) -> None:
    for dialogue in dialogues:
        said: dict[str, str] = {}
        for turn, state in zip(dialogue.turns, states(dialogue), strict=True):
            if turn.role == "user":
                said |= {slot.name: slot.value for slot in turn.slots or ()}
            assert {name: value for name, value in state.items() if value != ANY} == said, dialogue


def test_a_slot_without_a_preference_was_asked_for_and_may_have_none(dialogues: list[Dialogue]) -> None:
    settled = Counter[str]()
    for dialogue in dialogues:
        for before, turn, known in exchanges(dialogue):
            for slot in turn.state or ():
                if slot.value == ANY and known.get(slot.name) != ANY:
                    assert before.acts == ("request",) and turn.role == "user" and turn.slots == ()
                    assert slot.name in GOAL_BY_INTENT[turn.intent or ""].any_value
                    settled[slot.name] += 1
    assert set(settled) == {"food", "genre"}


def test_speakers_take_turns_and_the_user_begins(dialogues: list[Dialogue]) -> None:
    for dialogue in dialogues:
        assert [turn.role for turn in dialogue.turns] == ["user", "system"] * (len(dialogue.turns) // 2)
        assert 2 <= len(dialogue.turns) <= 8


def test_the_system_acts_once_all_required_slots_are_known(dialogues: list[Dialogue]) -> None:
    done = 0
    for dialogue in dialogues:
        intent = ""
        for before, turn, known in exchanges(dialogue):
            intent = before.intent if before.intent in GOAL_BY_INTENT else intent
            if turn.acts in (("book",), ("execute",), ("confirm",), ("offer",)):
                assert set(GOAL_BY_INTENT[intent].required) <= set(known), dialogue
                done += 1
            if turn.acts == ("request",):
                assert not set(GOAL_BY_INTENT[intent].required) <= set(known), dialogue
    assert done > 200


def test_acts_follow_each_other_as_the_conversation_demands(dialogues: list[Dialogue]) -> None:
    follows: dict[str, set[str]] = {}
    for dialogue in dialogues:
        for before, turn, _ in exchanges(dialogue):
            follows.setdefault((before.acts or ("",))[0], set()).add((turn.acts or ("",))[0])
    assert follows["request"] == {"inform"}
    assert follows["confirm"] == {"affirm", "correct", "negate"}
    assert follows["offer"] == {"affirm", "negate"}
    assert follows["no offer"] == {"inform", "negate"}
    assert follows["negate"] == {"cancel"}
    assert follows["thank"] == {"welcome"} and follows["bye"] == {"bye"}


def test_a_correction_changes_one_slot_to_another_value(dialogues: list[Dialogue]) -> None:
    corrections = 0
    for dialogue in dialogues:
        for _, turn, old in exchanges(dialogue):
            if turn.acts == ("correct",):
                (slot,) = turn.slots or ()
                assert old[slot.name] != slot.value
                corrections += 1
    assert corrections > 20


def test_every_intent_act_emotion_and_out_of_scope_message_occurs(dialogues: list[Dialogue]) -> None:
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    assert {turn.intent for turn in turns if turn.role == "user"} == {*world.INTENTS, ""}
    assert all(turn.intent is None for turn in turns if turn.role == "system")
    assert {turn.labels["emotion"] for turn in turns if turn.role == "user"} == {
        "neutral", "joy", "anger", "sadness", "fear",
    }  # fmt: skip
    assert {turn.labels["toxic"] for turn in turns if turn.role == "user"} == {"yes", "no"}
    assert {dialogue.labels.get("deal", "") for dialogue in dialogues} == {"yes", "no", ""}


def test_a_deal_is_made_exactly_where_a_booking_was_not_given_up(dialogues: list[Dialogue]) -> None:
    bookings = ("book restaurant", "order taxi")
    for dialogue in dialogues:
        assert ("deal" in dialogue.labels) == any(turn.intent in bookings for turn in dialogue.turns)
        given_up = any(turn.acts == ("cancel",) and user.intent in bookings for user, turn, _ in exchanges(dialogue))
        assert (dialogue.labels.get("deal") == "no") == given_up, dialogue


def test_the_summary_names_the_final_values(dialogues: list[Dialogue]) -> None:
    for dialogue in dialogues:
        for intent in {turn.intent for turn in users(dialogue)} & set(GOAL_BY_INTENT):
            for slot in GOAL_BY_INTENT[intent].required:
                assert states(dialogue)[-1][slot] in dialogue.fields["summary"], dialogue


def test_no_message_of_a_held_out_user_is_in_another_split() -> None:
    said = {
        split: {turn.text.lower() for dialogue in world.dialogues(300, 1, split) for turn in users(dialogue)}
        for split in SPLITS
    }
    assert not said["train"] & said["test"]
    assert not said["train"] & said["validation"]
    assert not said["validation"] & said["test"]


def test_held_out_dialogues_use_every_intent_and_slot() -> None:
    test = list(world.dialogues(300, 2, "test"))
    assert {turn.intent for dialogue in test for turn in users(dialogue)} == {*world.INTENTS, ""}
    assert {slot for dialogue in test for slot in states(dialogue)[-1]} == set(world.SLOTS)


def test_equal_seeds_give_equal_dialogues_and_others_other_ones() -> None:
    first = list(world.dialogues(20, 5, "train"))
    assert first == list(world.dialogues(20, 5, "train"))
    assert first[:10] == list(world.dialogues(10, 5, "train"))
    assert first != list(world.dialogues(20, 6, "train"))


def test_the_first_rows_are_the_same_for_any_number_of_rows() -> None:
    for split in SPLITS:
        assert list(world.generate(30, 4, split))[:10] == list(world.generate(10, 4, split))


def test_each_held_out_dialogue_is_asked_one_question() -> None:
    items = [row["item"] for row in world.generate(200, 0, "test")]
    assert len(set(items)) == len(items)


def test_every_slot_can_be_asked_for_and_given() -> None:
    required = {slot for goal in GOALS for slot in goal.required}
    assert required == set(QUESTIONS) == set(REPLIES)
    for goal in GOALS:
        assert set(goal.phrases) == set(goal.slots)
        assert set(goal.slots) <= set(VALUES)


def test_an_unknown_task_type_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ZooError, match="intent_classification"):
        world.generate(1, 0, "train", world.Settings(tasks={"intent_clasification": 1}))


def test_task_types_without_weight_are_an_error() -> None:
    with pytest.raises(ZooError, match="no task has a weight"):
        world.generate(1, 0, "train", world.Settings(tasks={"intent_classification": 0}))


def test_meta_tasks_alone_are_an_error() -> None:
    with pytest.raises(ZooError, match="meta-task alone"):
        world.generate(1, 0, "train", world.Settings(tasks={"instruction_binary": 1}))


def test_every_task_type_of_the_microworld_is_asked_in_every_split() -> None:
    assert len(world.TASKS) >= 20
    for split in SPLITS:
        waiting = set(world.TASKS)
        for row in world.generate(2500, 0, split):
            waiting.discard(row["task"])
            if not waiting:
                break
        assert not waiting, split


def test_training_questions_offer_some_options_and_held_out_ones_all() -> None:
    for split, fewest in (("train", 3), ("test", len(world.INTENTS) + 1)):
        rows = world.generate(60, 0, split, world.Settings(tasks={"intent_classification": 1}))
        numbers = {len(json.loads(row["options"])) for row in rows}
        assert min(numbers) == fewest
        assert max(numbers) == len(world.INTENTS) + 1
