"""The fixtures and settings that all tests of a domain's contract share."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core import domain as domains
from instructzoo.core.domain import Domain
from instructzoo.core.record import Row

ROWS = 200
"""Rows of the microworld that the contract looks at."""


class Contract:
    """What both stages share. `name` is the domain's; the other attributes are for domains that differ."""

    name: str
    tokenizer = "bpe"
    backbone = "scratch:llama-1x32"
    shrunk: tuple[str, ...] = ()
    """Overrides of the domain's own, after SHRUNK."""

    @pytest.fixture
    def domain(self) -> Domain:
        return domains.get(self.name)

    @pytest.fixture
    def rows(self, domain: Domain) -> list[Row]:
        return list(domain.module("world").generate(ROWS, 0, "train"))

    @pytest.fixture(autouse=True)
    def _own_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
