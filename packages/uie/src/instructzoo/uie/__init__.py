"""Unified information extraction by instruction, after InstructUIE (arXiv:2304.08085)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ONLY_MADE_UP, ShelfModel, TrainingData

domain = Domain(
    name="uie",
    title="Information extraction",
    summary="entities, relations and events from a text, by the labels that you name",
    paper="arXiv:2304.08085",
    columns=("task", "options", "given", "gold", "dataset"),
    constrained=True,
    models=(
        ShelfModel(
            name="tiny",
            kind="tiny",
            base="from scratch",
            knows=f"{ONLY_MADE_UP}, news sentences that a program writes: on real texts it is mostly wrong.",
            data=(TrainingData("made-up news", "Apache-2.0"),),
            licence="Apache-2.0",
        ),
        ShelfModel(
            name="small",
            kind="small",
            base="smollm2-135m",
            knows="Learned from real English texts to find entities and relations that you name; events of drugs only.",
            data=(
                TrainingData("CrossNER", "MIT"),
                TrainingData("WNUT17", "CC-BY-4.0"),
                TrainingData("NCBI disease", "CC-BY-4.0"),
                TrainingData("CoNLL04", "no licence file", research_only=True),
                TrainingData("SemEval-2010 task 8", "CC-BY-3.0"),
                TrainingData("PHEE", "MIT"),
                TrainingData("short sentences of this package", "Apache-2.0"),
            ),
            licence="research only, as its data",
        ),
        ShelfModel(
            name="instructuie",
            kind="published",
            base="google/flan-t5-xxl",
            knows=(
                "InstructUIE's own 11B weights: entities, relations and events, of labels that you choose, in English; "
                "untested here."
            ),
            data=(TrainingData("IE INSTRUCTIONS, 32 data sets", "various, not stated together"),),
            licence="not confirmed; its code is MIT",
            repository="ZWK/InstructUIE",
            dialect="instructuie",
            source="https://github.com/BeyonderXX/InstructUIE#released-checkpoints",
        ),
    ),
)

__all__ = ["domain"]
