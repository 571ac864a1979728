"""Polling: a function that answers last prices or quotes, asked again and again, as a feed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

import attrs

from papertrade.domain.instants import SECOND_NS
from papertrade.errors import InvalidValueError
from papertrade.hosting.feeding import parse_seconds
from papertrade.hosting.flow import Flow
from papertrade.ports.feed import DATA_TYPES, END, LastPrice, Quote

MAX_SYMBOLS: Final = 100_000
REFRESH_S: Final = 30.0
"""Half of what makes a quote too old by default: a price that was asked for again and stands is not old."""
Seen = dict[str, tuple[object, int]]


class Polled:
    """The rounds of a source: the data that changed, one by one, then a wait."""

    def __init__(
        self,
        source: Callable[..., object],
        symbols: Iterable[str] | None,
        every_s: float | None,
        refresh_s: float | None,
        waiter: object,
        seen: Seen,
        now: Callable[[], int],
    ) -> None:
        if not callable(source):
            raise InvalidValueError("source", source, "something to call for a mapping of symbols to prices or quotes")
        self.source = source
        self.arguments = () if symbols is None else (parse_symbols(symbols),)
        self.every_s = None if every_s is None else parse_seconds(every_s, "every_s")
        self.refresh_ns = None if refresh_s is None else round(parse_seconds(refresh_s, "refresh_s") * SECOND_NS)
        if not callable(getattr(waiter, "wait", None)):
            raise InvalidValueError("waiter", waiter, "an object with wait(timeout_s)")
        self.waiter: Any = waiter
        self.seen, self.now = seen, now
        self._wanted = frozenset(*self.arguments) if self.arguments else None
        self._found: deque[tuple[str, object]] = deque()
        self._left_s: float | None = 0.0  # until the next round; None: there is none

    def wake(self) -> None:
        """End a wait under way."""
        wake = getattr(self.waiter, "wake", None)
        if wake is not None:
            wake()

    def pull(self, timeout_s: float) -> Flow[object]:
        """The next datum of this round, or a wait for the next round, or its beginning."""
        if self._found:
            return self._next_found()
        if self._left_s is None:
            return END
        if self._left_s > 0:
            wait_s = min(timeout_s, self._left_s)
            yield self.waiter.wait, (wait_s,)
            self._left_s -= wait_s
            return None
        self._left_s = self.every_s  # however the round goes, the next one is so far away
        answer = yield self.source, self.arguments
        self._found.extend(self._changed(answer))
        return self._next_found() if self._found else None

    def _next_found(self) -> object:
        """Only what is handed out counts as said: a run that is stopped in between leaves the rest to the next one."""
        symbol, datum = self._found.popleft()
        self.seen[symbol] = (datum, self.now())
        return datum

    def _changed(self, answer: object) -> list[tuple[str, object]]:
        if not isinstance(answer, Mapping):
            raise InvalidValueError("what the source answered", answer, "a mapping of symbols to prices or quotes")
        now, found = self.now(), []
        for symbol, value in answer.items():
            if value is None or (self._wanted is not None and symbol not in self._wanted):
                continue  # nobody trades it yet, or nobody asked for it
            datum = as_datum(symbol, value)
            last = self.seen.get(symbol)
            if last is None or last[0] != datum or self._is_old(last[1], now):
                found.append((symbol, datum))
        return found

    def _is_old(self, then: int, now: int) -> bool:
        return self.refresh_ns is not None and now - then >= self.refresh_ns


def as_datum(symbol: Any, value: Any) -> object:
    """What a source says of a symbol: a datum as it is, a mapping with a bid or an ask, or a bare price."""
    if isinstance(value, DATA_TYPES):
        if value.symbol != symbol:
            raise InvalidValueError("symbol of a datum", value.symbol, f"{symbol!r}, the name it is answered under")
        return value
    if not isinstance(value, Mapping):
        return LastPrice(symbol, value)
    if "kind" in value:
        return {"symbol": symbol, **value}
    if "bid" in value or "ask" in value:
        names = [field.name for field in attrs.fields(Quote)[1:]]
        return Quote(symbol, **{"bid": None, "ask": None, **{name: value[name] for name in names if name in value}})
    return {"kind": "price", "symbol": symbol, **value}


def parse_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """The symbols that are asked for, in the order given."""
    accepted = "symbols, such as ['AAPL', 'MSFT']"
    try:
        found = [symbols] if isinstance(symbols, str) else list(islice(symbols, MAX_SYMBOLS + 1))
    except TypeError:
        raise InvalidValueError("symbols", symbols, accepted) from None
    if not 0 < len(found) <= MAX_SYMBOLS or not all(type(symbol) is str for symbol in found):
        raise InvalidValueError("symbols", symbols, accepted)
    return tuple(dict.fromkeys(found))
