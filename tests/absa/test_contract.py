"""The tests that every domain inherits, on absa."""

from instructzoo.core.testing import AppContract


class TestAbsa(AppContract):
    name = "absa"
