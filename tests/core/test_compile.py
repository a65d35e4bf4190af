"""train.compile: a compiled model trains as the plain one does."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import same
from processes import final_weights, killed_run, metrics, run, write_recipe


@pytest.mark.slow
def test_a_compiled_run_follows_the_plain_loss_curve_and_resumes_exactly(tmp_path: Path) -> None:
    plain = run(write_recipe(tmp_path, train={"steps": 20}), tmp_path / "plain")
    path = write_recipe(tmp_path, train={"steps": 20, "compile": True})
    compiled = run(path, tmp_path / "whole")
    for plain_line, compiled_line in zip(metrics(plain), metrics(compiled), strict=True):
        assert plain_line == pytest.approx(compiled_line, rel=1e-3)
    folder = killed_run(path, tmp_path / "cut")
    assert len(metrics(folder)) < len(metrics(compiled))
    run(path, tmp_path / "cut")
    assert same(final_weights(folder), final_weights(compiled))
