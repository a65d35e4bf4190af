"""Arithmetic with written-out steps, after Goat (arXiv:2305.14201)."""

from instructzoo.core.domain import Domain

domain = Domain(
    name="arithmetic",
    title="Arithmetic",
    summary="sums, differences, products and quotients of whole numbers, with the steps written out",
    paper="arXiv:2305.14201",
    columns=("answer", "operation", "digits"),
)

__all__ = ["domain"]
