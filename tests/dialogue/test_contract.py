"""What every domain must do. Tests of this domain's own behaviour stand in files beside this one."""

from instructzoo.core.testing import DomainContract


class TestDialogue(DomainContract):
    name = "dialogue"
