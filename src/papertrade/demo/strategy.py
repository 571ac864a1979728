"""Three small strategies for the bundled day: buy a dip, rest a passive bid, buy a breakout.

They are written against ``Broker`` alone, so they would run on a live broker as they are.
"""

from __future__ import annotations

from decimal import Decimal

from papertrade import Broker, OrderRequest
from papertrade.domain.events import Event, OrderFilled
from papertrade.matching.market import Market

TICK = Decimal("0.01")


def on_tick(price: Decimal) -> Decimal:
    """A price cut to the tick."""
    return price // TICK * TICK


class DipBuyer:
    """Buys once when a symbol falls a share below its first price; later a stop and a target stand around the entry."""

    def __init__(self, broker: Broker, symbol: str, quantity: int, dip: str, stop: str, target: str) -> None:
        self.broker = broker
        self.symbol = symbol
        self.quantity = quantity
        self.dip, self.stop, self.target = Decimal(dip), Decimal(stop), Decimal(target)
        self.first: Decimal | None = None
        self.entered = False

    def on_market(self, market: Market) -> None:
        """Called after each datum of the symbol."""
        mark = market.mark
        if mark is None or self.entered:
            return
        if self.first is None:
            self.first = mark
        if mark <= self.first * (1 - self.dip):
            self.entered = True
            self._enter()

    def _enter(self) -> None:
        entry = self.broker.place_order(
            symbol=self.symbol, side="buy", quantity=self.quantity, client_order_id=f"{self.symbol}-entry"
        )
        price = entry.average_price
        if price is None:
            return
        stop = OrderRequest(
            symbol=self.symbol,
            side="sell",
            quantity=entry.filled_quantity,
            stop_price=on_tick(price * (1 - self.stop)),
            tags={"leg": "stop"},
        )
        target = OrderRequest(
            symbol=self.symbol,
            side="sell",
            quantity=entry.filled_quantity,
            limit_price=on_tick(price * (1 + self.target)),
            tags={"leg": "target"},
        )
        protect = self.broker.place_order(stop)
        self.broker.place_order(
            symbol=target.symbol,
            side=target.side,
            quantity=target.quantity,
            limit_price=target.limit_price,
            oco_with=protect.id,
            tags=target.tags,
        )


class PassiveBuyer:
    """Rests one bid below the market and waits."""

    def __init__(self, broker: Broker, symbol: str, quantity: int, below: str) -> None:
        self.broker = broker
        self.symbol = symbol
        self.quantity = quantity
        self.below = Decimal(below)
        self.placed = False

    def on_market(self, market: Market) -> None:
        """Called after each datum of the symbol."""
        bid = market.bid
        if not self.placed and bid is not None:
            self.placed = True
            self.broker.place_order(
                symbol=self.symbol,
                side="buy",
                quantity=self.quantity,
                limit_price=on_tick(bid * (1 - self.below)),
                time_in_force="day",
            )


class BreakoutBuyer:
    """Buys a rise with a stop order and, the moment that fills, protects it with another: from inside the handler."""

    def __init__(self, broker: Broker, symbol: str, quantity: int, above: str, stop: str) -> None:
        self.broker = broker
        self.symbol = symbol
        self.quantity = quantity
        self.above, self.stop = Decimal(above), Decimal(stop)
        self.entry_id: str | None = None

    def on_market(self, market: Market) -> None:
        """Called after each datum of the symbol."""
        ask = market.ask
        if self.entry_id is None and ask is not None:
            trigger = on_tick(ask * (1 + self.above))
            order = self.broker.place_order(
                symbol=self.symbol, side="buy", quantity=self.quantity, stop_price=trigger, tags={"idea": "breakout"}
            )
            self.entry_id = order.id

    def on_event(self, event: Event) -> None:
        """Called after each fill of the account."""
        if isinstance(event, OrderFilled) and event.order_id == self.entry_id:
            self.broker.place_order(
                symbol=self.symbol,
                side="sell",
                quantity=event.quantity,
                stop_price=on_tick(event.price * (1 - self.stop)),
                tags={"idea": "breakout", "leg": "stop"},
            )
