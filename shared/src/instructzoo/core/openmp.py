"""How OpenMP threads wait for one another.

By default GNU OpenMP waits by spinning, which holds a core that other work needs; waiting passively costs a third of
the speed on an idle machine. A short spin is as fast as the default when idle and nearly as fast as passive waiting
when other work runs beside (docs/performance.md).
"""

from __future__ import annotations

import os

SPIN_COUNT = "1000"
"""Iterations that a waiting thread spins before it sleeps."""

USER_CHOICES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Environment variables by which users choose how threads wait."""


def use_short_spin() -> None:
    """Let threads of this process and of its children spin for a short time only. Call it before torch is imported.

    A variable of USER_CHOICES that is set already is left as it is, and nothing else is set.
    """
    if not any(name in os.environ for name in USER_CHOICES):
        os.environ["GOMP_SPINCOUNT"] = SPIN_COUNT
