"""A calendar that raises, or that ends, harms nobody but those who asked it, and takes nothing from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import papertrade as pt
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.instants import SECOND_NS
from papertrade.errors import AccountSuspendedError, InvariantError
from papertrade.testing.short_hours import LENGTH, MINUTE, ShortHours

BASE = 20_000 * LENGTH  # a session begins


class Brittle(ShortHours):
    """Hours of a host's own that raise while ``fault`` is set."""

    fault: Exception | None = None

    def day_close(self, ns: int, extended: bool) -> int:
        if self.fault is not None:
            raise self.fault
        return super().day_close(ns, extended)


def when(minutes: int) -> datetime:
    """So many minutes into the session."""
    return datetime.fromtimestamp((BASE + minutes * MINUTE) // SECOND_NS, UTC)


def hosted(hours: Any, **options: Any) -> tuple[pt.Exchange, dict[str, pt.PaperBroker], dict[str, list[Event]]]:
    """Three accounts on one market; the middle one is squared off, so that committing its steps asks the calendar."""
    exchange = pt.Exchange(clock="data", calendar=hours)
    exchange.add_instrument("ABC")
    exchange.on_quote("ABC", 100, 101, at=when(20))
    brokers = {name: exchange.open_account(name, cash=10_000, **options) for name in ("ann", "zoe")}
    brokers["bob"] = exchange.open_account("bob", cash=10_000, square_off=pt.SquareOff(), **options)
    heard: dict[str, list[Event]] = {name: [] for name in brokers}
    for name, broker in brokers.items():
        broker.subscribe(heard[name].append)
    return exchange, brokers, heard


@pytest.mark.parametrize("minutes", [25, 40, 90], ids=["that fills", "in a break", "after the close"])
@pytest.mark.parametrize("fault", [RuntimeError("no table"), InvariantError("hours", "bob", 1, 2)], ids=["", "check"])
def test_a_calendar_that_raises_when_a_step_is_stored_stops_that_account_only(minutes: int, fault: Exception) -> None:
    """Every other account takes the datum and hears of it; of the one that asked no event is lost either.

    Only a broken check stops an account.
    """
    hours = Brittle()
    exchange, brokers, heard = hosted(hours)
    orders = {name: broker.buy("ABC", 10, limit_price=90, extended_hours=True) for name, broker in brokers.items()}
    hours.fault = fault
    with pytest.raises(type(fault)) as caught:
        exchange.on_quote("ABC", 88, 89, at=when(minutes))
    assert caught.value is fault
    hours.fault = None
    filled = "filled" if minutes == 25 else "accepted"
    for name in ("ann", "zoe"):
        assert brokers[name].order(orders[name]).status == filled
    assert brokers["bob"].order(orders["bob"]).status == filled
    if isinstance(fault, InvariantError):
        with pytest.raises(AccountSuspendedError):
            brokers["bob"].buy("ABC", 1)
    else:
        exchange.on_quote("ABC", 88, 89, at=when(minutes + 1))
        assert [encode_event(event) for event in heard["bob"]] == [
            encode_event(event) for event in list(brokers["bob"].events())[2:]
        ]
    for name in ("ann", "zoe"):
        assert len(heard[name]) == len(list(brokers[name].events())) - 2


def test_a_calendar_that_raises_when_an_account_is_opened_leaves_nothing_behind() -> None:
    """The account is not open by half: asked again, it opens as it is stored."""
    hours = Brittle()
    exchange, brokers, _ = hosted(hours)
    order = brokers["bob"].buy("ABC", 10, limit_price=90)
    brokers["bob"].close()
    hours.fault = RuntimeError("no table")
    for _ in range(2):
        with pytest.raises(RuntimeError):
            exchange.open_account("bob", square_off=pt.SquareOff())
    assert exchange.accounts() == ["ann", "zoe"]
    hours.fault = None
    again = exchange.open_account("bob", square_off=pt.SquareOff())
    exchange.on_quote("ABC", 88, 89, at=when(25))
    assert again.order(order).status == "filled"
