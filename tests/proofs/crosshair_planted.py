"""A planted mistake that CrossHair has to find: a fee rounded down where the promise is up."""

from __future__ import annotations

CENT = 10_000_000


def fee_rounded_down(value: int) -> int:
    """0.03 % in whole cents; the mistake is ``//`` without the ceiling."""
    return value * 3 // (10_000 * CENT) * CENT


def a_fee_is_never_short(value: int) -> None:
    """The promise that the mistake breaks."""
    assert value >= 0
    fee = fee_rounded_down(value)
    assert (fee - CENT) * 10_000 < value * 3 <= fee * 10_000


def share_rounded_nearest(amount: int, part: int, whole: int) -> int:
    """A share of a cost, to the nearest unit; a close may not release more than its part."""
    return (2 * amount * part + whole) // (2 * whole)


def a_share_is_never_more(amount: int, part: int, whole: int) -> None:
    """The promise that the second mistake breaks."""
    assert 0 < part < whole
    assert amount > 0
    assert share_rounded_nearest(amount, part, whole) * whole <= amount * part
