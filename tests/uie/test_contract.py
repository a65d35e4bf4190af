"""The tests that every domain inherits, on extraction."""

from instructzoo.core.testing import DomainContract


class TestUie(DomainContract):
    name = "uie"
