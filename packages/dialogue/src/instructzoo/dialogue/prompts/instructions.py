"""The wordings of each task type's instruction, written for this package; one is drawn for each row by its seed."""

from __future__ import annotations

INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "intent_classification": (
        "What does the speaker want? Choose the intent of the message.",
        "Choose the intent that the last message expresses.",
        "Which of the intents fits the message?",
    ),
    "act_classification": (
        "Choose the dialogue act of the response.",
        "What does the response do in the conversation? Choose its act.",
        "Which act does the speaker perform with the response?",
    ),
    "slot_filling": (
        "Find the values of these slots in the message.",
        "Which of the slots does the message fill, and with which words?",
        "Copy the words of the message that fill one of the slots.",
    ),
    "belief_state_generation": (
        "What does the user want by now? Give each slot its value.",
        "Track the conversation: list the slots that are settled, with their values.",
        "Write the dialogue state after the last turn.",
    ),
    "response_generation": (
        "Continue the conversation with one response.",
        "What could be said next?",
        "Write the next turn of the conversation.",
    ),
    "summarization": (
        "Sum up the conversation in a few sentences.",
        "What was this conversation about?",
        "Write a short summary of the dialogue.",
    ),
    "utterance_generation": (
        "Write another utterance of this intent, and mark its slots with their numbers.",
        "What else could a user say with this intent? Put each slot into brackets with its number.",
        "Continue the examples with one new utterance in the same form.",
    ),
}
