"""Arithmetic with written-out steps, after Goat (arXiv:2305.14201)."""

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ShelfModel, TrainingData

domain = Domain(
    name="arithmetic",
    title="Arithmetic",
    summary="sums, differences, products and quotients of whole numbers, with the steps written out",
    paper="arXiv:2305.14201",
    columns=("answer", "operation", "digits"),
    models=(
        ShelfModel(
            name="tiny",
            kind="tiny",
            base="from scratch",
            knows=(
                "Knows sums and differences of up to 5 digits, products of up to 2 by 2 and quotients of up to 4 by 1, "
                "in English."
            ),
            data=(TrainingData("made-up problems", "Apache-2.0"),),
            licence="Apache-2.0",
        ),
        ShelfModel(
            name="goat-lora-7b",
            kind="published",
            base="llama-7b",
            knows=(
                "Goat's own adapter: sums and differences of up to 16 digits, products of up to 12, quotients of up to "
                "6, in English; untested here."
            ),
            data=(TrainingData("Goat's generated problems", "Apache-2.0"),),
            licence="MIT; its base LLaMA has its own",
            repository="tiedong/goat-lora-7b",
            source="https://huggingface.co/tiedong/goat-lora-7b/tree/main",
            stored="pickles",
            megabytes=269,
            adapter=True,
        ),
    ),
)

__all__ = ["domain"]
