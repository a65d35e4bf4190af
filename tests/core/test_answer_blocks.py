"""Files answered block by block: blocks within their limits, and one bad item that spoils no other."""

from __future__ import annotations

from collections.abc import Sequence

from instructzoo.core.answers.blocks import NAMED_FAULTS, Faults, answer_or_reason, blocks
from instructzoo.core.errors import ZooError


def test_blocks_hold_every_item_in_order_within_both_limits() -> None:
    items = ["aaaa", "b", "cc", "ddddd", "e", "f", "g"]
    assert list(blocks(items, 3)) == [["aaaa", "b", "cc"], ["ddddd", "e", "f"], ["g"]]
    assert list(blocks(items, 3, len, 5)) == [["aaaa", "b"], ["cc", "ddddd"], ["e", "f", "g"]]
    assert list(blocks([], 3)) == []


def test_a_block_is_read_only_when_it_is_asked_for() -> None:
    read = []

    def stream() -> object:
        for n in range(100):
            read.append(n)
            yield n

    assert next(blocks(stream(), 4)) == [0, 1, 2, 3]  # type: ignore[arg-type]
    assert len(read) == 4


def test_one_item_that_cannot_be_answered_spoils_no_other() -> None:
    calls = []

    def double(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        if 3 in items:
            raise ZooError("3 is too much", "less")
        return [2 * item for item in items]

    answers = answer_or_reason([1, 3, 2], double)
    assert [answers[0], answers[2]] == [2, 4]
    assert isinstance(answers[1], ZooError)
    assert calls == [[1, 3, 2], [1], [3], [2]]
    assert answer_or_reason([5, 6], double) == [10, 12]
    assert answer_or_reason([], double) == []


def test_all_faults_are_counted_and_the_first_are_named() -> None:
    faults = Faults()
    for line in range(NAMED_FAULTS + 3):
        faults.add(f"line {line}", "empty")
    assert faults.count == NAMED_FAULTS + 3
    assert faults.first[0] == ("line 0", "empty")
    assert len(faults.first) == NAMED_FAULTS
