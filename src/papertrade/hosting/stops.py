"""Stops: an account whose check failed takes no commands any more, says why, and can be read as it last stood.

A broken invariant and a damaged journal stop an account until its books are looked at by a person. A worker that was
fenced off is stopped too, but there nothing is wrong: opening the account again takes it back.
"""

from __future__ import annotations

from papertrade.engine.snapshot import digest
from papertrade.engine.step import Seat
from papertrade.errors import (
    AccountSuspendedError,
    InvariantError,
    StoreCorruptError,
    StoreError,
    StoreFencedError,
    StoreMismatchError,
)

STOPPING = (InvariantError, StoreCorruptError, StoreFencedError)
FAILURES = (*STOPPING, StoreMismatchError)


class Stop:
    """Why an account stopped, and what can still be seen of it."""

    __slots__ = ("fault", "seat", "version")

    def __init__(self, fault: Exception, version: int, seat: Seat | None) -> None:
        self.fault = fault
        self.version = version  # the last that was committed here
        self.seat = seat  # for reading only: it is not among those that meet the market

    @property
    def fenced(self) -> bool:
        """Does another worker own the account, and nothing else is wrong?"""
        return isinstance(self.fault, StoreFencedError)

    def error(self, account: str) -> AccountSuspendedError:
        """What a command hears, with the evidence."""
        fault, check = self.fault, type(self.fault).__name__
        found: object = str(fault)
        expected: object = "the bytes that were written"
        why = str(fault)
        if isinstance(fault, InvariantError):
            check, found, expected = fault.check, fault.found, fault.expected
        elif isinstance(fault, StoreFencedError):
            found, expected = fault.fence, fault.owner
            why += "; open the account again with exclusive=True to take it back"
        elif not isinstance(fault, StoreError):
            expected = "no error"
        seen = None if self.seat is None else digest(self.seat.state)
        return AccountSuspendedError(
            account, why, check=check, found=found, expected=expected, version=self.version, digest=seen
        )
