"""Positions of the day and net positions, with the worked numbers of an Indian broker's conventions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import papertrade as pt
from papertrade.errors import InvalidValueError


def opened(store: str | None = None, cost_method: str = "average") -> pt.PaperBroker:
    return pt.open_paper_broker(
        cash=10_000_000, clock="data", kind="margin", trading_day="Asia/Kolkata", store=store, cost_method=cost_method
    )


def traded(broker: pt.PaperBroker, symbol: str, at: str, *trades: tuple[int, str]) -> None:
    """Trades of a signed size at a price, one a second."""
    for second, (size, price) in enumerate(trades):
        broker.on_quote(symbol, price, price, at=f"{at}:{second:02}+05:30")
        (broker.buy if size > 0 else broker.sell)(symbol, abs(size))


def shown(position: object, fields: str) -> list[Decimal]:
    return [getattr(position, name) for name in fields.split()]


FIELDS = (
    "quantity buy_quantity buy_price buy_value sell_quantity sell_price sell_value average_price value pnl "
    "buy_m2m sell_m2m m2m"
)


@pytest.mark.parametrize("sqlite", [True, False])
def test_carried_in_and_sold_short(sqlite: bool, tmp_path: Path) -> None:
    """Three carried in at 23,057 and closed at 23,232, one more bought, four sold: net flat, and short on the day."""
    broker = opened(str(tmp_path / "paper.db") if sqlite else None)
    traded(broker, "GOLD", "2026-01-05T10:00", (3, "23057"))
    broker.on_quote("GOLD", "23232", "23232", at="2026-01-05T15:00:00+05:30")
    traded(broker, "GOLD", "2026-01-06T10:00", (1, "23388"), (-4, "23340"))
    broker.on_quote("GOLD", "23355", "23355", at="2026-01-06T15:00:00+05:30")
    (net,), (day,) = broker.day_positions(), broker.day_positions("day")
    wanted = "0 4 23139.75 92559 4 23340 93360 0 801 801 93084 93360 276"
    assert " ".join(map(str, shown(net, FIELDS))) == wanted
    wanted = "-3 1 23388 23388 4 23340 93360 23340 69972 -93 23388 93360 -93"
    assert " ".join(map(str, shown(day, FIELDS))) == wanted
    assert (net.overnight_quantity, net.close_price, day.overnight_quantity) == (3, 23232, 0)
    assert net.day_profit == broker.account().day_profit == 276
    assert net.total_profit == 801
    broker.close()


def test_bought_again_on_the_same_day() -> None:
    """The price at which was bought is the average of all that was bought, also of what is closed."""
    broker = opened()
    traded(broker, "ABC", "2026-01-05T10:00", (50, "280"), (-50, "287"), (70, "283"))
    broker.on_quote("ABC", "280", "280", at="2026-01-05T11:00:00+05:30")
    (net,) = broker.day_positions()
    assert shown(net, "buy_value sell_value average_price pnl m2m") == [33810, 14350, Decimal("281.75"), 140, 140]


@pytest.mark.parametrize(("method", "realized", "average"), [("fifo", 3000, 120), ("average", 2000, 110)])
def test_first_lots_or_the_average(method: str, realized: int, average: int) -> None:
    """What is realized differs by the method, and not what both come to."""
    broker = opened(cost_method=method)
    traded(broker, "ABC", "2026-01-05T10:00", (100, "100"), (100, "120"), (-100, "130"))
    position = broker.position("ABC")
    assert (position.realized, position.average_price) == (realized, average)
    traded(broker, "ABC", "2026-01-05T11:00", (-100, "125"))
    assert broker.account().realized == broker.day_summary().realized == 3500


def test_marked_to_market_day_by_day() -> None:
    """65 bought at 25,010, settled at 25,100 and 24,950, sold at 25,080: the days sum to what the trade brought."""
    broker = opened()
    traded(broker, "NIFTY", "2026-01-05T10:00", (65, "25010"))
    broker.on_quote("NIFTY", "25100", "25100", at="2026-01-05T15:30:00+05:30")
    assert broker.day_positions()[0].m2m == 5850
    broker.on_quote("NIFTY", "24950", "24950", at="2026-01-06T15:30:00+05:30")
    assert broker.day_positions()[0].m2m == -9750
    assert broker.day_positions("day") == []
    traded(broker, "NIFTY", "2026-01-07T10:00", (-65, "25080"))
    assert broker.day_positions()[0].m2m == 8450
    profits = [day.profit for day in broker.day_summaries()]
    assert profits == [5850, -9750, 8450]
    assert sum(profits) == broker.account().realized == broker.day_positions()[0].total_profit == 4550


def test_nothing_open_and_nothing_known() -> None:
    """Before a day there are none; a view that nobody knows is refused; a price that is missing is said."""
    broker = opened()
    assert broker.day_positions() == []
    with pytest.raises(InvalidValueError, match="'net' or 'day'"):
        broker.day_positions("week")
    traded(broker, "ABC", "2026-01-05T10:00", (10, "100"))
    broker.import_positions([{"symbol": "XYZ", "quantity": 5, "average_price": 20}])
    abc, xyz = broker.day_positions()
    assert (xyz.buy_value, xyz.last_price, xyz.pnl, xyz.total_profit) == (100, None, None, None)
    assert (abc.pnl, abc.last_is_stale, xyz.last_is_stale) == (0, False, True)
