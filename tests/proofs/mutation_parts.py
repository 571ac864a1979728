"""What is mutated and who judges it: for each part of the core its files, and the tests that should notice a change."""

from __future__ import annotations

from typing import Final, NamedTuple

SURVIVED, KILLED, TIMED_OUT = "survived", "killed", "timed out"


class Part(NamedTuple):
    """Files of the package, the tests that judge them, and plugins that those tests need."""

    files: tuple[str, ...]
    judges: tuple[str, ...]
    plugins: tuple[str, ...] = ()


SESSIONS: Final = ("tests/unit/test_hard_cases.py", "tests/proofs/mutation_judge.py")
"""Judges of everything that trades: each is a session from the outside, in milliseconds."""

PARTS: Final = {
    "ledger": Part(("ledger/*",), (*SESSIONS, "tests/unit/test_ledger_*.py")),
    "keys": Part(
        ("hosting/requests.py", "hosting/account.py", "hosting/account_cash.py"),
        (
            *SESSIONS,
            "tests/unit/test_keys*.py",
            "tests/unit/test_requests*.py",
        ),
    ),
    "matching": Part(("matching/*",), (*SESSIONS, "tests/unit/test_matching_*.py")),
    "orders": Part(
        ("domain/orders.py", "domain/lifecycle.py", "engine/order_moves.py", "engine/evolve.py"),
        (
            *SESSIONS,
            "tests/unit/test_orders_*.py",
            "tests/unit/test_words_lifecycle.py",
        ),
    ),
    "codec": Part(
        ("codec/*",),
        ("tests/unit/test_codec*.py",),
        ("tests.proofs.mutation_fresh",),
    ),
}
