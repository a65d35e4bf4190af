"""zoo report: the HTML report of a run, one self-contained file."""

from __future__ import annotations

from typing import Any

from instructzoo.core import runs


def report(run: str) -> dict[str, Any]:
    """Write report.html into a run directory.

    Args:
        run: The run directory.

    Returns:
        {"report": the path of the file}.

    Raises:
        ZooError: The directory holds no run.
    """
    from instructzoo.core.report import write_report

    return {"report": str(write_report(runs.find(run).folder))}
