"""What a process was shown: every datum by symbol, and what was sold from it."""

from __future__ import annotations

from typing import Any

from .facts import ONE, Tool, units_of, upwards

Seen = tuple[int | None, ...]
Datum = tuple[str, int, Seen]
"""(kind, instant, what the evidence will show)"""


class View:
    """What one process knows of one symbol."""

    __slots__ = (
        "begins",
        "called",
        "calls",
        "exact",
        "known",
        "last_number",
        "news",
        "prices",
        "printed",
        "ranged",
        "sequences",
        "sold",
        "standing",
        "stood",
        "times",
    )

    def __init__(self) -> None:
        self.news: dict[Datum, int] = {}  # how often each datum was news
        self.times: set[tuple[str, int]] = set()
        self.sold: dict[tuple[Datum, int], int] = {}
        self.begins: dict[Datum, set[int | None]] = {}  # when the time began that a bar tells of, if the feed says so
        self.called: tuple[str, Datum] | None = None  # the last auction price, and of which auction
        self.calls: dict[Datum, set[str]] = {}  # of which auctions it was the price
        # What was known after each datum, with the latest instant that the process knew of by then.
        self.known: list[tuple[int, Datum | None, Datum | None, tuple[Datum, ...]]] = []
        self.prices: dict[Datum, int] = {}  # the bare last price behind a widened one
        self.standing: list[Datum] = []  # what stands: one datum, or the two sides of a depth
        self.stood: list[Datum] = []  # before the last news: what the clock did first was done on this
        self.printed: Datum | None = None
        self.ranged: Datum | None = None
        self.sequences: dict[str, int] = {}
        self.exact = True  # is it known of each datum whether it was stamped on arrival?
        self.last_number = 0

    def saw(self, datum: Datum, stamped: bool | None, sequence: int | None, auction: str | None, now: int) -> None:
        """A datum arrived. Late and repeated data are no news."""
        news = self.news.get(datum, 0)
        self._saw(datum, stamped, sequence, auction)
        if self.news[datum] > news:
            self.known.append((now, self.printed, self.ranged, tuple(self.standing)))

    def _saw(self, datum: Datum, stamped: bool | None, sequence: int | None, auction: str | None) -> None:
        kind, at, _ = datum
        self.times.add((kind, at))
        self.news.setdefault(datum, 0)
        if stamped is None:
            self.exact = False
        if sequence is not None:
            if sequence <= self.sequences.get(kind, -1):
                return
            self.sequences[kind] = sequence
        fresh = stamped is not False or sequence is not None
        if auction is not None:
            old_call = self.called
            if old_call is not None and (at < old_call[1][1] or (old_call == (auction, datum) and not fresh)):
                return
            self.called = auction, datum
            self.calls.setdefault(datum, set()).add(auction)
        elif kind in ("trade", "bar"):
            old = self.printed if kind == "trade" else self.ranged
            if old is not None and at < old[1]:
                return
            if old == datum and (kind == "bar" or not fresh):
                return
            self.stood = [*self.standing, *(known for known in (self.printed, self.ranged) if known is not None)]
            if kind == "trade":
                self.printed = datum
            else:
                self.ranged = datum
        elif not self._stands(datum, fresh):
            return
        self.news[datum] += 1

    def before(self, ns: int) -> tuple[Datum | None, Datum | None, tuple[Datum, ...]]:
        """The last print, the last bar and what stood when the process had not yet heard of an instant."""
        for now, *known in reversed(self.known):
            if now < ns:
                printed, ranged, standing = known
                return printed, ranged, standing
        return None, None, ()

    def _stands(self, datum: Datum, fresh: bool) -> bool:
        standing = self.standing
        if standing and datum[1] < standing[0][1]:
            return False
        if datum[0] == "depth":
            # Two sides make one depth; the same side again is another one.
            if len(standing) == 1 and standing[0][:2] == datum[:2] and standing[0][2] != datum[2]:
                standing.append(datum)
            else:
                self._replace(datum)
            return True
        if standing == [datum] and not fresh:
            return False
        self._replace(datum)
        return True

    def _replace(self, datum: Datum) -> None:
        self.stood = [*self.standing, *(known for known in (self.printed, self.ranged) if known is not None)]
        self.standing = [datum]


class Sight:
    """What each process was shown of each symbol."""

    def __init__(self, tools: dict[str, Tool], half_spread_bp: Any) -> None:
        self._tools = tools
        self._half_spread = units_of(half_spread_bp)
        self._views: dict[tuple[int, str], View] = {}

    def view(self, process: int, symbol: str) -> View | None:
        """What a process knows of a symbol; None if it was never shown anything."""
        return self._views.get((process, symbol))

    def prices(self, process: int, symbol: str) -> list[int]:
        """Every price that a process was ever shown of a symbol, late ones too: its mark lies between them."""
        view = self.view(process, symbol)
        if view is None:
            return []
        found = list(view.prices.values())
        for kind, _, seen in view.news:
            ends = {"trade": seen[:1], "auction": seen[:1], "bar": seen[:4], "depth": seen[::2]}.get(kind, seen[:2])
            found += [price for price in ends if price is not None]
        return found

    def saw(
        self,
        process: int,
        symbol: str,
        kind: str,
        at: int,
        seen: Seen,
        stamped: bool | None,
        sequence: int | None,
        begins: int | None,
        auction: str | None = None,
        now: int | None = None,
    ) -> None:
        """A datum was delivered."""
        view = self._views.get((process, symbol))
        if view is None:
            view = self._views[process, symbol] = View()
        if kind == "bar":
            view.begins.setdefault((kind, at, tuple(seen)), set()).add(begins)
        if kind != "price":
            view.saw((kind, at, tuple(seen)), stamped, sequence, auction, at if now is None else now)
            return
        last = seen[0]
        tool = self._tools.get(symbol)
        if last is None or tool is None:
            return
        datum = (kind, at, widened(tool, last, self._half_spread))
        view.prices[datum] = last
        view.saw(datum, stamped, sequence, None, at if now is None else now)


def widened(tool: Tool, last: int, half_spread: int) -> Seen:
    """A bare last price as a quote: half a spread on each side, outwards to the tick; nobody at the band's end."""
    half = upwards(last * half_spread, 10_000 * ONE)
    bid: int | None = max(tool.against(last - half, -1), tool.tick)
    ask: int | None = tool.against(last + half, 1)
    if last < tool.tick or (tool.band is not None and last <= tool.band[0]):
        bid = None
    if tool.band is not None and last >= tool.band[1]:
        ask = None
    return bid, ask, None, None
