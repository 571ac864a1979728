"""papertrade's side of the peers' benchmark: workloads W1 to W4 through the public face.

Settings, because figures without them say nothing: one exchange with ``clock="data"``, ``threadsafe=True``, the memory
store; one account without fees, a cash account in W1 and W4, a margin account in W2 and W3, which go short; fill
settings ``realistic`` (displayed sizes respected).
W1, W3 and W4 use whole ticks (``exchange.tape``); with ``PAPERTRADE_TEXT=1`` W1 gives its prices as text to
``on_quote``. W2 uses ``limit_fill="touch"`` and ``bar_entry="close"``, the convention of the workload, without volumes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import repeat

import kit

import papertrade as pt

TEXT = os.environ.get("PAPERTRADE_TEXT") == "1"


def build(shorts: bool, **settings: object) -> tuple[pt.Exchange, pt.PaperBroker]:
    exchange = pt.Exchange(clock="data", fill=pt.FillSettings.preset("realistic", **settings))
    exchange.add_instrument("X")
    margin = pt.FlatMargin(initial="0.1", maintenance="0.05") if shorts else None
    return exchange, exchange.open_account("bench", cash=kit.CASH, margin=margin)


def stamps(n: int, step: int) -> range:
    return range(kit.START_NS, kit.START_NS + n * step, step)


def outcome(run: kit.Run, broker: pt.PaperBroker) -> None:
    account = broker.account()
    run.outcome(len(broker.fills()), account.equity - kit.CASH)


def alternate(broker: pt.PaperBroker, every: int, orders: int) -> Callable[[object], None]:
    n = sent = 0

    def on_quote(market: object) -> None:
        nonlocal n, sent
        if n % every == 0 and sent < orders:
            if sent % 2 == 0:
                broker.buy("X", kit.UNITS)
            else:
                broker.sell("X", kit.UNITS)
            sent += 1
        n += 1

    return on_quote


def market(run: kit.Run, n: int, every: int, orders: int) -> None:
    with run.prepare():
        bid, ask = kit.quotes(n)
        exchange, broker = build(shorts=False)
        exchange.subscribe_market("X", alternate(broker, every, orders))
        if TEXT:
            rows = [(f"{b / 100:.2f}", f"{a / 100:.2f}") for b, a in zip(bid, ask, strict=True)]
    if TEXT:
        on_quote = exchange.on_quote
        with run.timed(n, orders):
            for at, (b, a) in zip(stamps(n, kit.QUOTE_STEP_NS), rows, strict=True):
                on_quote("X", b, a, "1000", "1000", at)
    else:
        quote = exchange.tape("X").quote
        with run.timed(n, orders):
            for at, b, a in zip(stamps(n, kit.QUOTE_STEP_NS), bid, ask, strict=True):
                quote(b, a, kit.SIZE, kit.SIZE, at)
    outcome(run, broker)


def w1(run: kit.Run) -> None:
    market(run, kit.W1_QUOTES, kit.W1_EVERY, kit.W1_QUOTES // kit.W1_EVERY)


def w4(run: kit.Run) -> None:
    market(run, kit.W4_ORDERS + 1, 1, kit.W4_ORDERS)


def w2(run: kit.Run) -> None:
    tick = pt.Instrument("X").tick_size
    n = 0
    with run.prepare():
        columns = kit.bars()
        exchange, broker = build(shorts=True, limit_fill="touch", bar_entry="close")
        closes = columns[3]

        def on_bar(market: object) -> None:
            nonlocal n
            if n % kit.W2_EVERY == 0:
                up = n // kit.W2_EVERY % 2 == 0
                gap = kit.BRACKET if up else -kit.BRACKET
                side, exit_side = (pt.Side.BUY, pt.Side.SELL) if up else (pt.Side.SELL, pt.Side.BUY)
                broker.place_order(symbol="X", side=side, quantity=kit.UNITS)
                stop, limit = (closes[n] - gap) * tick, (closes[n] + gap) * tick
                broker.place_oco(
                    pt.OrderRequest(symbol="X", side=exit_side, quantity=kit.UNITS, stop_price=stop),
                    pt.OrderRequest(symbol="X", side=exit_side, quantity=kit.UNITS, limit_price=limit),
                )
            n += 1

        exchange.subscribe_market("X", on_bar)
        bar = exchange.tape("X").bar
    with run.timed(kit.W2_BARS, kit.W2_BARS // kit.W2_EVERY):
        for at, o, h, l, c, v in zip(stamps(kit.W2_BARS, kit.BAR_STEP_NS), *columns, repeat(None)):
            bar(o, h, l, c, v, at)
    outcome(run, broker)


def w3(run: kit.Run, count: int) -> None:
    n = 0
    stamp = 0.0
    tick = pt.Instrument("X").tick_size
    with run.prepare():
        bid, ask = kit.quotes(kit.W3_QUOTES)
        exchange, broker = build(shorts=True)

        def on_quote(market: object) -> None:
            nonlocal n, stamp
            n += 1
            if n == 1:
                for is_buy, ticks in kit.resting_orders(count):
                    (broker.buy if is_buy else broker.sell)("X", 1, limit_price=ticks * tick)
            elif n == 2:
                stamp = time.perf_counter()

        exchange.subscribe_market("X", on_quote)
        quote = exchange.tape("X").quote
    with run.timed(kit.W3_QUOTES, count):
        for at, b, a in zip(stamps(kit.W3_QUOTES, kit.QUOTE_STEP_NS), bid, ask, strict=True):
            quote(b, a, kit.SIZE, kit.SIZE, at)
    run.resting_from(stamp, kit.W3_QUOTES - 2)
    outcome(run, broker)


if __name__ == "__main__":
    kit.main(sys.modules[__name__].__dict__)
