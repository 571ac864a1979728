"""Events, batches, hashes and hostile names that the cases have in common."""

from __future__ import annotations

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.domain.events import CashDeposited
from papertrade.ports.store import Append

HOSTILE_NAMES = [
    "a", "A", "a ", "'; DROP TABLE events;--", '"', "%", "_", "*", "{}", "{a}", ":", "/", "..", "a\nb", "a\x00b",
    "\x00",
    "\u00e9", "e\u0301", "Ａ", "ı", "i", "ß", "ss", "x" * 255, "[", "$(id)", "a;b",
]  # fmt: skip

TEXTS = [
    "", " ", "\x00", "".join(map(chr, range(1, 256))), "\u20ac\U0001f4b6", "\u2028\ufeff", "\\\"'\n\r\t", "%s{}$1?:a",
    "0", "null", "x" * 500,
]  # fmt: skip

BIG_NUMBERS = [2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**62 + 1, 2**63 - 1, 10**24 + 1]


def event(version: int, stream: str = "main", amount: int = 1, note: str = "") -> CashDeposited:
    """A deposit: the smallest event with a number and a text in it."""
    return CashDeposited(stream, version, 5, amount, "USD", None, note)


def batch(expected: int, count: int = 1, stream: str = "main", commit: str | None = None, amount: int = 1) -> Append:
    """So many deposits after a version."""
    return Append(stream, expected, [event(expected + 1 + n, stream, amount) for n in range(count)], commit)


def chain(count: int, stream: str = "main") -> str:
    """The hash of a stream of so many deposits of 1."""
    head = GENESIS
    for version in range(1, count + 1):
        head = link(head, encode_event(event(version, stream)))
    return head


# ------------------------------------------------- what the killed writers write


def numbered(stream: str, number: int) -> Append:
    """The number-th batch of a stream: of one to four events, the same whoever makes it again."""
    expected = start_of(number)
    made = [event(expected + 1 + n, stream, amount=number + 1) for n in range(1 + number % 4)]
    return Append(stream, expected, made, f"k{number}")


def start_of(number: int) -> int:
    """The version before the number-th batch."""
    whole, rest = divmod(number, 4)
    return whole * 10 + rest * (rest + 1) // 2
