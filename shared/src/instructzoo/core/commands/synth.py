"""zoo synth: a domain's data written by a teacher, journalled, so that a killed call pays for nothing twice."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core import domain as domains
from instructzoo.core import settings
from instructzoo.core.errors import ZooError

if TYPE_CHECKING:
    from instructzoo.core.synth import Teacher


def synth(
    domain_name: str, output: str, teacher: str | Teacher, overrides: Sequence[str] = (), quiet: bool = False
) -> dict[str, Any]:
    """Run the domain's synth.build in the folder `output`, which may hold what an earlier call has done.

    teacher: a spec that synth.teacher.open knows, or an object that answers prompts. overrides: settings of the
    domain's synth.Settings, such as captions=mine.txt or teacher.temperature=0.2.
    Returns {"folder", "teacher": its identity, "kept": counts, "rejected": counts by reason, "asked": prompts that the
    teacher answered now, "found": those that the journal did, "notes"}.
    """
    from instructzoo.core.synth import teacher as teachers

    domain = domains.get(domain_name)
    if importlib.util.find_spec(f"{domain.package}.synth") is None:
        able = [name for name in domains.discover() if importlib.util.find_spec(f"instructzoo.{name}.synth")]
        raise ZooError(f"{domain_name} writes no data with a teacher", f"one of: {', '.join(able) or 'none'}")
    pipeline = domain.module("synth")
    values: dict[str, Any] = {}
    for override in overrides:
        settings.put(values, override)
    asked = settings.validate(pipeline.Settings, values, f"{domain_name}.synth", overrides=overrides)
    opened = teachers.open(teacher, asked.teacher) if isinstance(teacher, str) else teacher
    found: dict[str, Any] = pipeline.build(asked, opened, Path(output), quiet)
    return {"folder": output, "teacher": opened.identity, **found}
