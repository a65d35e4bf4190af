"""The tests that every domain inherits, on arithmetic."""

from instructzoo.core.testing import DomainContract


class TestArithmetic(DomainContract):
    name = "arithmetic"
    tokenizer = "digits"
