"""Snapshots by policy: taken when a command or datum is done, so that opening the account again is quick.

A snapshot only speeds things up. So one that fails fails nothing else: it is counted, logged, and tried again later.
"""

from __future__ import annotations

from papertrade.hosting.logs import log
from papertrade.hosting.setup import SnapshotPolicy


class SnapshotKeeper:
    """Which accounts are due, and how it went."""

    __slots__ = ("_last", "failed", "policy", "taken", "unread", "wanted")

    def __init__(self, policy: SnapshotPolicy | None) -> None:
        self.policy = policy
        self.wanted: dict[str, None] = {}  # accounts whose snapshot is due, in the order in which that was found
        self.taken = self.failed = 0
        self.unread = 0  # snapshots that were found damaged when an account was opened
        self._last: dict[str, tuple[int, int]] = {}  # version and instant of the last one, or of the last attempt

    def begin(self, account: str, version: int, now_ns: int) -> None:
        """From here on it is counted: an account was read from the store, or its snapshot was tried."""
        if self.policy is not None:
            self._last[account] = version, now_ns

    def note(self, account: str, version: int, now_ns: int) -> None:
        """An account came to a version."""
        if self.policy is None:
            return
        since, then_ns = self._last.get(account, (0, 0))
        if not then_ns:  # it was opened before anybody asked the clock
            self._last[account], then_ns = (since, now_ns), now_ns
        if self.policy.is_due(version - since, now_ns - then_ns):
            self.wanted[account] = None

    def failure(self, account: str, why: Exception) -> None:
        """One could not be kept. Nothing is lost but time at the next opening."""
        self.failed += 1
        log().warning("a snapshot of account %r could not be kept: %s", account, why)

    def damage(self, account: str, why: Exception) -> None:
        """One could not be used: the whole journal is read instead."""
        self.unread += 1
        log().warning("the snapshot of account %r cannot be used, its whole journal is read: %s", account, why)

    def forget(self, account: str) -> None:
        """The account left."""
        self._last.pop(account, None)
        self.wanted.pop(account, None)

    def __str__(self) -> str:
        counts = f"{self.taken} kept, {self.failed} failed, {self.unread} found damaged"
        return f"{self.policy or 'on demand'}; {counts}"


