"""Heads of streams as this store left them: a guess at where they still are. The server is asked whether it holds."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final, NamedTuple

MOST: Final = 10_000  # streams that are remembered; those that were not written to for longest are forgotten


class Head(NamedTuple):
    """Where a stream ends, and who may write to it."""

    id: int  # 0 for a stream that is not there, or of which only the name is known
    version: int
    chain: bytes
    keyed: int  # how many commit ids it has
    fence: int
    owned: bool

    @property
    def exists(self) -> bool:
        """Whether anything was appended; a stream can also be only owned."""
        return self.version > 0 or self.keyed > 0


class KnownHeads:
    """The last streams that were appended to. Threads share it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._heads: OrderedDict[str, Head] = OrderedDict()
        self._lock = Lock()

    def keep(self, stream: str, head: Head) -> None:
        """Remember where an append left its stream."""
        with self._lock:
            self._heads[stream] = head
            if len(self._heads) > self._most:
                self._heads.popitem(last=False)

    def pop(self, stream: str) -> Head | None:
        """Where it was left. Whoever asks is about to change it, and says anew where it is."""
        with self._lock:
            return self._heads.pop(stream, None)
