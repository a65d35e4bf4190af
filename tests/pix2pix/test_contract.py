"""The tests that every domain inherits, on pix2pix."""

from __future__ import annotations

from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.testing import DomainContract, Scripted
from instructzoo.pix2pix.sampling import Settings


class Editing(Scripted):
    """What the demo needs beside: how pictures are sampled, and at which size."""

    sampling, resolution = Settings(), 32

    def sampled(self, **values: Any) -> Editing:
        return self


class TestPix2pix(DomainContract):
    name = "pix2pix"
    backbone = "scratch:unet-1x32"
    shrunk = (
        "model.options={resolution: 32, fit_steps: 5}",
        "model.max_tokens=32",
        "decode.options={steps: 2}",
    )

    def scripted(self, domain: Domain) -> Any:
        return Editing(domain)
