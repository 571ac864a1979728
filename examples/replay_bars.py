"""A replay in a loop: one-minute bars, a moving-average strategy, and the fills with the rules that made them.

The bars are made up by a small formula, so the program needs no file and prints the same every time.
"""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

import papertrade as pt

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Bar(TypedDict):
    """What ``on_bar`` takes."""

    symbol: str
    open: str
    high: str
    low: str
    close: str
    volume: int
    start: datetime
    end: datetime


def made_up_bars(count: int) -> Iterator[Bar]:
    """A price that climbs and falls in waves, in whole cents."""
    price = 10_000
    for i in range(count):
        step = (i % 40 - 20) * (1 if i // 40 % 2 else -1) // 2
        close = price + step
        high, low = max(price, close) + 3, min(price, close) - 3
        start = START + i * MINUTE
        yield {
            "symbol": "WAVE",
            "open": cents(price),
            "high": cents(high),
            "low": cents(low),
            "close": cents(close),
            "volume": 5_000,
            "start": start,
            "end": start + MINUTE,
        }
        price = close


def cents(count: int) -> str:
    """Whole cents as the text of a price."""
    return f"{count // 100}.{count % 100:02d}"


class Crossover:
    """Long while the last close is above the average of the last closes, flat otherwise."""

    def __init__(self, broker: pt.PaperBroker, symbol: str, length: int) -> None:
        self.broker, self.symbol = broker, symbol
        self.closes: deque[Decimal] = deque(maxlen=length)

    def on_close(self) -> None:
        """Called after each bar; what it orders meets the next one."""
        mark = self.broker.market(self.symbol).mark
        if mark is None:
            return
        self.closes.append(mark)
        if len(self.closes) < (self.closes.maxlen or 0):
            return
        above = mark * len(self.closes) > sum(self.closes)
        held = self.broker.position(self.symbol).quantity
        if self.broker.orders("open"):
            return
        if above and not held:
            self.broker.buy(self.symbol, 100)
        elif not above and held:
            self.broker.close_position(self.symbol)


def main() -> None:
    broker = pt.open_paper_broker(cash=50_000, clock="data", fees=pt.PerUnitFee("0.005", minimum=1))
    strategy = Crossover(broker, "WAVE", length=12)
    for bar in made_up_bars(240):
        broker.on_bar(**bar)
        strategy.on_close()

    print("Fills:")
    for fill in broker.fills():
        print(f"  {fill.filled_at:%H:%M}  {fill.side:4} {fill.quantity:f} at {fill.price:f}  rule {fill.rule}")
    account = broker.account()
    print(f"\nrealized {account.realized:.2f}, fees {account.fees:.2f}, equity {account.equity:.2f} {account.currency}")
    print(f"the last fill: {broker.explain(broker.fills()[-1].order_id)}")


if __name__ == "__main__":
    main()
