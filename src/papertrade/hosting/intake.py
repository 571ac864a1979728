"""Market data at the edge: bare arguments in, exact integers to the market, one question whether anything fires.

Text prices are looked up in a bounded table of values seen before they are parsed, because a market repeats itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import islice
from typing import Final, TypeAlias, TypeGuard

from papertrade.domain.instants import LATEST_NS, parse_instant, text_of_instant
from papertrade.domain.numbers import SCALE, divide_up, parse_count, parse_not_negative, parse_positive
from papertrade.domain.words import SIDE_SPELLINGS, DataKind, Side, parse_word, plain_text
from papertrade.engine.auctions import match_auction
from papertrade.engine.hours import CLOSING_GRACE_NS
from papertrade.engine.match import match_bar, match_standing, match_trade
from papertrade.engine.step import Step
from papertrade.errors import InvalidValueError, UnsupportedError
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.matching.auctions import AuctionData, bell_near
from papertrade.matching.market import NEVER, BarData, Levels, Market
from papertrade.matching.resting import FAR, NOTHING_BELOW

MAX_SEEN: Final = 8192
MAX_LEVELS: Final = 1000
Pairs: TypeAlias = "list[tuple[object, object]]"


class Intake:
    """Takes data for the markets of a desk. Each method answers a flow to run, or None when nothing fires."""

    def __init__(self, desk: Desk, half_spread_units: int) -> None:
        self.desk = desk
        self.half_spread_units = half_spread_units
        self._seen: dict[str, int] = {}

    # --------------------------------------------------------------- parsing

    def units(self, value: object, field: str) -> int:
        """A price or size above zero, from a table of values seen or through the parser."""
        if type(value) is str:
            found = self._seen.get(value)
            if found is not None:
                return found
            units = parse_positive(value, field)
            if len(self._seen) >= MAX_SEEN:
                self._seen.clear()
            self._seen[value] = units
            return units
        return parse_positive(value, field)

    def maybe_units(self, value: object, field: str) -> int | None:
        """The same, where None means that nobody is there or nobody says."""
        return None if value is None else self.units(value, field)

    def instant(self, at: object) -> int:
        """When a datum is from: as it says, or now."""
        if at is not None:
            ns = parse_instant(at, "at")
        elif self.desk.data_clock is not None:
            raise InvalidValueError("at", None, "an instant with every datum, because time is the latest datum here")
        else:
            ns = self.desk.now()
        self.desk.observe(ns)
        return ns

    # ------------------------------------------------------ quotes and depth

    def quiet_quote(
        self, symbol: object, bid: object, ask: object, bid_size: object, ask_size: object, at: object
    ) -> Market | None:
        """Take the commonest datum of a replay whole: texts seen before, a later instant, nothing reached.

        Anything else answers None, changes nothing, and goes the general way.
        """
        clock, desk = self.desk.data_clock, self.desk
        if clock is None or at.__class__ is not int or symbol.__class__ is not str:
            return None
        if not bid.__class__ is ask.__class__ is bid_size.__class__ is ask_size.__class__ is str:
            return None
        market, get = desk.engine.markets.get(symbol), self._seen.get
        low, high, low_size, high_size = get(bid), get(ask), get(bid_size), get(ask_size)
        if market is None or low is None or high is None or low_size is None or high_size is None:
            return None
        deadlines, index = desk.engine.deadlines, market.index
        ns: int = at
        if not market.quote_ns < ns <= LATEST_NS or (deadlines and deadlines[0][0] <= ns):
            return None
        if low <= index.floor or high >= index.ceiling or high < low:
            return None
        if ns > clock.ns:
            clock.ns = ns
        elif deadlines and deadlines[0][0] <= clock.ns:
            return None
        market.take_quote(low, high, low_size, high_size, ns)
        return market

    def quote(
        self, market: Market, bid: object, ask: object, bid_size: object, ask_size: object, at: object, sequence: object
    ) -> Flow[None] | None:
        """A best bid and ask; a side that is missing is None, never 0."""
        best = (
            self.maybe_units(bid, "bid"),
            self.maybe_units(ask, "ask"),
            self.maybe_units(bid_size, "bid_size"),
            self.maybe_units(ask_size, "ask_size"),
        )
        if best[0] is None and best[1] is None:
            raise InvalidValueError("bid and ask", None, "at least one of them")
        number = None if sequence is None else parse_count(sequence, "sequence")
        ns = self.instant(at)
        fresh = at is None or number is not None  # a sequence number alone says what is a repetition
        if self.desk.is_due(ns):
            return self.desk.after_clock(lambda: self._take_quote(market, best, ns, fresh, number), ns)
        return self._take_quote(market, best, ns, fresh, number)

    def _take_quote(
        self,
        market: Market,
        best: tuple[int | None, int | None, int | None, int | None],
        ns: int,
        fresh: bool,
        number: int | None,
    ) -> Flow[None] | None:
        if number is not None and market.is_repeat(DataKind.QUOTE, number):
            return None
        bid, ask, bid_size, ask_size = best
        if bid is None or ask is None:
            news = market.take_top(DataKind.QUOTE, best, ns, fresh=fresh)
        else:
            news = market.take_quote(bid, ask, bid_size, ask_size, ns, fresh)
        return self.meet_standing(market, ns) if news else None

    def price(self, market: Market, price: object, at: object) -> Flow[None] | None:
        """A bare last price, widened against the trader by the half spread, on the tick."""
        last = self.units(price, "price")
        ns = self.instant(at)
        half = divide_up(last * self.half_spread_units, 10_000 * SCALE)
        tick = market.instrument.tick_units
        bid = max((last - half) // tick * tick, tick)
        ask = -(-(last + half) // tick) * tick
        band = market.instrument.band_units
        no_bid = last < tick or (band is not None and last <= band[0])
        no_ask = band is not None and last >= band[1]
        best = (None if no_bid else bid, None if no_ask else ask, None, None)

        def take() -> Flow[None] | None:
            if not market.take_top(DataKind.PRICE, best, ns, fresh=at is None):
                return None
            market.last_units = market.bare_units = last
            return self.meet_standing(market, ns)

        return self.desk.after_clock(take, ns) if self.desk.is_due(ns) else take()

    def depth(self, market: Market, bids: Pairs, asks: Pairs, at: object) -> Flow[None] | None:
        """The best levels of both sides, best first."""
        levels = (self._levels(bids, "bids", -1), self._levels(asks, "asks", 1))
        if not levels[0] and not levels[1]:
            raise InvalidValueError("bids and asks", None, "at least one level")
        ns = self.instant(at)
        (bid, bid_size) = levels[0][0] if levels[0] else (None, None)
        (ask, ask_size) = levels[1][0] if levels[1] else (None, None)

        def take() -> Flow[None] | None:
            news = market.take_top(DataKind.DEPTH, (bid, ask, bid_size, ask_size), ns, levels, at is None)
            return self.meet_standing(market, ns) if news else None

        return self.desk.after_clock(take, ns) if self.desk.is_due(ns) else take()

    def _levels(self, pairs: Pairs, field: str, sign: int) -> Levels:
        found: list[tuple[int, int]] = []
        for first, second in pairs:
            price, size = self.units(first, field), self.units(second, field)
            if found and sign * (price - found[-1][0]) <= 0:
                raise InvalidValueError(field, first, "levels from the best price to the worst")
            found.append((price, size))
        return tuple(found)

    def meet_standing(self, market: Market, ns: int) -> Flow[None] | None:
        """Whatever the standing quote reaches; crossed markets fill nothing, but they move the mark."""
        bid, ask, index = market.bid_units, market.ask_units, market.index
        if market.crossed and bid is not None and ask is not None:
            watching = index.watches(bid, ask)
            return self.desk.meet(market, watching, _standing(market), ns) if watching else None
        # A side that is missing reaches nobody: buy limits look at the ask, sell limits at the bid.
        buys = FAR if ask is None else ask
        sells = NOTHING_BELOW if bid is None else bid
        low = buys if bid is None else bid
        high = sells if ask is None else ask
        if market.standing is DataKind.PRICE and market.last_units is not None:
            # Stops look at the last price, which at an end of the band is beyond the only side there is.
            low, high = min(low, market.last_units), max(high, market.last_units)
        if low > index.floor and high < index.ceiling:
            return None
        fired = index.reached(buys, sells, high, low)
        return self.desk.meet(market, fired, _standing(market), ns) if fired else None

    # ------------------------------------------------- trades, auctions and bars

    def trade(
        self, market: Market, price: object, size: object, aggressor: object, at: object, sequence: object
    ) -> Flow[None] | None:
        """A print: what traded, how much, and who took, if the feed says so."""
        last = self.units(price, "price")
        amount = self.maybe_units(size, "size")
        taker = 0
        if aggressor is not None:
            taker = 1 if parse_word(aggressor, SIDE_SPELLINGS, "aggressor") is Side.BUY else -1
        number = None if sequence is None else parse_count(sequence, "sequence")
        ns = self.instant(at)

        def take() -> Flow[None] | None:
            if number is not None and market.is_repeat(DataKind.TRADE, number):
                return None
            news = market.take_trade(last, amount, ns, at is None or number is not None)
            return self.meet_trade(market, taker, ns) if news else None

        return self.desk.after_clock(take, ns) if self.desk.is_due(ns) else take()

    def meet_trade(self, market: Market, taker: int, ns: int) -> Flow[None] | None:
        """Whatever the last print reaches."""
        last, index = market.last_units or 0, market.index
        if index.ceiling > last > index.floor:
            return None
        fired = index.reached(last, last, last, last)

        def match(step: Step, numbers: list[int]) -> None:
            match_trade(step, market, numbers, taker)

        return self.desk.meet(market, fired, match, ns) if fired else None

    def auction(self, market: Market, price: object, size: object, kind: object, at: object) -> Flow[None] | None:
        """The official price of an auction, and how much traded at it."""
        if market.hours is None:
            raise UnsupportedError(f"an auction of {market.symbol}, which never closes", ("on_trade",))
        last, amount = self.units(price, "price"), self.maybe_units(size, "size")
        which = plain_text(kind)
        if which not in ("open", "close"):
            raise InvalidValueError("auction", kind, "'open' or 'close'")
        ns = self.instant(at)
        datum = AuctionData(which, last, amount, ns)
        near = bell_near(market, which, max(ns - CLOSING_GRACE_NS, 0))

        def match(step: Step, numbers: list[int]) -> None:
            match_auction(step, market, numbers, near)

        def take() -> Flow[None] | None:
            if not market.take_auction(datum, at is None):
                return None
            fired = market.index.in_auction(last)
            return self.desk.meet(market, fired, match, ns) if fired else None

        return self.desk.after_clock(take, ns) if self.desk.is_due(ns) else take()

    def bar(
        self,
        market: Market,
        prices: tuple[object, object, object, object],
        volume: object,
        start: object,
        end: object,
    ) -> Flow[None] | None:
        """A finished bar. ``end`` is when it was known; without ``start`` it follows whatever came before it."""
        o, h, l, c = (self.units(v, f) for v, f in zip(prices, _BAR_FIELDS, strict=True))
        if not l <= min(o, c) <= max(o, c) <= h:
            raise InvalidValueError("bar", prices, "low ≤ open, close ≤ high")
        amount = None if volume is None else parse_not_negative(volume, "volume")
        start_ns = NEVER if start is None else parse_instant(start, "start")
        end_ns = None if end is None else parse_instant(end, "end")
        if end_ns is not None and start_ns > end_ns:
            raise InvalidValueError("start", text_of_instant(start_ns), f"at most end ({text_of_instant(end_ns)})")
        bar = BarData(o, h, l, c, amount, start_ns, self.instant(end))
        if self.desk.is_due(bar.end_ns):
            return self.desk.after_clock(lambda: self.take_bar(market, bar), bar.end_ns)
        return self.take_bar(market, bar)

    def take_bar(self, market: Market, bar: BarData) -> Flow[None] | None:
        """A bar in units meets whatever it reaches."""
        if not market.take_bar(bar):
            return None
        index = market.index
        if bar.low > index.floor and bar.high < index.ceiling:
            return None
        fired = index.reached(bar.low, bar.high, bar.high, bar.low)

        def match(step: Step, numbers: list[int]) -> None:
            match_bar(step, market, numbers)

        return self.desk.meet(market, fired, match, bar.end_ns) if fired else None


def _is_pair(row: object) -> TypeGuard[Sequence[object]]:
    return isinstance(row, Sequence) and not isinstance(row, (str, bytes)) and len(row) == 2


def pairs_of(levels: object, field: str) -> Pairs:
    """The levels of one side as pairs; whatever a container of the caller's raises is the caller's mistake.

    Called before anything is locked, because that container may be a generator that does anything.
    """
    if not isinstance(levels, Iterable) or isinstance(levels, (str, bytes, Mapping, Set)):
        raise InvalidValueError(field, levels, "pairs of price and size, best first")
    try:
        rows = list(islice(levels, MAX_LEVELS + 1))
        pairs = [(row[0], row[1]) for row in rows if _is_pair(row)]
    except Exception:
        raise InvalidValueError(field, levels, "pairs of price and size, best first") from None
    if len(rows) > MAX_LEVELS:
        raise InvalidValueError(field, "more levels", f"at most {MAX_LEVELS} levels")
    if len(pairs) < len(rows):
        raise InvalidValueError(field, levels, "pairs of price and size, best first")
    return pairs


_BAR_FIELDS: Final = ("open", "high", "low", "close")


def _standing(market: Market) -> Callable[[Step, list[int]], None]:
    def match(step: Step, numbers: list[int]) -> None:
        match_standing(step, market, numbers)

    return match
