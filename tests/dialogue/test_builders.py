"""Each task type's questions: they fire where the dialogue has what they need, and their answers are right."""

from __future__ import annotations

from random import Random

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.examples import BUILDERS, examples
from instructzoo.dialogue.data.field_format import split_turns
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.label_names import label_in_words
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Dialogue, Example, Slot, Turn
from instructzoo.dialogue.tasks import INSTRUCTDIAL, TASKS

WORDS = ("river", "market", "violin", "harbour", "lantern", "orchard", "saddle", "thunder", "velvet", "window")


def plain(number: int, turns: int = 6) -> Dialogue:
    """A dialogue without annotation; no two turns of the first hundred dialogues are alike."""
    return Dialogue(
        tuple(
            Turn(
                ("user", "system")[i % 2],
                f"{WORDS[(i + number) % 10]} number {number} and turn {i}, is it?",
            )
            for i in range(turns)
        )
    )


def annotated(number: int) -> Dialogue:
    """A dialogue with whatever a task type may need; labels alternate with the number."""
    odd = number % 2
    turns = (
        Turn(
            "user",
            f"Book a table for {number} in Oslo",
            intent=("BookTable", "play_music")[odd],
            acts=("inform",),
            slots=(Slot("party_size", str(number), 17, 17 + len(str(number))), Slot("city", "Oslo"))[: 1 + odd],
            state=(Slot("city", "oslo"),),
            labels={"emotion": ("joy", "anger")[odd], "nli": ("neutral", "entailment")[odd], "advice": "no"},
        ),
        Turn(
            "system",
            f"That makes {number} people, is it right?",
            acts=("confirm", "inform"),
            labels={
                "strategy": ("logic", "emotion appeal")[odd],
                "verdict": ("supports", "refutes")[odd],
                "toxic": ("no", "yes")[odd],
                "advice": "yes",
                "repair": ("recovery", "feedback")[odd],
                "rating fluency": str(1 + number % 5),
            },
        ),
        Turn("user", f"Yes, all {number} of us. Is it far?"),
        Turn("system", f"Done, {number} seats."),
    )
    fields = ("persona", "document", "knowledge", "evidence", "graph", "schema", "db", "summary")
    texts = {name: f"The {name} of dialogue {number}." for name in fields}
    labels = {"deal": ("yes", "no")[odd], "relation": ("per:friend", "per:boss")[odd], "first": "Ann", "second": "Bo"}
    return Dialogue(turns, texts, labels)


TASK_TYPES = sorted(set(BUILDERS) - {"utterance_generation"})  # it asks for a data set's utterances, not about one
DIALOGUES = [annotated(number) for number in range(40)]
INVENTORY = Inventory.of(DIALOGUES, "made up")


def questions(task: str, dialogues: list[Dialogue] = DIALOGUES, inventory: Inventory = INVENTORY) -> list[Example]:
    return [
        example
        for number, dialogue in enumerate(dialogues)
        for example in examples(dialogue, task, inventory, Random(number))
    ]


def test_every_task_type_of_instructdial_has_a_builder() -> None:
    assert {*INSTRUCTDIAL, "slot_filling"} == {*TASK_TYPES}


@pytest.mark.parametrize("task", TASK_TYPES)
def test_questions_of_each_task_type_become_rows_whose_answer_parses_and_is_permitted(task: str) -> None:
    made = questions(task)
    assert len(made) >= 20
    for example in made:
        row = make_row(example, "made up", "made up", "Apache-2.0")
        target = prompts.render(row)[-1].text
        assert not isinstance(prompts.parse(target, row), Invalid)
        grammar = prompts.constraint(row)
        assert grammar is None or permits(grammar, target)
        assert example.item


@pytest.mark.parametrize("task", TASK_TYPES)
def test_a_dialogue_without_annotation_feeds_only_task_types_that_need_none(task: str) -> None:
    dialogues = [plain(number) for number in range(30)]
    made = questions(task, dialogues, Inventory.of(dialogues, "plain"))
    needs_none = (
        "response_generation", "response_generation_with_n_words", "beginswith_controlled_generation",
        "endswith_controlled_generation", "keyword_controlled_generation", "target_controlled_generation",
        "edit_generation", "count_response_words", "eval_binary", "eval_ranking", "find_missing_utterance",
        "find_incoherent_utterance", "find_swapped_utterance", "fill_missing_utterance", "answer_generation",
        "answer_selection", "question_generation",
    )  # fmt: skip
    assert bool(made) == (task in needs_none)


@pytest.mark.parametrize("task", [task for task in TASK_TYPES if TASKS[task].options == "yes/no"])
def test_yes_and_no_are_both_right_at_times(task: str) -> None:
    assert {example.output for example in questions(task)} == {"yes", "no"}


