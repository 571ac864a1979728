"""Squaring off by venue: several rules beside each other, and the times of brokers that ship."""

from __future__ import annotations

from typing import Any

import pytest

import papertrade as pt
from papertrade.errors import InvalidValueError

SHARES, CONTRACTS, GOLD = "NSE:INFY", "NFO:NIFTY26AUGFUT", "MCX:GOLDM"


def opened(rules: Any, noon: str, calendars: dict[str, str]) -> pt.PaperBroker:
    """An account that holds one of each at noon."""
    exchange = pt.Exchange(clock="data")
    for symbol, calendar in calendars.items():
        exchange.add_instrument(symbol, currency="INR", calendar=calendar)
    broker = exchange.open_account("main", cash="10000000", currency="INR", kind="margin", square_off=rules)
    for symbol in calendars:
        exchange.on_quote(symbol, 99, 100, 50, 50, at=noon)
        broker.buy(symbol, 1)
    return broker


def flats(broker: pt.PaperBroker) -> dict[str, str]:
    """When everything was due to be closed, by calendar, in UTC."""
    found = broker.events(kinds="squared_off")
    return {e.calendar: f"{e.at:%H:%M}" for e in found if e.stage == "flat"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("day", "shares", "expected"),
    [
        ("2026-07-31", "XNSE-CAS", "09:50"),  # 15:20: the last day without a closing auction
        ("2026-08-03", "XNSE-CAS", "09:42"),  # 15:12
        ("2026-08-03", "XNSE", "09:50"),
        ("2026-08-03", "XBOM", "09:50"),
    ],
)
def test_the_times_of_zerodha(day: str, shares: str, expected: str) -> None:
    """Shares by whether they have a closing auction, derivatives 15:25, currencies 16:45, commodities by the close."""
    calendars = {SHARES: shares, CONTRACTS: "NFO", "CDS:USDINR": "CDS", GOLD: "MCX"}
    broker = opened("zerodha", f"{day}T06:30:00Z", calendars)
    broker.advance(f"{day}T18:20:00Z")  # 23:50 in India
    assert flats(broker) == {shares: expected, "NFO": "09:55", "CDS": "11:15", "MCX": "17:35"}  # 23:05: closes 23:30


def test_commodities_close_later_while_america_has_winter_time() -> None:
    """25 minutes before 23:55."""
    broker = opened("zerodha", "2026-12-01T06:30:00Z", {GOLD: "MCX"})
    broker.advance("2026-12-01T18:26:00Z")
    assert flats(broker) == {"MCX": "18:00"}


def test_rules_are_listed_among_the_assumptions() -> None:
    """Of the account, and of each product that has its own; an account without any says nothing of it."""
    products = [pt.Product("MIS", square_off="zerodha"), pt.Product("CNC")]
    broker = pt.open_paper_broker(cash=1, square_off=pt.SquareOff(minutes_before_close=7), products=products)
    account, product = (line for line in broker.assumptions() if "squared off" in line)
    assert account == "squared off: each market with hours 7 minutes before the close"
    assert product.startswith(
        "MIS is squared off: XBOM-CAS, XNSE-CAS at 15:20 from 2000-01-01, 15:12 from 2026-08-03, else 10 minutes before"
        " the close; XBOM, XNSE at 15:20, else 10 minutes before the close; "
    )
    assert product.endswith("; MCX 25 minutes before the close")
    assert not any("squared off" in line for line in pt.open_paper_broker(cash=1).assumptions())


def test_of_several_rules_the_first_that_is_for_a_calendar_holds() -> None:
    """And a market that none is for is left alone."""
    rules = [
        pt.SquareOff(minutes_before_close=20, calendars="NFO"),
        pt.SquareOff(minutes_before_close=30, calendars=["NSE", "NFO"]),
    ]
    broker = opened(rules, "2026-07-31T06:30:00Z", {SHARES: "XNSE", CONTRACTS: "NFO", GOLD: "MCX"})
    broker.advance("2026-07-31T18:20:00Z")
    assert flats(broker) == {"XNSE": "09:30", "NFO": "09:40"}
    for symbol in (SHARES, CONTRACTS):
        assert [order.tags for order in broker.orders(symbol=symbol)][-1] == {"by": "square_off"}
    assert len(broker.orders(symbol=GOLD)) == 1


def test_a_product_has_rules_by_venue_too() -> None:
    """Two rules of one product; what it does not name is carried, whatever the account's rule says."""
    rules = [pt.SquareOff(at="15:20", calendars="XNSE"), pt.SquareOff(at="15:25", calendars="NFO")]
    product = pt.Product("MIS", square_off=rules)
    assert product.square_off == tuple(rules)
    assert pt.Product("MIS", square_off=rules[0]).square_off == (rules[0],)
    assert len(pt.Product("MIS", square_off="zerodha").square_off or ()) == 5
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument(SHARES, currency="INR", calendar="XNSE")
    exchange.add_instrument(CONTRACTS, currency="INR", calendar="NFO")
    products = [pt.Product("MIS", square_off="zerodha"), "NRML"]
    broker = exchange.open_account("main", cash="10000000", currency="INR", kind="margin", products=products)
    for symbol in (SHARES, CONTRACTS):
        exchange.on_quote(symbol, 99, 100, 50, 50, at="2026-07-31T06:30:00Z")
        broker.buy(symbol, 2, product="MIS")
        broker.buy(symbol, 1, product="NRML")
    broker.advance("2026-07-31T09:51:00Z")
    exchange.on_quote(SHARES, 98, 99, 50, 50, at="2026-07-31T09:51:01Z")
    exchange.on_quote(CONTRACTS, 98, 99, 50, 50, at="2026-07-31T09:51:02Z")
    held = {(row.symbol, row.product): row.quantity for row in broker.positions()}
    assert held == {(SHARES, "NRML"): 1, (CONTRACTS, "MIS"): 2, (CONTRACTS, "NRML"): 1}


WRONG = ["kite", [], [pt.SquareOff(), None], {"XNSE": pt.SquareOff()}, 15, [pt.SquareOff()] * 33]


@pytest.mark.parametrize("rules", WRONG)
def test_something_else_than_rules_is_refused(rules: Any) -> None:
    """The error says what is accepted, and nothing is opened."""
    exchange = pt.Exchange(clock="data")
    with pytest.raises(InvalidValueError, match=r"square_off.*a SquareOff, a list of them.*'zerodha'"):
        exchange.open_account("main", cash=1, square_off=rules)
    with pytest.raises(InvalidValueError, match="a SquareOff, a list of them"):
        pt.Product("MIS", square_off=rules)
    assert exchange.accounts() == []
