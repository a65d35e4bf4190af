"""What the page opens with and offers to click on: texts as the model knows them, made-up ones or everyday ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.ui.model_choice import ModelChoice


class Tracked(NamedTuple):
    """The labels that a chat is annotated with, as a person would write them."""

    intents: str
    slots: str
    acts: str


class TaskPreset(NamedTuple):
    """A question of one task type: its name on the page, the task type, the dialogue, its options, other texts."""

    name: str
    task: str
    dialogue: str
    labels: str = ""
    texts: tuple[str, ...] = ()


class Presets(NamedTuple):
    """The presets of the tabs.

    Attributes:
        tracked: Labels of the chat.
        chat: First messages of a chat; the page opens with the first one answered.
        tasks: Questions; the tab opens with the first one answered.
        intents: Own intents to try.
        messages: Messages with these intents, one a line.
    """

    tracked: Tracked
    chat: tuple[str, ...]
    tasks: tuple[TaskPreset, ...]
    intents: str
    messages: str


_FAN = "User: switch the fan on\nSystem: in which room?\nUser: in the attic, please"
MADE_UP = Presets(
    Tracked(
        "book restaurant, order taxi, get weather, play music, set alarm, turn on device, thanks",
        "food, city, people, time, day, genre, room, device",
        "request, confirm, offer, execute, book, welcome",
    ),
    (
        "switch the fan on in the attic",
        "play some soul in the kitchen",
        "how is the weather in quito on friday?",
        "we want a table for three in lagos",
    ),
    (
        TaskPreset("State", "belief_state_generation", _FAN, "room, device, city"),
        TaskPreset("Intent", "intent_classification", _FAN, "turn on device, turn off device, play music"),
        TaskPreset("Slots", "slot_filling", "User: how is the weather in quito on friday?", "city, day, room"),
        TaskPreset("Act", "act_classification", _FAN + "\nSystem: done.", "request, offer, execute, confirm"),
        TaskPreset("Response", "response_generation", _FAN),
        TaskPreset("Summary", "summarization", _FAN + "\nSystem: done."),
    ),
    "play music, set alarm, get weather, order taxi",
    "play some reggae\nwake me on monday at six\na cab from the zoo to the grand hotel, please",
)
"""Such as the microworld generates."""

_DINNER = (
    "User: I'm looking for a cheap place to eat in the north of town.\nSystem: What kind of food would you like?\n"
    "User: Something Italian, please."
)
_PARTY = (
    "User: Hi Sam, are you coming to the party on Saturday?\nSystem: I'd love to, but I have to work until ten.\n"
    "User: Come later then. I'll keep some cake for you.\nSystem: Great, see you around eleven!"
)
EVERYDAY = Presets(
    Tracked(
        "find a restaurant, book a table, play music, set an alarm, ask for the weather, say goodbye",
        "food, price range, area, people, time, date",
        "request, inform, offer, confirm, goodbye",
    ),
    (
        "I'm looking for a cheap Italian restaurant in the north",
        "Can you book a table for four people at half past seven?",
        "Wake me at six tomorrow",
        "Will it rain in Dublin on Sunday?",
    ),
    (
        TaskPreset("State", "belief_state_generation", _DINNER, "food, price range, area"),
        TaskPreset("Intent", "intent_classification", _DINNER, "find a restaurant, book a taxi, play music"),
        TaskPreset(
            "Slots", "slot_filling", "User: Book a table for six people at 8 pm on Friday", "people, time, date"
        ),
        TaskPreset("Emotion", "emotion_tagging", "User: I finally got the job!", "joy, anger, sadness, fear"),
        TaskPreset("Response", "response_generation", _DINNER),
        TaskPreset("Summary", "summarization", _PARTY),
    ),
    "renew a book, reserve a book, ask for opening hours, report a broken printer",
    "Can I keep the novel for two more weeks?\nWhen do you close on Saturdays?\nThe printer has jammed again",
)


def presets_of_model(models: ModelChoice, name: str) -> Presets:
    """The presets of the kind of text that a model knows: the microworld's where it was trained on nothing else.

    Args:
        models: The models of the page.
        name: One of them; where it cannot be opened, the presets of everyday texts are given.
    """
    try:
        recipe = models.get(name).recipe
    except ZooError:  # the answer that follows says why
        return EVERYDAY
    return MADE_UP if set(recipe.data.sources) == {"world"} else EVERYDAY


def refitted(
    texts: Sequence[str], wanted: Sequence[str], preset: Callable[[Presets], Sequence[str]]
) -> tuple[str, ...]:
    """The contents of boxes when another model is chosen: its presets in place of another preset, else what was typed.

    Args:
        texts: What the boxes hold.
        wanted: The presets of the chosen model for them.
        preset: The presets for these boxes among all.
    """
    known = {text for presets in (MADE_UP, EVERYDAY) for text in preset(presets)}
    return tuple(new if text in known else text for text, new in zip(texts, wanted, strict=True))
