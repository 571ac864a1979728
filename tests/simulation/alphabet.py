"""The alphabet of the small world: every kind of command, over two prices and two quantities.

A letter is a command that is spelled out when its turn comes, because some of them point at what is there: the last
order, the position, the next day. A letter that has nothing to point at is not a sequence at all.

Why these and no more. The two prices lie one tick apart, so that a quote, a print and the range of a bar can be on
either side of each and between them; the two quantities lie around the displayed size, so that one fills whole and the
other in parts. Market and limit orders come in every side, price and quantity. Stops and stop-limits come in every
side and price, in the larger quantity only: once triggered they are market and limit orders, whose quantities are
there. The flags (ioc, fok, post-only, reduce-only, day) change how an order arrives or ends; one of each stands on a
side and price where both its outcomes occur among the quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from papertrade.domain.numbers import SCALE
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.chance import SECOND, START
from papertrade.testing.drawing import TYPES
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.oracle import Oracle
from papertrade.testing.oracle.vocabulary import Command

SYMBOL = "S"
LOW, HIGH = 100 * SCALE, 101 * SCALE
TICK = SCALE
SMALL, LARGE = 1 * SCALE, 3 * SCALE
SHOWN = 2 * SCALE  # what a sized quote or print displays: more than SMALL, less than LARGE
DAY = 86_400 * SECOND


class Moment(NamedTuple):
    """Where a letter is spelled: the oracle as it stands."""

    oracle: Oracle

    @property
    def at(self) -> int:
        """The instant of a datum here: a second after the last one, on whatever day it is."""
        return max(self.oracle.clock, START) + SECOND


class Letter(NamedTuple):
    """One command of the alphabet; ``spell`` answers None when there is nothing it could mean."""

    name: str
    spell: Callable[[Moment], Command | None]


def order(
    sign: int,
    quantity: int,
    limit: int | None = None,
    stop: int | None = None,
    tif: TimeInForce = TimeInForce.GTC,
    post_only: bool = False,
    reduce_only: bool = False,
) -> Command:
    """An order of the small world."""
    kind: OrderType = TYPES[limit is not None, stop is not None]
    return say.Place(
        OrderTerms(
            SYMBOL, sign, kind, quantity, None, limit, stop, tif, None, post_only, reduce_only, 0, None, ()
        )
    )


def _quotes() -> Iterator[Letter]:
    def quote(name: str, bid: int, ask: int | None, size: int | None = None) -> Letter:
        return Letter(
            f"quote {name}",
            lambda m: say.Quote(SYMBOL, bid, ask, size, size if ask is not None else None, m.at),
        )

    yield quote("between the prices", LOW, HIGH)
    yield quote("below both", LOW - 2 * TICK, LOW - TICK)
    yield quote("above both", HIGH + TICK, HIGH + 2 * TICK)
    yield quote("below both, two shown", LOW - 2 * TICK, LOW - TICK, SHOWN)
    yield quote("above both, two shown", HIGH + TICK, HIGH + 2 * TICK, SHOWN)
    yield quote("with nobody on the ask", LOW, None)


def _trades() -> Iterator[Letter]:
    yield Letter("print of two at the low price", lambda m: say.Print(SYMBOL, LOW, SHOWN, 0, m.at))
    yield Letter("print of two at the high price", lambda m: say.Print(SYMBOL, HIGH, SHOWN, 0, m.at))
    yield Letter(
        "bar over both prices",
        lambda m: say.Bar(SYMBOL, LOW, HIGH + TICK, LOW - TICK, HIGH, 20 * SCALE, m.at - SECOND // 2, m.at),
    )


def _plain_orders() -> Iterator[Letter]:
    for sign, side in ((1, "buy"), (-1, "sell")):
        for quantity in (SMALL, LARGE):
            size = quantity // SCALE
            yield Letter(f"{side} {size} at the market", _always(order(sign, quantity)))
            for price in (LOW, HIGH):
                yield Letter(f"{side} {size} limit {price // SCALE}", _always(order(sign, quantity, price)))
        for price, other in ((LOW, HIGH), (HIGH, LOW)):
            yield Letter(f"{side} 3 stop {price // SCALE}", _always(order(sign, LARGE, None, price)))
            about = f"{side} 3 stop {price // SCALE} limit {other // SCALE}"
            yield Letter(about, _always(order(sign, LARGE, other, price)))


def _flagged_orders() -> Iterator[Letter]:
    yield Letter("buy 3 ioc limit 101", _always(order(1, LARGE, HIGH, tif=TimeInForce.IOC)))
    yield Letter("buy 3 fok limit 101", _always(order(1, LARGE, HIGH, tif=TimeInForce.FOK)))
    yield Letter("sell 1 ioc at the market", _always(order(-1, SMALL, tif=TimeInForce.IOC)))
    yield Letter("buy 1 day limit 100", _always(order(1, SMALL, LOW, tif=TimeInForce.DAY)))
    yield Letter("buy 1 post-only limit 101", _always(order(1, SMALL, HIGH, post_only=True)))
    yield Letter("sell 3 reduce-only limit 101", _always(order(-1, LARGE, HIGH, reduce_only=True)))
    yield Letter("sell 3 reduce-only stop 100", _always(order(-1, LARGE, None, LOW, reduce_only=True)))


def _changes() -> Iterator[Letter]:
    yield Letter("cancel the last order", lambda m: say.Cancel(len(m.oracle.orders)) if m.oracle.orders else None)
    yield Letter("cancel the oldest open order", _cancel_oldest)
    yield Letter("give the last order the larger quantity", lambda m: _modify_last(m, LARGE))
    yield Letter("give the last order the smaller quantity", lambda m: _modify_last(m, SMALL))
    yield Letter("move the limit of the last order", _move_limit)
    yield Letter("link the last two", _link)
    yield Letter("close the position", lambda m: say.Close(SYMBOL) if m.oracle.held_keys() else None)


def _events() -> Iterator[Letter]:
    yield Letter("halt", lambda m: None if m.oracle.markets[SYMBOL].halted else say.Halt(SYMBOL, True))
    yield Letter("resume", lambda m: say.Halt(SYMBOL, False) if m.oracle.markets[SYMBOL].halted else None)
    yield Letter("a day passes", lambda m: say.Advance(max(m.oracle.clock, START) + DAY))
    yield Letter("restart", _always(say.Restart()))


def _always(command: Command) -> Callable[[Moment], Command | None]:
    return lambda moment: command


def _cancel_oldest(moment: Moment) -> Command | None:
    """Only where it is another one than the last."""
    oldest = [o.number for o in moment.oracle.open_orders() if o.number < len(moment.oracle.orders)]
    return say.Cancel(oldest[0]) if oldest else None


def _modify_last(moment: Moment, quantity: int) -> Command | None:
    return say.Modify(len(moment.oracle.orders), quantity) if moment.oracle.orders else None


def _move_limit(moment: Moment) -> Command | None:
    """From the one price to the other."""
    orders = moment.oracle.orders
    last = orders.get(len(orders))
    if last is None or last.limit is None:
        return None
    return say.Modify(last.number, limit=HIGH if last.limit == LOW else LOW)


def _link(moment: Moment) -> Command | None:
    count = len(moment.oracle.orders)
    return say.Link(count - 1, count) if count > 1 else None


ALPHABET: tuple[Letter, ...] = (*_quotes(), *_trades(), *_plain_orders(), *_flagged_orders(), *_changes(), *_events())
