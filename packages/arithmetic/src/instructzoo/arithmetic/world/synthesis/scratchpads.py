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
DIGIT_VALUES = {str(digit): digit for digit in range(10)}
"""Tables instead of calls: these functions write most of the rows of a training set."""


def multiplication(left: int, right: int, product: int) -> str:
    """The steps of a long product: partial products by the digits of the smaller factor, and their running sum.

    Args:
        left: Left factor, not negative.
        right: Right factor, not negative.
        product: left * right.

    Returns:
        One line, `left * right = ... = product`. Zero digits of the smaller factor have no partial product. The answer
        is direct, without steps, where either factor has at most one non-zero digit.
    """
    large, small = (left, right) if left >= right else (right, left)
    digits = str(small)
    power = len(digits) - 1  # of ten, for the digit at hand
    terms, partial_products = [], []
    for digit in digits:
        if digit != "0":
            zeros = ZEROS[power]
            terms.append(digit + zeros)
            partial_products.append(str(large * DIGIT_VALUES[digit]) + zeros)
        power -= 1
    if len(terms) < 2 or len(str(large).rstrip("0")) < 2:
        return f"{left} * {right} = {product}"
    expanded, addends = f" + {large} * ".join(terms), " + ".join(partial_products)
    text = f"{left} * {right} = {large} * ({' + '.join(terms)}) = {large} * {expanded} = {addends}"
    running_sum, unread_start = int(partial_products[0]), len(partial_products[0]) + 3
    for partial_product in partial_products[1:-1]:
        running_sum += int(partial_product)
        unread_start += len(partial_product) + 3
        text += f" = {running_sum} + {addends[unread_start:]}"
    return f"{text} = {product}"


def division(left: int, right: int, quotient: int, remainder: int) -> str:
    """The steps of a long division: one line per non-zero digit of the quotient, then the conclusion.

    Args:
        left: Dividend, not negative.
        right: Divisor, greater than 0: the answer to a division by 0 is `undefined`, without steps.
        quotient: left // right.
        remainder: left % right.

    Returns:
        The lines, the last of them `Therefore, left / right = quotient R remainder`. The answer is direct, without
        steps, where left <= right.
    """
    answer = f"{quotient} R {remainder}" if remainder else str(quotient)
    if left <= right:
        return f"{left} / {right} = {answer}"
    text, rest = "", left
    digits = str(quotient)
    power = len(digits) - 1  # of ten, for the digit at hand
    for digit in digits:
        if digit != "0":
            zeros = ZEROS[power]
            subtrahend = f"{right * DIGIT_VALUES[digit]}{zeros}"
            difference = rest - int(subtrahend)
            text += f"{rest} - {right} * {digit}{zeros} = {rest} - {subtrahend} = {difference}\n"
            rest = difference
        power -= 1
    return f"{text}Therefore, {left} / {right} = {answer}"
