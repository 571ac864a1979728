"""A day that began without prices is measured as if the first ones had been known when it began."""

from __future__ import annotations

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.testing.invariants import check_account

LOSS = pt.RiskLimits(max_daily_loss=5_000)
MONDAY, TUESDAY = "2026-01-05", "2026-01-06"


class Life:
    """One account, held by one process after another."""

    def __init__(self, limits: pt.RiskLimits | None = LOSS, **options: object) -> None:
        self.store = MemoryStore()
        self.limits, self.options = limits, options
        self.versions: list[int] = []
        self.start()
        for symbol in ("ABC", "XYZ"):
            self.quote(symbol, 100, f"{MONDAY}T14:00:00Z")

    def start(self) -> None:
        self.exchange = pt.Exchange(self.store, clock="data")
        for symbol in ("ABC", "XYZ"):
            self.exchange.add_instrument(symbol)
        self.broker = self.exchange.open_account("main", cash=200_000, limits=self.limits, **self.options)  # type: ignore[arg-type]

    def restart(self) -> None:
        self.versions.append(self.broker.account().version)
        self.start()

    def quote(self, symbol: str, price: int, at: str) -> None:
        self.exchange.on_quote(symbol, f"{price - 1}.99", f"{price}.01", at=at)

    def revalued(self) -> list[str]:
        return [str(event.equity) for event in self.broker.events(kinds="day_revalued")]  # type: ignore[union-attr]

    def check(self) -> None:
        check_account(self.broker, restarts=self.versions)


def carried(**options: object) -> Life:
    """1000 ABC bought at 100.01 on Monday, at 94 when the process ends."""
    life = Life(**options)  # type: ignore[arg-type]
    life.broker.buy("ABC", 1000)
    life.quote("ABC", 94, f"{MONDAY}T20:00:00Z")
    life.restart()
    return life


def test_nothing_is_judged_before_the_price_is_known() -> None:
    """The day opens at cost and says so; its profit is unknown, until the first price makes it nothing."""
    life = carried(limits=pt.RiskLimits(max_daily_loss=7_000))
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    opened = life.broker.events(kinds="day_opened")[-1].to_dict()
    assert (opened["unmarked"], opened["stale_marks"]) == (("ABC",), 1)
    assert (life.broker.account().day_profit, life.broker.account().day_base) == (None, None)
    life.quote("ABC", 93, f"{TUESDAY}T14:00:00Z")
    assert (life.broker.account().day_profit, life.revalued()) == (0, ["192990"])
    assert life.broker.account().latched == ()
    life.quote("ABC", 87, f"{TUESDAY}T15:00:00Z")
    assert life.broker.account().day_profit == -6_000
    account = life.broker.account()
    assert account.day_base == account.day_opening_equity == account.equity + 6_000
    life.quote("ABC", 85, f"{TUESDAY}T15:01:00Z")
    assert life.broker.account().latched == ("max_daily_loss",)
    life.check()


def test_an_account_without_limits_is_measured_rightly_too() -> None:
    """Nobody watches its losses; its day is valued all the same, once, by the first datum."""
    life = carried(limits=None)
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC", 93, f"{TUESDAY}T14:00:00Z")
    version = life.broker.account().version
    life.quote("ABC", 92, f"{TUESDAY}T14:01:00Z")
    account = life.broker.account()
    assert (account.day_profit, account.version, life.revalued()) == (-1_000, version, ["192990"])
    life.check()


def test_what_was_lost_elsewhere_meanwhile_is_lost_today() -> None:
    """A trade in another symbol and a deposit before the price was known are what they are."""
    life = carried()
    life.quote("XYZ", 100, f"{TUESDAY}T14:00:00Z")
    life.broker.buy("XYZ", 500)
    life.broker.deposit(1_234)
    life.quote("XYZ", 98, f"{TUESDAY}T14:01:00Z")
    life.broker.sell("XYZ", 500)
    assert life.broker.account().latched == ()
    life.quote("ABC", 90, f"{TUESDAY}T14:02:00Z")
    assert life.broker.account().day_profit == -1_010  # 500 × (97.99 − 100.01)
    assert life.broker.account().latched == ()
    life.check()


