"""The tests that every domain inherits, on absa."""

from instructzoo.core.testing import DomainContract


class TestAbsa(DomainContract):
    name = "absa"
