"""Accelerators by name: their memory and their peak rates, as their vendors publish them.

Rates are of dense matrix products (without sparsity) with sums in float32. Float32 is not TF32, which torch leaves off.
NVIDIA's data sheets of A100, A10, L4, L40S, T4, V100, H100 and H200 (SXM); the white papers of GA102 (RTX 3090) and Ada
(RTX 4090), appendix A.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructzoo.core.errors import ZooError, suggest


@dataclass(frozen=True)
class Card:
    """An accelerator.

    Args:
        gigabytes: Memory in 10**9 bytes. Of some cards a little more is usable, of those with error correction less.
        float32: Peak in TFLOP/s without tensor cores.
        half: Peak in TFLOP/s of float16.
        bfloat16: Whether bfloat16 products are native, at the same peak.
    """

    gigabytes: int
    float32: float
    half: float
    bfloat16: bool = True


CARDS: dict[str, Card] = {
    "a10": Card(24, 31.2, 125),
    "a100-40": Card(40, 19.5, 312),
    "a100-80": Card(80, 19.5, 312),
    "h100": Card(80, 67, 989),
    "h200": Card(141, 67, 989),
    "l4": Card(24, 30.3, 121),
    "l40s": Card(48, 91.6, 362),
    "rtx3090": Card(24, 35.6, 71),
    "rtx4090": Card(24, 82.6, 165.2),
    "t4": Card(16, 8.1, 65, bfloat16=False),
    "v100-16": Card(16, 15.7, 125, bfloat16=False),
    "v100-32": Card(32, 15.7, 125, bfloat16=False),
}


def parse(text: str) -> tuple[str, Card, int]:
    """Read CARD or CARDxN.

    Args:
        text: Such as "h100" or "h100x8".

    Returns:
        The card's name, the card, and the number of cards.

    Raises:
        ZooError: There is no such card, or the number is no number from 1.

    Example:
        >>> parse("h100x8")[0], parse("h100x8")[2], parse("l4")[2]
        ('h100', 8, 1)
    """
    wanted = text.strip().lower()
    match = re.fullmatch(rf"(?P<name>{'|'.join(CARDS)})(?:x(?P<count>[1-9]\d{{0,4}}))?", wanted)
    if match is None:
        known = f"CARD or CARDxN, of {', '.join(CARDS)}"
        raise ZooError(f'no card "{text}"', suggest(wanted.partition("x")[0] or wanted, CARDS), known, "--on")
    return match["name"], CARDS[match["name"]], int(match["count"] or 1)
