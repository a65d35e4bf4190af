"""The written-out steps of long multiplication and long division (Goat, arXiv:2305.14201).

397 * 4429 = 4429 * (300 + 90 + 7) = 4429 * 300 + 4429 * 90 + 4429 * 7 = 1328700 + 398610 + 31003
           = 1727310 + 31003 = 1758313                                             (one line)

8914 - 64 * 100 = 8914 - 6400 = 2514
2514 - 64 * 30 = 2514 - 1920 = 594
594 - 64 * 9 = 594 - 576 = 18
Therefore, 8914 / 64 = 139 R 18
"""

from __future__ import annotations

ZEROS = tuple("0" * n for n in range(24))
VALUES = {str(digit): digit for digit in range(10)}


def multiplication(left: int, right: int, product: int) -> str:
    """`left * right = ...` with the partial products and their running sum; zero digits of the smaller factor are
    dropped. A direct answer where either factor has at most one non-zero digit."""
    large, small = (left, right) if left >= right else (right, left)
    digits = str(small)
    place = len(digits) - 1
    terms, partials = [], []
    for digit in digits:
        if digit != "0":
            zeros = ZEROS[place]
            terms.append(digit + zeros)
            partials.append(str(large * VALUES[digit]) + zeros)
        place -= 1
    if len(terms) < 2 or len(str(large).rstrip("0")) < 2:
        return f"{left} * {right} = {product}"
    expanded, added = f" + {large} * ".join(terms), " + ".join(partials)
    text = f"{left} * {right} = {large} * ({' + '.join(terms)}) = {large} * {expanded} = {added}"
    total, rest = int(partials[0]), len(partials[0]) + 3
    for partial in partials[1:-1]:
        total += int(partial)
        rest += len(partial) + 3
        text += f" = {total} + {added[rest:]}"
    return f"{text} = {product}"


def division(left: int, right: int, quotient: int, remainder: int) -> str:
    """One line per non-zero digit of the quotient, then the conclusion. Direct where left <= right.

    Raises ZeroDivisionError for right = 0: the caller writes `undefined`.
    """
    answer = f"{quotient} R {remainder}" if remainder else str(quotient)
    if left <= right:
        return f"{left} / {right} = {answer}"
    text, rest = "", left
    digits = str(quotient)
    place = len(digits) - 1
    for digit in digits:
        if digit != "0":
            zeros = ZEROS[place]
            taken = f"{right * VALUES[digit]}{zeros}"
            after = rest - int(taken)
            text += f"{rest} - {right} * {digit}{zeros} = {rest} - {taken} = {after}\n"
            rest = after
        place -= 1
    return f"{text}Therefore, {left} / {right} = {answer}"