def test_a_holding_that_trades_first_is_measured_from_that_price() -> None:
    """Sold at its first price, bought back, and the process began anew: the price of the sale is the day's first."""
    life = carried()
    life.broker.buy("XYZ", 1)  # nothing stands: it waits, and the day has begun
    life.quote("ABC", 93, f"{TUESDAY}T14:00:00Z")
    assert life.revalued() == ["192990"]
    life = carried()
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.broker.sell("ABC", 1000, client_order_id="out")
    life.quote("ABC", 93, f"{TUESDAY}T14:00:00Z")
    assert life.revalued() == ["192980"]
    assert life.broker.account().day_profit == 0
    life.check()


def test_what_was_sold_before_all_was_known_needs_no_price_any_more() -> None:
    """Of two holdings one is sold at its first price; another process hears only of the other."""
    life = Life()
    life.broker.buy("ABC", 500)
    life.broker.buy("XYZ", 500)
    life.restart()
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC", 93, f"{TUESDAY}T14:00:00Z")
    life.broker.sell("ABC", 500)
    assert life.revalued() == []
    life.restart()
    life.quote("XYZ", 99, f"{TUESDAY}T14:00:00Z")
    # Cash of 99990 and two holdings: the one at the price it was sold for, the other at its mark.
    assert life.revalued() == [str(200_000 - 2 * 50_005 + 500 * 92.99 + 500 * 99).removesuffix(".0")]
    assert life.broker.account().day_profit == 0
    life.check()


def test_an_equity_at_cost_is_no_peak() -> None:
    """A holding at a loss does not raise the peak of the drawdown when a day opens at cost."""
    life = Life(limits=pt.RiskLimits(max_drawdown=5_000))
    life.broker.buy("ABC", 900)
    life.quote("ABC", 96, f"{MONDAY}T15:00:00Z")  # 3600 below
    life.broker.buy("XYZ", 100)
    life.quote("XYZ", 130, f"{MONDAY}T15:01:00Z")
    life.broker.sell("XYZ", 100)  # 3000 above: equity was never above 200000 by more than a few hundred
    life.restart()
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC", 96, f"{TUESDAY}T14:00:00Z")
    life.quote("ABC", 95, f"{TUESDAY}T14:01:00Z")
    life.quote("ABC", 94, f"{TUESDAY}T14:02:00Z")  # 5400 below cost, 2400 below what was there
    assert life.broker.account().latched == ()
    life.check()


@pytest.mark.parametrize("missing", ["ABC", "XYZ"])
def test_the_last_price_decides_when(missing: str) -> None:
    """With one price of two the day stays unvalued; a restart in between changes nothing of that."""
    life = Life()
    life.broker.buy("ABC", 100)
    life.broker.buy("XYZ", 100)
    life.restart()
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC" if missing == "XYZ" else "XYZ", 90, f"{TUESDAY}T14:00:00Z")
    assert (life.revalued(), life.broker.account().day_profit) == ([], None)
    life.restart()
    life.quote("ABC" if missing == "XYZ" else "XYZ", 90, f"{TUESDAY}T14:00:00Z")
    life.quote(missing, 95, f"{TUESDAY}T14:01:00Z")
    assert (life.revalued(), life.broker.account().day_profit) == (["198498"], 0)
    life.check()


def came_in() -> Life:
    """ABC and XYZ imported at 100 by a process that nobody has given a price yet; the account has begun its day."""
    life = Life(limits=pt.RiskLimits(max_drawdown=5_000))
    life.broker.buy("ABC", 1)
    life.broker.sell("ABC", 1)
    life.restart()
    life.broker.import_positions(
        [{"symbol": symbol, "quantity": 200, "average_price": "100"} for symbol in ("ABC", "XYZ")]
    )
    return life


def test_what_came_in_and_was_marked_before_midnight_is_no_drawdown() -> None:
    """At midnight one of two imports has a mark, at 50; the peak counts both at what they first were worth."""
    life = came_in()
    life.quote("XYZ", 50, f"{MONDAY}T20:00:00Z")
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    assert life.broker.account().day_profit is None
    life.quote("ABC", 100, f"{TUESDAY}T14:00:00Z")  # 10000 less than XYZ was booked at, and nothing lost
    assert (life.broker.account().latched, life.broker.account().day_profit) == ((), 0)
    life.quote("XYZ", 40, f"{TUESDAY}T14:01:00Z")
    assert life.broker.account().latched == ()
    life.quote("XYZ", 24, f"{TUESDAY}T14:02:00Z")  # 5200 lost since it had a price
    assert life.broker.account().latched == ("max_drawdown",)
    life.check()


