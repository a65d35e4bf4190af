"""Aspect-based sentiment analysis by instruction, after Varia et al. (arXiv:2210.06629)."""

from instructzoo.core.domain import Domain

domain = Domain(
    name="absa",
    title="Aspects and sentiment",
    summary="aspects, categories, opinion terms and sentiments in reviews",
    paper="arXiv:2210.06629",
    columns=("task", "domain", "gold"),
    constrained=True,
    labels=("categories", "domains"),
)

__all__ = ["domain"]
