"""Dialogue by instruction: intents, slots, states, acts and responses, after InstructDial (arXiv:2205.12673)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ONLY_MADE_UP, ShelfModel, TrainingData

domain = Domain(
    name="dialogue",
    title="Dialogue",
    summary="intents, slots, dialogue states, acts, responses and more, by the options that you name",
    paper="arXiv:2205.12673",
    columns=("task", "options", "values", "references", "names", "option_labels", "dataset"),
    constrained=True,
    choices=True,
    input_keys=("turns",),
    models=(
        ShelfModel(
            name="tiny",
            kind="tiny",
            base="from scratch",
            knows=f"{ONLY_MADE_UP}, dialogues on bookings, weather, music and smart homes that a program writes.",
            data=(TrainingData("made-up dialogues", "Apache-2.0"),),
            licence="Apache-2.0",
        ),
    ),
)

__all__ = ["domain"]