def test_what_came_in_and_was_sold_before_midnight_is_no_drawdown() -> None:
    """One of two imports is gone by midnight, sold at its first price: what it cost elsewhere was not lost here."""
    life = came_in()
    life.quote("XYZ", 50, f"{MONDAY}T20:00:00Z")
    life.broker.sell("XYZ", 200)
    life.restart()
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC", 100, f"{TUESDAY}T14:00:00Z")
    assert (life.broker.account().latched, life.broker.account().day_profit) == ((), 0)
    life.check()


def test_what_came_in_beside_a_holding_does_not_take_its_loss_along() -> None:
    """100 ABC of our own fell by 60 while nobody told us; the 10 that came in beside them do not explain that away."""
    life = Life(limits=pt.RiskLimits(max_drawdown=5_000))
    life.broker.buy("ABC", 100)
    life.restart()
    life.broker.import_positions([{"symbol": "ABC", "quantity": 10, "average_price": "100"}])
    life.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    life.quote("ABC", 40, f"{TUESDAY}T14:00:00Z")
    assert life.broker.account().latched == ("max_drawdown",)
    life.check()


@pytest.mark.parametrize("limit", ["max_drawdown", "max_daily_loss"])
def test_a_loss_is_not_measured_anew_from_what_positions_once_cost(limit: str) -> None:
    """Without a price nobody knows the equity to measure from: the first price would be a loss since the reset."""
    life = Life(limits=pt.RiskLimits(**{limit: 5_000}))  # type: ignore[arg-type]
    life.broker.buy("ABC", 1000)
    life.quote("ABC", 94, f"{MONDAY}T20:00:00Z")
    assert life.broker.account().latched == (limit,)
    life.restart()
    before = life.broker.digest()
    with pytest.raises(pt.UsageError, match=f"{limit} cannot be measured anew before there is a price of ABC"):
        life.broker.reset_limit(limit, command_id="again")
    assert life.broker.digest() == before
    life.quote("ABC", 94, f"{MONDAY}T20:01:00Z")
    assert life.broker.reset_limit(limit, command_id="again").latched == ()
    life.quote("ABC", 90, f"{MONDAY}T20:02:00Z")
    assert life.broker.account().latched == ()
    life.quote("ABC", 89, f"{MONDAY}T20:03:00Z")  # 5000 since the reset
    assert life.broker.account().latched == (limit,)
    life.check()


def test_what_needs_no_price_is_reset_without_one() -> None:
    """The kill switch measures nothing; a limit that is not latched stays as it is; a repeated key did it before."""
    life = carried(limits=pt.RiskLimits(max_drawdown=5_000))
    life.broker.kill()
    assert life.broker.reset_limit("kill_switch").latched == ("max_drawdown",)
    assert life.broker.reset_limit("max_daily_loss").latched == ("max_drawdown",)
    life.quote("ABC", 94, f"{MONDAY}T20:01:00Z")
    life.broker.reset_limit("max_drawdown", command_id="k")
    life.restart()
    assert life.broker.reset_limit("max_drawdown", command_id="k").latched == ()
    life.check()


def test_an_import_after_a_reset_does_not_bring_the_old_peak_back() -> None:
    """The drawdown is measured from the reset, not from what the day began with, also once an import has its price."""
    life = Life(limits=pt.RiskLimits(max_drawdown=5_000))
    life.broker.buy("ABC", 1000)
    life.quote("ABC", 94, f"{MONDAY}T20:00:00Z")
    life.broker.reset_limit("max_drawdown")
    life.restart()
    life.quote("ABC", 94, f"{MONDAY}T20:01:00Z")
    life.broker.import_positions([{"symbol": "XYZ", "quantity": 10, "average_price": "100"}])
    life.quote("XYZ", 100, f"{MONDAY}T20:02:00Z")
    assert (len(life.revalued()), life.broker.account().latched) == (1, ())
    life.check()
