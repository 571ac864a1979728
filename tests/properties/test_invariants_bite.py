"""An invariant that cannot fail guards nothing: each one is shown a falsified account and has to object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from strategies_trading import SECOND, START

from papertrade import open_paper_broker
from papertrade.domain.events import (
    CashDeposited,
    DayClosed,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PositionConverted,
    TradesSettled,
)
from papertrade.ledger.fee_models import PerUnitFee
from papertrade.paper import PaperBroker
from papertrade.testing.case import BrokenInvariantError, Case
from papertrade.testing.invariants import CHECKS, check_account


def small_story() -> PaperBroker:
    """A few fills of every sort, a keyed order, a pair, a cancellation, a refusal, a conversion; it settles."""
    options: Any = {"settlement": "T+1", "products": ["CNC", "NRML"]}
    broker = open_paper_broker(cash=10_000, clock="data", fees=PerUnitFee("0.05"), **options)
    broker.on_quote("X", "10.00", "10.02", 100, 100, at=START)
    broker.buy("X", 30, client_order_id="first")
    broker.sell("X", 10, stop_price="9.90")
    broker.on_quote("X", "9.89", "9.91", 100, 100, at=START + SECOND)
    broker.buy("X", 5, limit_price="9.80", post_only=True)
    broker.on_trade("X", "9.79", 5, at=START + 2 * SECOND)
    broker.on_bar("X", "9.8", "9.9", "9.7", "9.85", 500, end=START + 3 * SECOND)
    one = broker.buy("X", 5, limit_price="9.00")
    broker.link_orders(one, broker.buy("X", 5, limit_price="9.10"))
    broker.cancel_order(broker.buy("X", 1, limit_price="9.00"))
    broker.buy("X", "0.5")
    broker.sell("X", 1, time_in_force="ioc", reduce_only=True)
    broker.convert_position("X", 3, from_product="CNC", to_product="NRML")
    broker.advance(START + 86_400 * SECOND)
    return broker


def every(kind: type, where: Callable[[Any], bool] = lambda event: True, **changes: Any) -> Callable[[Case], None]:
    """Falsify the first event of a kind: a value, or a function of the old one."""

    def falsify(case: Case) -> None:
        for index, event in enumerate(case.events):
            if isinstance(event, kind) and where(event):
                new = {n: v(getattr(event, n)) if callable(v) else v for n, v in changes.items()}
                case.events[index] = event._replace(**new)
                break
        else:
            pytest.fail(f"the story has no such {kind.__name__}")
        case.fills = case.of(OrderFilled)

    return falsify


def view(**more: int) -> Callable[[Case], None]:
    """Falsify figures of the account."""

    def falsify(case: Case) -> None:
        case.view = case.view._replace(**{name: getattr(case.view, name) + units for name, units in more.items()})

    return falsify


def order(**changes: Any) -> Callable[[Case], None]:
    """Falsify the first order."""

    def falsify(case: Case) -> None:
        twin = case.orders[0].copy()
        for name, value in changes.items():
            setattr(twin, name, value)
        case.orders[0] = twin

    return falsify


def event_after_the_end(case: Case) -> None:
    canceled = case.of(OrderCanceled)[0]
    case.events.append(canceled._replace(version=len(case.events) + 1))


def fill_lost(case: Case) -> None:
    case.fills = case.fills[1:]


def entry_twice(case: Case) -> None:
    case.entries.append(case.entries[0])


def entry_of_another_currency(case: Case) -> None:
    case.entries[0] = case.entries[0]._replace(currency="EUR")


def event_lost(case: Case) -> None:
    del case.events[4]


def books_off_by_one(case: Case) -> None:
    case.state.books["assets:cash"] += 1


CENT = 10**7
FALSE: dict[str, Callable[[Case], None]] = {
    "L1": books_off_by_one,
    "L2": view(total_units=1),
    "L3": view(fees_units=1),
    "L4": view(equity_units=1),
    "L5": view(held_units=1),
    "L6": every(CashDeposited, amount_units=CENT),
    "L7": entry_twice,
    "L8": every(OrderFilled, price_units=10**24),
    "L9": every(OrderFilled, value_units=lambda units: units + CENT),
    "L10": entry_of_another_currency,
    "P1": fill_lost,
    "P2": fill_lost,
    "P8": view(net_deposits_units=1),
    "P9": every(PositionConverted, cost_units=lambda units: units + CENT),
    "P3": every(OrderFilled, lambda e: e.closed_units, released_units=lambda units: units + 1),
    "O1": event_after_the_end,
    "O2": order(filled_units=1),
    "O3": order(value_units=1),
    "O4": every(OrderFilled, fill_number=9),
    "O5": event_after_the_end,
    "O6": every(OrderFilled, lambda e: e.rule[1] == "4", rule="P2"),
    "O7": every(OrderFilled, lambda e: e.number == 8, closed_units=0),
    "O8": every(OrderRejected, reason="because"),
    "M1": every(OrderFilled, base_units=lambda units: units + CENT),
    "M2": every(OrderFilled, evidence=lambda seen: seen._replace(at_ns=START + 99 * SECOND)),
    "M3": every(OrderFilled, evidence=lambda seen: seen._replace(seen_units=(1, 1, CENT, CENT))),
    "M4": every(OrderFilled, lambda e: e.rule[1] == "5", base_units=lambda units: units + 50 * CENT),
    "M5": every(OrderFilled, price_units=lambda units: units + 1),
    "M7": every(OrderFilled, evidence=lambda seen: seen._replace(number=0)),
    "K1": every(OrderAccepted, lambda e: e.number == 2, terms=lambda t: t._replace(client_order_id="first")),
    "E1": event_lost,
    "E2": every(CashDeposited, amount_units=20_000 * 10**9),
    "E4": every(CashDeposited, amount_units=20_000 * 10**9),
    "S1": view(unsettled_cash_units=20_000 * 10**9),
    "S2": every(TradesSettled, day="2026-01-01"),
    "T1": every(OrderCanceled, at_ns=0),
    "T2": every(DayClosed, day="2026-01-01"),
    "T5": every(DayClosed, realized_units=lambda units: units + 1),
    "A3": fill_lost,
    "A4": every(OrderCanceled, account="other"),
}


def test_every_invariant_holds_in_the_story() -> None:
    """Nothing is wrong with the story itself, and looking at it leaves no trace."""
    broker = small_story()
    before = broker.digest()
    check_account(broker)
    assert broker.digest() == before


@pytest.mark.parametrize("name", FALSE)
def test_falsified_account_is_reported(name: str) -> None:
    """A falsified account breaks the invariant, and the error names it."""
    case = Case(small_story())
    FALSE[name](case)
    with pytest.raises(BrokenInvariantError) as found:
        CHECKS[name](case)
    assert found.value.name in (name, "P3")


def test_untested_invariants_are_known() -> None:
    """What is not falsified here is about the engine's answers; planted bugs and the checks of misuse cover it."""
    assert set(CHECKS) - set(FALSE) == {"P4", "P6", "K2", "K3", "E7", "E8", "A2"}
