"""zoo report: one self-contained HTML file of a run."""

from __future__ import annotations

from typing import Any

from instructzoo.core import runs


def report(run: str) -> dict[str, Any]:
    """Write report.html into the run directory. Returns {"report": path}."""
    from instructzoo.core.report import write_report

    return {"report": str(write_report(runs.find(run).folder))}
