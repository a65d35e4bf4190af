"""The tests that every domain inherits, on extraction."""

from instructzoo.core.testing import AppContract


class TestUie(AppContract):
    name = "uie"
