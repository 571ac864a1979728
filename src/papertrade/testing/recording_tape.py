"""The tape of a recording exchange: whole ticks and lots, written down like any other datum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from papertrade.domain.numbers import to_decimal
from papertrade.errors import InvalidValueError
from papertrade.matching.market import Market
from papertrade.tape import Tape

if TYPE_CHECKING:
    from papertrade.testing.recorder import RecordingExchange


class RecordingTape(Tape):
    """A tape that goes through the recording exchange; it answers the same and is as slow as text."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: RecordingExchange, market: Market) -> None:
        super().__init__(exchange._floor, exchange._lock, market)
        self._exchange = exchange
        self.quote = self._quote
        self.bar = self._bar_in_ticks

    def _ticks(self, *values: int | None) -> list[Any]:
        return [None if v is None else to_decimal(_whole(v) * self._tick) for v in values]

    def _lots(self, *values: int | None) -> list[Any]:
        return [None if v is None else to_decimal(_whole(v) * self._lot) for v in values]

    def _quote(self, bid: int, ask: int, bid_size: int, ask_size: int, at_ns: int) -> None:
        (low, high), (low_size, high_size) = self._ticks(bid, ask), self._lots(bid_size, ask_size)
        self._exchange.on_quote(self._market.symbol, low, high, low_size, high_size, _whole(at_ns))

    def trade(self, price: int, size: int, at_ns: int, aggressor: int = 0) -> None:
        """A print in ticks and lots."""
        if type(aggressor) is not int or aggressor not in (-1, 0, 1):
            raise InvalidValueError("aggressor", aggressor, "1, -1 or 0")
        taker = (None, "buy", "sell")[aggressor]
        (last,), (amount,) = self._ticks(price), self._lots(size)
        self._exchange.on_trade(self._market.symbol, last, amount, taker, at=_whole(at_ns))

    def _bar_in_ticks(self, open_: int, high: int, low: int, close: int, volume: int | None, end_ns: int) -> None:
        (o, h, l, c), (amount,) = self._ticks(open_, high, low, close), self._lots(volume)
        self._exchange.on_bar(self._market.symbol, o, h, l, c, amount, None, _whole(end_ns))


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    raise InvalidValueError("tape", value, "whole numbers: prices in ticks, sizes in lots, times in nanoseconds")
