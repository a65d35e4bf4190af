"""train.compile: another way to compute the same run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import same
from processes import curve, final, killed, run, write


@pytest.mark.slow
def test_a_compiled_run_follows_the_plain_loss_curve_and_resumes_exactly(tmp_path: Path) -> None:
    plain = run(write(tmp_path, train={"steps": 20}), tmp_path / "plain")
    path = write(tmp_path, train={"steps": 20, "compile": True})
    whole = run(path, tmp_path / "whole")
    for one, other in zip(curve(plain), curve(whole), strict=True):
        assert one == pytest.approx(other, rel=1e-3)
    folder = killed(path, tmp_path / "cut")
    assert len(curve(folder)) < len(curve(whole))
    run(path, tmp_path / "cut")
    assert same(final(folder), final(whole))
