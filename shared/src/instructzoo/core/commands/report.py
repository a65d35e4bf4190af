"""zoo report: the HTML report of a run, one self-contained file."""

from __future__ import annotations

from typing import Any

from instructzoo.core import runs


def report(run: str) -> dict[str, Any]:
    """Write report.html into a run directory.

    Args:
        run: The run directory.

    Returns:
        {"report": the path of the file, "damaged": for each file of the run that could not be read the reason}.

    Raises:
        ZooError: The directory holds no run.
    """
    from instructzoo.core.report import write_report

    report = write_report(runs.find(run).folder)
    return {"report": str(report.path), "damaged": report.damaged}
