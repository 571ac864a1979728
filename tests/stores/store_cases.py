"""Events, batches and hostile names that the tests of stores have in common."""

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


def event(version: int, stream: str = "main", amount: int = 1) -> CashDeposited:
    return CashDeposited(stream, version, 5, amount, "USD", None, "")


def batch(expected: int, count: int = 1, stream: str = "main", commit: str | None = None, amount: int = 1) -> Append:
    return Append(stream, expected, [event(expected + 1 + n, stream, amount) for n in range(count)], commit)


def chain(count: int, stream: str = "main") -> str:
    head = GENESIS
    for version in range(1, count + 1):
        head = link(head, encode_event(event(version, stream)))
    return head
