"""Questions that rest on a text beside the dialogue: persona, knowledge, document, graph, schema, database; summaries.

fields={"document": "Oslo is the capital of Norway."}       What is Oslo? / The capital of Norway
answer_generation     [DOCUMENT] Oslo is the ... [CONTEXT] What is Oslo?      -> The capital of Norway
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from instructzoo.dialogue.data.builders.base import candidates, context, one_response, responses
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.prompts.answer_format import format_slots
from instructzoo.dialogue.schema import Dialogue, Example


def persona_grounded_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by somebody with the dialogue's persona."""
    return _grounded("persona_grounded_generation", "persona", "PERSONA", dialogue, rng)


def knowledge_grounded_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by the dialogue's knowledge."""
    return _grounded("knowledge_grounded_generation", "knowledge", "DOCUMENT", dialogue, rng)


def document_grounded_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by the dialogue's document."""
    return _grounded("document_grounded_generation", "document", "DOCUMENT", dialogue, rng)


def graph_based_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by the dialogue's graph."""
    return _grounded("graph_based_generation", "graph", "GRAPH", dialogue, rng)


def schema_based_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by the dialogue's schema."""
    return _grounded("schema_based_generation", "schema", "SCHEMA", dialogue, rng)


def db_based_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, by what a database gives, the state before it and its acts, as far as they are annotated."""
    if not (found := dialogue.fields.get("db")):
        return
    for index, turn in one_response(dialogue, rng):
        state = dialogue.turns[index - 1].state if index else None
        acts = ", ".join(inventory.word("act", act) for act in turn.acts or ())
        fields = [("DB", found)]
        fields += [("STATE", format_slots(inventory.slots("state", state)))] if state else []
        fields += [("ACT", acts)] if acts else []
        yield Example("db_based_generation", (*fields, ("CONTEXT", context(dialogue, index))), turn.text)


def answer_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The answer to a question of the dialogue, which is drawn."""
    for index in _one_answer(dialogue, rng):
        yield Example("answer_generation", _with_document(dialogue, index), dialogue.turns[index].text)


def answer_selection(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Which of several answers is the one to a question of the dialogue, which is drawn."""
    for index in _one_answer(dialogue, rng):
        if options := candidates(dialogue, index, inventory, rng):
            answer = " ".join(dialogue.turns[index].text.split())
            fields = _with_document(dialogue, index)
            yield Example("answer_selection", fields, answer, options, option_labels="letters")


def question_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A question of the dialogue, which is drawn, from what stands before it."""
    first = 0 if dialogue.fields.get("document") else 1
    places = [i for i, turn in enumerate(dialogue.turns) if i >= first and turn.text.rstrip().endswith("?")]
    if places:
        index = rng.choice(places)
        yield Example("question_generation", _with_document(dialogue, index), dialogue.turns[index].text)


def summarization(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The summary of a dialogue that has one."""
    if summary := dialogue.fields.get("summary"):
        yield Example("summarization", (("CONTEXT", context(dialogue, len(dialogue.turns))),), summary)


def _grounded(task: str, field: str, token: str, dialogue: Dialogue, rng: Random) -> Iterator[Example]:
    if text := dialogue.fields.get(field):
        for index, turn in one_response(dialogue, rng):
            yield Example(task, ((token, text), ("CONTEXT", context(dialogue, index))), turn.text)


def _with_document(dialogue: Dialogue, index: int) -> tuple[tuple[str, str], ...]:
    document = dialogue.fields.get("document", "")
    return ((("DOCUMENT", document),) if document else ()) + (("CONTEXT", context(dialogue, index)),)


def _one_answer(dialogue: Dialogue, rng: Random) -> list[int]:
    """One of the turns that answer a question, drawn; none where there is none."""
    turns = dialogue.turns
    places = [index for index, _ in responses(dialogue) if turns[index - 1].text.rstrip().endswith("?")]
    return [rng.choice(places)] if places else []
