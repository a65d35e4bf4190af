"""Independent checks of written-out steps and of splits; they share no code with the package."""

from __future__ import annotations

import re


def first_wrong(text: str) -> str | None:
    """The first equation of written-out steps that does not hold, by Python's integers, or that cannot be read.

    `text` is an output of the world or a model's text in the same form; None where every step holds.
    """
    for line in text.splitlines():
        if line.endswith(" is undefined"):
            if not re.fullmatch(r"[0-9]+ / 0 is undefined", line):
                return line
            continue
        sides = line.removeprefix("Therefore, ").split(" = ")
        values = [_value(side) for side in sides]
        for i in range(1, len(sides)):
            if values[i] is None or values[i] != values[i - 1]:
                return f"{sides[i - 1]} = {sides[i]}"
        if len(sides) < 2:
            return line
    return None


def split_of(operation: str, left: int, right: int) -> str:
    """The split of a problem: SplitMix64 over the code of the operation, 1 to 4, and the two operands."""
    if operation in ("add", "multiply"):
        left, right = sorted((left, right))
    state = ("add", "subtract", "multiply", "divide").index(operation) + 1
    for operand in (left, right):
        state = (state * 0x9E3779B97F4A7C15) % 2**64 ^ operand
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    percent = state % 100
    return "test" if percent < 8 else "validation" if percent < 12 else "train"


def _value(side: str) -> tuple[int, int] | None:
    """Value and remainder of a number, "Q R r", "a / b", "L * (sum)" or a sum of products; None for another text."""
    if match := re.fullmatch(r"([0-9]+) / ([0-9]+)", side):
        return divmod(int(match[1]), int(match[2])) if int(match[2]) else None
    if match := re.fullmatch(r"([0-9]+) R ([0-9]+)", side):
        return int(match[1]), int(match[2])
    if match := re.fullmatch(r"([0-9]+) \* \((.*)\)", side):
        inner = _value(match[2])
        return (int(match[1]) * inner[0], 0) if inner else None
    if not re.fullmatch(r"-?[0-9]+( \* [0-9]+)?( [-+] [0-9]+( \* [0-9]+)?)*", side):
        return None
    total = 0
    for sign, left, right in re.findall(r"(-?) ?([0-9]+)(?: \* ([0-9]+))?", side):
        total += (-1 if sign else 1) * int(left) * int(right or 1)
    return total, 0
