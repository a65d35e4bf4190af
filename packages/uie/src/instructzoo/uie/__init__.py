"""Unified information extraction by instruction, after InstructUIE (arXiv:2304.08085)."""

from instructzoo.core.domain import Domain

domain = Domain(
    name="uie",
    title="Information extraction",
    summary="entities, relations and events from a text, by the labels that you name",
    paper="arXiv:2304.08085",
    columns=("task", "options", "given", "gold", "dataset"),
    constrained=True,
)

__all__ = ["domain"]
