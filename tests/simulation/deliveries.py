"""What was delivered to whom: which data came before, by the identity that the feed gives them."""

from __future__ import annotations

from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command


class Deliveries:
    """Knows a repetition without asking the library: by sequence number, or by being the same as what came last."""

    def __init__(self) -> None:
        self._highest: dict[tuple[int, str, str], int] = {}
        self._latest: dict[tuple[int, str, str], Command] = {}

    def came_before(self, process: int, datum: Command) -> bool:
        """Was this process given this datum already? Notes that it was now."""
        if isinstance(datum, say.Halt):  # no quote outlives it: one that is given again is news
            for kind in ("standing", "Quote"):
                self._latest.pop((process, datum.symbol, kind), None)
            return False
        assert isinstance(datum, (say.Quote, say.LastPrice, say.Print, say.Bar, say.Depth, say.Auction))
        kind = type(datum).__name__
        sequence = datum.sequence if isinstance(datum, (say.Quote, say.Print)) else None
        slot = (process, datum.symbol, kind if kind in ("Print", "Bar", "Auction") else "standing")
        before, self._latest[slot] = self._latest.get(slot), datum
        if sequence is not None:
            highest = self._highest.get((process, datum.symbol, kind), -1)
            self._highest[process, datum.symbol, kind] = max(highest, sequence)
            return sequence <= highest
        at = datum.end if isinstance(datum, say.Bar) else datum.at
        return at is not None and datum == before
