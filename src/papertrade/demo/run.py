"""The demo itself: the bundled day, replayed through three small strategies on one paper account."""

from __future__ import annotations

from papertrade import PaperBroker, PerUnitFee, open_paper_broker
from papertrade.demo.day import read_day
from papertrade.demo.report import lines
from papertrade.demo.strategy import BreakoutBuyer, DipBuyer, PassiveBuyer


def replay() -> PaperBroker:
    """Replay the bundled day and answer the broker as it stands at the end."""
    broker = open_paper_broker(
        cash=100_000,
        clock="data",
        fees=PerUnitFee("0.005", minimum="1"),
        trading_day="America/New_York",
    )
    dip = DipBuyer(broker, "ACME", 200, dip="0.006", stop="0.004", target="0.019")
    passive = PassiveBuyer(broker, "ZINC", 500, below="0.003")
    breakout = BreakoutBuyer(broker, "ACME", 100, above="0.011", stop="0.002")
    broker.subscribe_market("ACME", dip.on_market)
    broker.subscribe_market("ACME", breakout.on_market)
    broker.subscribe(breakout.on_event, kinds="order_filled")
    broker.subscribe_market("ZINC", passive.on_market)
    for row in read_day():
        if row.kind == "quote":
            broker.on_quote(row.symbol, row.bid, row.ask, row.bid_size, row.ask_size, at=row.at)
        elif row.price is not None:
            broker.on_trade(row.symbol, row.price, row.size, at=row.at)
    return broker


def main() -> None:
    """Print the report of the bundled day."""
    broker = replay()
    print("papertrade demo: the bundled day of ACME and ZINC, 2026-01-05, on one paper account")
    print("(made by a seeded generator; every run on every machine prints this)")
    for line in lines(broker):
        print(line)
    print(f"\nstate digest {broker.digest()}")
