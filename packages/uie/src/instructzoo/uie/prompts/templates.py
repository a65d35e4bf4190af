"""The wordings of the instruction of each task, written for this package; one is drawn for each row by seed."""

from __future__ import annotations

INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "ner": (
        "Find the entities of these types.",
        "Mark every name in the text and say its type.",
        "Which entities does the text name?",
        "Pick out all mentions that fit one of the types.",
        "List each entity after its type.",
    ),
    "re": (
        "Find the relations between entities.",
        "Which of these relations does the text state?",
        "List each relation with its head and its tail.",
        "Say who or what is related, and how.",
    ),
    "ee": (
        "Find the events with their arguments.",
        "What happens in the text? Give each event, its trigger and who takes part.",
        "List every event with its trigger word and its roles.",
    ),
    "es": (
        "Find the entities, without their types.",
        "Which words of the text name something of these types?",
        "Copy every span that fits one of the types.",
    ),
    "et": (
        "Give each of the entities its type.",
        "Which type has each entity below?",
        "Sort the given entities into the types.",
    ),
    "ep": (
        "Find the pairs that are related.",
        "Which two entities stand in one of these relations?",
        "List head and tail of every relation, without its name.",
    ),
    "epr": (
        "Name the relation of each pair.",
        "How are the given pairs related?",
        "Say which relation holds between the two of every pair.",
    ),
    "eet": (
        "Find the event triggers.",
        "Which words tell that an event happens, and which event?",
        "List each event type with its trigger word.",
    ),
    "eea": (
        "Find the arguments of the event.",
        "Who and what takes part in the event, and in which role?",
        "List each role of the event with the span that fills it.",
    ),
}