@pytest.mark.parametrize("task", TASK_TYPES)
def test_no_builder_fails_on_a_single_turn_or_a_dialogue_without_words(task: str) -> None:
    for turns in ((Turn("user", "Hi"),), (Turn("user", ""), Turn("system", "")), (Turn("Ann", "Hi"), Turn("Bo", "Oh"))):
        dialogue = Dialogue(turns)
        list(examples(dialogue, task, Inventory.of([dialogue], "short"), Random(0)))


def test_a_value_is_asked_for_in_half_of_the_questions_and_copied_from_the_turn() -> None:
    made = questions("slot_value_generation")
    assert {example.output for example in made if example.names["slot"] == "city"} == {"Oslo", "not present"}
    assert {example.output for example in made if example.names["slot"] == "party size"} > {"7", "8"}


def test_a_turn_that_was_taken_out_is_missing_before_the_index() -> None:
    dialogue = plain(3, turns=8)
    texts = [turn.text for turn in dialogue.turns]
    for seed in range(30):
        (example,) = examples(dialogue, "find_missing_utterance", INVENTORY, Random(seed))
        shown = [turn.split(": ", 1)[1] for turn in split_turns(dict(example.fields)["CONTEXT"])]
        if example.output == "all correct":
            assert shown == texts
        else:
            index = int(example.output)
            assert [*shown[:index], texts[index], *shown[index:]] == texts


def test_turns_that_were_exchanged_are_named_with_the_smaller_index_first() -> None:
    dialogue = plain(4)
    texts = [turn.text for turn in dialogue.turns]
    for seed in range(30):
        (example,) = examples(dialogue, "find_swapped_utterance", INVENTORY, Random(seed))
        first, second = map(int, example.output.split(" and "))
        shown = [turn.split(": ", 1)[1] for turn in split_turns(dict(example.fields)["CONTEXT"])]
        shown[first], shown[second] = shown[second], shown[first]
        assert first < second and shown == texts


def test_a_response_fulfils_the_condition_that_it_is_asked_with() -> None:
    for example in questions("beginswith_controlled_generation"):
        assert example.output.startswith(dict(example.fields)["INITIAL PHRASE"])
    for example in questions("endswith_controlled_generation"):
        assert example.output.endswith(dict(example.fields)["FINAL PHRASE"])
    for example in questions("keyword_controlled_generation"):
        assert all(word in example.output for word in dict(example.fields)["KEYWORDS"].split(", "))
    for example in questions("response_generation_with_n_words"):
        assert len(example.output.split()) == int(example.names["count"])
    for example in questions("edit_generation"):
        assert dict(example.fields)["RESPONSE"] != example.output


def test_a_good_response_is_rated_above_the_middle_of_its_scale() -> None:
    by_rating = {
        dialogue.turns[1].labels["rating fluency"]: [
            e.output for e in examples(dialogue, "eval_binary", INVENTORY, Random(0))
        ]
        for dialogue in DIALOGUES
    }
    assert by_rating == {"1": ["no"], "2": ["no"], "3": [], "4": ["yes"], "5": ["yes"]}


def test_a_rating_that_is_no_number_and_a_deal_that_is_neither_yes_nor_no_are_errors() -> None:
    rated = Dialogue((Turn("user", "Hi"), Turn("system", "Yo", labels={"rating wit": "high"})), where="a.jsonl:3")
    low = Dialogue((Turn("user", "Hi"), Turn("system", "Yo", labels={"rating wit": "low"})), where="a.jsonl:4")
    with pytest.raises(ZooError, match=r"a\.jsonl:3"):
        list(examples(rated, "eval_rating", Inventory.of([rated, low], "own"), Random(0)))
    deal = Dialogue((Turn("user", "Hi"),), labels={"deal": "perhaps"}, where="a.jsonl:5")
    with pytest.raises(ZooError, match=r"a\.jsonl:5"):
        list(examples(deal, "deal_present", Inventory.of([deal], "own"), Random(0)))


def test_candidates_hold_the_right_answer_once() -> None:
    for task in ("answer_selection", "eval_ranking"):
        for example in questions(task):
            assert example.options.count(example.output) == 1 and len(example.options) == 4


def test_ten_thousand_turns_make_questions_of_bounded_length() -> None:
    long = Dialogue(tuple(Turn(("user", "system")[i % 2], f"turn {i}", state=()) for i in range(10_000)))
    inventory = Inventory.of([long, *DIALOGUES], "long")
    made = questions("belief_state_generation", [long], inventory) + questions(
        "find_swapped_utterance", [long], inventory
    )
    assert len(made) == 10_001
    assert max(len(text) for example in made for _, text in example.fields) < 5_000


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("AddToPlaylist", "add to playlist"),
        ("play_music", "play music"),
        ("fromloc.city_name", "from city name"),
        ("flight#airfare", "flight and airfare"),
        ("timeRange", "time range"),
        ("TV", "tv"),
        ("Ärger", "ärger"),
        ("???", "???"),
    ],
)
def test_labels_become_lower_case_words(label: str, words: str) -> None:
    assert label_in_words(label) == words
