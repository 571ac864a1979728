"""The asynchronous face: a feed and a strategy as two tasks of one event loop."""

import asyncio

import papertrade as pt

QUOTES = [("99.98", "100.02"), ("99.90", "99.94"), ("99.80", "99.84"), ("99.95", "99.99"), ("100.20", "100.24")]


async def feed(broker: pt.AsyncPaperBroker) -> None:
    """Where a real program would read its data."""
    for number, (bid, ask) in enumerate(QUOTES):
        await broker.on_quote("ABC", bid, ask, 500, 500, at=f"2026-01-05T14:30:0{number}Z")
        await asyncio.sleep(0)  # let the strategy have its turn


async def buy_then_sell(broker: pt.AsyncBroker) -> None:
    """Written against the protocol: buy a dip, wait for it, sell the rise, wait for it."""
    entry = await broker.place_order(symbol="ABC", side="buy", quantity=100, limit_price="99.85")
    entry = await broker.wait(entry, timeout_s=5)
    print(f"in:  {entry!r}")
    target = await broker.place_order(symbol="ABC", side="sell", quantity=100, limit_price="100.10")
    target = await broker.wait(target, timeout_s=5)
    print(f"out: {target!r}")


async def main() -> None:
    broker = await pt.open_async_paper_broker(cash=20_000, clock="data")
    await broker.on_quote("ABC", "100.00", "100.04", at="2026-01-05T14:29:59Z")
    strategy = asyncio.create_task(buy_then_sell(broker))
    await asyncio.sleep(0)  # the strategy places its first order
    await feed(broker)
    await strategy
    account = await broker.account()
    print(f"realized {account.realized}, cash {account.total} {account.currency}")


if __name__ == "__main__":
    asyncio.run(main())
