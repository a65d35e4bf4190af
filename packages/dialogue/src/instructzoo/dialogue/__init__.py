"""Dialogue by instruction: intents, slots, states, acts and responses, after InstructDial (arXiv:2205.12673)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ONLY_MADE_UP, ShelfModel, TrainingData

_INSTRUCTDIAL = TrainingData(
    "the data sets of InstructDial", "various, some not for commercial use", research_only=True
)

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
        ShelfModel(
            name="dial-bart0",
            kind="published",
            base="yuchenlin/BART0pp",
            knows="InstructDial's own 406M weights: all of its task types, in English; untested here.",
            data=(_INSTRUCTDIAL,),
            licence="Apache-2.0",
            repository="prakharz/DIAL-BART0",
            dialect="instructdial",
            source="https://huggingface.co/prakharz/DIAL-BART0/discussions",
            revision="c0009d7d7a2a3474f905bb4fdb41e057b7db17d8",  # main has pickles; this is the hub's own conversion
            stored="safetensors",
        ),
        ShelfModel(
            name="dial-t0",
            kind="published",
            base="bigscience/T0_3B",
            knows="InstructDial's own 3B weights: all of its task types, in English; untested here.",
            data=(_INSTRUCTDIAL,),
            licence="Apache-2.0",
            repository="prakharz/DIAL-T0",
            dialect="instructdial",
            source="https://huggingface.co/prakharz/DIAL-T0/commits/refs%2Fpr%2F1/model.safetensors",
            revision="dccd988c8c1e7526b7c9951e20ed96480bc9e660",  # as above
            stored="safetensors",
            megabytes=5700,
        ),
        ShelfModel(
            name="dial-flant5-xl",
            kind="published",
            base="google/flan-t5-xl",
            knows="InstructDial's own 3B weights: all of its task types, in English; untested here.",
            data=(_INSTRUCTDIAL,),
            licence="Apache-2.0",
            repository="prakharz/DIAL-FLANT5-XL",
            dialect="instructdial",
            source="https://huggingface.co/prakharz/DIAL-FLANT5-XL/tree/dd59e1a42224b506d3c2627925f234fa0faf28d5",
            revision="dd59e1a42224b506d3c2627925f234fa0faf28d5",  # as above
            stored="safetensors",
            megabytes=5700,
        ),
    ),
)

__all__ = ["domain"]
