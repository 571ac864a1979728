"""What two hosts of one account are asked at the same time, and what has to come of it in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from papertrade.domain.events import (
    Event,
    LimitLatched,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrdersLinked,
)
from papertrade.domain.numbers import SCALE
from papertrade.domain.orders import OrderRequest
from papertrade.hosting.flow import Flow

from .stepping import ACCOUNT, NOON, SYMBOL, Ask, Host

E = TypeVar("E", bound=Event)
LIMIT, FOR_THE_DAY = 2, 4  # numbers of orders that wait from the beginning
TOMORROW = NOON + 86_400 * 10**9


class Pair(NamedTuple):
    """Two requests that meet."""

    name: str
    asks: tuple[Ask, Ask]
    keys: tuple[str, ...]  # each takes effect once
    check: Callable[[Sequence[Event]], None]  # looks at what was stored since both began
    apart_ns: int = 0  # how far the second clock is ahead
    steps: int = 1  # how many requests each of them makes, one after the other
    long: bool = False  # too many runs for every day


def _of(events: Sequence[Event], *kinds: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kinds)]


def _filled(events: Sequence[Event], number: int | None = None) -> int:
    fills = [e for e in _of(events, OrderFilled) if number is None or e.number == number]
    return sum(event.sign * event.quantity_units for event in fills) // SCALE


def _counts(**expected: int) -> Callable[[Sequence[Event]], None]:
    """How many events of which kinds there are, and how much was bought less what was sold (``filled``)."""

    def check(events: Sequence[Event]) -> None:
        names = [type(event).__name__ for event in events]
        found = {kind: _filled(events) if kind == "filled" else names.count(kind) for kind in expected}
        assert found == expected, f"stored were {found}, expected {expected}: {events}"

    return check


def _ended_once(number: int, *also: type[Event]) -> Callable[[Sequence[Event]], None]:
    """An order ended, in one way; the other command was decided, in one of some ways."""

    def check(events: Sequence[Event]) -> None:
        ends = [e for e in _of(events, OrderCanceled, OrderExpired) if e.number == number]
        whole = _filled(events, number) == 5
        assert len(ends) + whole == 1, f"order {number} ended {len(ends) + whole} times: {events}"
        assert not also or len(_of(events, *also)) == 1, f"not one of {also}: {events}"

    return check


def _order(key: str, quantity: int = 5, limit: str | None = None) -> Ask:
    return lambda host: host.broker.buy(SYMBOL, quantity, limit_price=limit, client_order_id=key)


def _two_exits(key: str) -> Ask:
    leg = {"symbol": SYMBOL, "side": "sell", "quantity": 2}
    above, below = OrderRequest(**leg, limit_price=105, client_order_id=key), OrderRequest(**leg, stop_price=94)
    return lambda host: host.broker.place_oco(above, below)


def _cancel(number: int) -> Ask:
    return lambda host: host.broker.cancel_order(f"{ACCOUNT}-{number}")


def _modify(key: str | None, limit: str = "98.50") -> Ask:
    return lambda host: host.broker.modify_order(f"{ACCOUNT}-{LIMIT}", limit_price=limit, command_id=key)


def _link(one: int, two: int) -> Ask:
    return lambda host: host.broker.link_orders(f"{ACCOUNT}-{one}", f"{ACCOUNT}-{two}")


def _deposit(key: str) -> Ask:
    return lambda host: host.broker.deposit(250, command_id=key)


def _withdraw(key: str, amount: int) -> Ask:
    return lambda host: host.broker.withdraw(amount, command_id=key)


def _close(key: str | None) -> Ask:
    return lambda host: host.broker.close_position(SYMBOL, client_order_id=key)


def _kill() -> Ask:
    return lambda host: host.broker.kill()


def _fall() -> Ask:
    """The quote that reaches the limit order."""
    return lambda host: host.quote("98.90", "98.95")


def _tomorrow() -> Ask:
    return lambda host: host.advance(TOMORROW)


def _snapshot() -> Ask:
    return lambda host: host.broker.exchange.run_flow(host.broker._desk.snapshot())


def _then(*asks: Ask) -> Ask:
    """One request after the other; a host that is asked again is asked all of them again."""

    def ask(host: Host) -> Flow[Any]:
        found = []
        for each in asks:
            found.append((yield from each(host)))
        return tuple(found)

    return ask


def _placed_or_refused(events: Sequence[Event]) -> None:
    """The kill switch fell once; the order came before it and filled, or after it and was refused."""
    latched, refused = _of(events, LimitLatched), _of(events, OrderRejected)
    assert len(latched) == 1, f"latched {len(latched)} times: {events}"
    assert len(refused) + (_filled(events) == 5) == 1, f"neither filled nor refused: {events}"
    assert not refused or refused[0].version > latched[0].version, "refused before the switch fell"


def _linked_or_not(events: Sequence[Event]) -> None:
    """An order that was canceled first is not linked any more."""
    canceled, linked = _of(events, OrderCanceled), _of(events, OrdersLinked)
    assert len(canceled) == 1, f"canceled {len(canceled)} times: {events}"
    assert all(link.version < canceled[0].version for link in linked), f"linked after its end: {events}"


WITHDRAWN = _counts(CashWithdrawn=1, WithdrawalRejected=1)
THERE = 8_365  # of 10,000 all but what the position cost (1,000.20) and the orders hold (495, 98): 8,406.80

PAIRS: tuple[Pair, ...] = (
    Pair("same order", (_order("k"), _order("k")), ("k",), _counts(OrderAccepted=1, filled=5)),
    Pair("same order, clocks apart", (_order("k"), _order("k")), ("k",), _counts(OrderAccepted=1, filled=5), 7),
    Pair(
        "same resting order", (_order("k", 5, "99.50"), _order("k", 5, "99.50")), ("k",),
        _counts(OrderAccepted=1, OrderFilled=0),
    ),
    Pair("two orders", (_order("k", 5), _order("m", 3)), ("k", "m"), _counts(OrderAccepted=2, filled=8)),
    Pair("two orders, one key", (_order("k", 5), _order("k", 3)), ("k",), _counts(OrderAccepted=1, OrderFilled=1)),
    Pair("same pair of exits", (_two_exits("k"), _two_exits("k")), ("k",), _counts(OrderAccepted=2)),
    Pair("place and cancel", (_order("k"), _cancel(LIMIT)), ("k",), _ended_once(LIMIT, OrderAccepted)),
    Pair("cancel and cancel", (_cancel(LIMIT), _cancel(LIMIT)), (), _ended_once(LIMIT)),
    Pair("place and deposit", (_order("k"), _deposit("d")), ("k", "d"), _counts(CashDeposited=1, filled=5)),
    Pair("same deposit", (_deposit("d"), _deposit("d")), ("d",), _counts(CashDeposited=1)),
    Pair("same deposit, clocks apart", (_deposit("d"), _deposit("d")), ("d",), _counts(CashDeposited=1), 7),
    Pair("modify and cancel", (_modify("c"), _cancel(LIMIT)), ("c",), _ended_once(LIMIT)),
    Pair("same change", (_modify("c"), _modify("c")), ("c",), _counts(OrderModified=1)),
    Pair("two changes", (_modify("c"), _modify("e", "98.70")), ("c", "e"), _counts(OrderModified=2)),
    Pair("link and cancel", (_link(LIMIT, FOR_THE_DAY), _cancel(LIMIT)), (), _linked_or_not),
    Pair("close and close", (_close(None), _close(None)), (), _counts(filled=-10)),
    Pair("same close", (_close("k"), _close("k")), ("k",), _counts(filled=-10)),
    Pair("close and place", (_close("k"), _order("m")), ("k", "m"), lambda events: None),
    Pair("withdraw all, twice", (_withdraw("w", THERE), _withdraw("v", THERE)), ("w", "v"), WITHDRAWN),
    Pair("same withdrawal", (_withdraw("w", THERE), _withdraw("w", THERE)), ("w",), _counts(CashWithdrawn=1)),
    Pair("same quote", (_fall(), _fall()), (), _counts(filled=5)),
    Pair("quote and cancel", (_fall(), _cancel(LIMIT)), (), _ended_once(LIMIT)),
    Pair("quote and place", (_fall(), _order("k", 3)), ("k",), _counts(filled=8)),
    Pair("quote and change", (_fall(), _modify("c")), ("c",), lambda events: None),
    Pair("the day ends on both", (_tomorrow(), _tomorrow()), (), _counts(OrderExpired=1, DayOpened=1)),
    Pair("the day ends and place", (_tomorrow(), _order("k")), ("k",), _counts(OrderExpired=1, filled=5)),
    Pair("kill switch and place", (_kill(), _order("k")), ("k",), _placed_or_refused),
    Pair("kill switch twice", (_kill(), _kill()), (), _counts(LimitLatched=1)),
    Pair("snapshot and place", (_snapshot(), _order("k")), ("k",), _counts(OrderAccepted=1, filled=5)),
    Pair(
        "two orders each", (_then(_order("k", 1), _order("m", 2)), _then(_order("n", 3), _order("o", 4))),
        ("k", "m", "n", "o"), _counts(OrderAccepted=4, filled=10), steps=2, long=True,
    ),
    Pair(
        "the same two orders", (_then(_order("k", 1), _order("m", 2)), _then(_order("k", 1), _order("m", 2))),
        ("k", "m"), _counts(OrderAccepted=2, filled=3), steps=2,
    ),
    Pair(
        "the same two orders, crosswise",
        (_then(_order("k", 1), _order("m", 2)), _then(_order("m", 2), _order("k", 1))),
        ("k", "m"), _counts(OrderAccepted=2, filled=3), steps=2, long=True,
    ),
    Pair(
        "bring and take the same",
        (_then(_deposit("d"), _withdraw("w", 250)), _then(_deposit("d"), _withdraw("w", 250))),
        ("d", "w"), _counts(CashDeposited=1, CashWithdrawn=1), steps=2,
    ),
    Pair(
        "order and deposit, deposit and order",
        (_then(_order("k"), _deposit("d")), _then(_deposit("d"), _order("k"))),
        ("d", "k"), _counts(CashDeposited=1, OrderAccepted=1, filled=5), steps=2,
    ),
    Pair(
        "change and close, close and change",
        (_then(_modify("c"), _close("k")), _then(_close("k"), _modify("c"))),
        ("c", "k"), _counts(OrderAccepted=1, filled=-10), steps=2,
    ),
    Pair(
        "order and cancel, twice over",
        (_then(_order("k", 5, "99.50"), _cancel(5)), _then(_order("k", 5, "99.50"), _cancel(5))),
        ("k",), _counts(OrderAccepted=1, OrderCanceled=1), steps=2,
    ),
)  # fmt: skip
