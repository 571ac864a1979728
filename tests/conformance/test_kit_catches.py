"""The kit catches what it is for: brokers that break one promise each fail the case that names it.

A saboteur passes everything on to a paper broker, apart from what it spoils. Each has to fail its named case, and the
honest wrapper that all of them are built on fails none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import papertrade as pt
from papertrade.domain.orders import Order
from papertrade.domain.words import OrderStatus
from papertrade.errors import UnknownOrderError
from papertrade.testing.broker_kit import (
    AsyncBrokerContract,
    AsyncBrokerUnderTest,
    BrokerContract,
    BrokerUnderTest,
    ContractViolation,
    async_paper_under_test,
    paper_under_test,
    run_cases,
)
from papertrade.testing.limited import LimitedBroker


class Honest:
    """Hands everything on."""

    def __init__(self, broker: Any) -> None:
        self.inner = broker

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Altered:
    """A record of which some fields are told differently."""

    def __init__(self, record: Any, **told: object) -> None:
        self.__dict__["record"] = record
        self.__dict__.update(told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.record, name)

    def __eq__(self, other: object) -> bool:
        return self.record == getattr(other, "record", other)

    __hash__ = None  # type: ignore[assignment]


class ForgetsKeys(Honest):
    """Every retry is a new order."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        fields["client_order_id"] = None
        return self.inner.place_order(request, **fields)


class IgnoresConflicts(Honest):
    """A used key answers its first order, whatever is asked now."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        for order in self.inner.orders():
            if order.client_order_id is not None and order.client_order_id == fields.get("client_order_id"):
                return order
        return self.inner.place_order(request, **fields)


class ForgetsRefusals(Honest):
    """Only accepted orders are remembered under their key."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        key = fields.get("client_order_id")
        if any(o.client_order_id == key and o.status == "rejected" for o in self.inner.orders()):
            fields["client_order_id"] = None
        return self.inner.place_order(request, **fields)


class LiveOrders(Honest):
    """Orders that change under the eyes of whoever holds them."""

    class Live:
        def __init__(self, broker: Any, order: Any) -> None:
            self.__dict__.update(broker=broker, id=order.id)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.broker.order(self.id), name)

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        return self.Live(self.inner, self.inner.place_order(request, **fields))


class ZeroAverage(Honest):
    """A filled order with an average price of 0."""

    def order(self, order_id: Any) -> Any:
        order = self.inner.order(order_id)
        return Altered(order, average_price=Decimal(0)) if order.filled_quantity else order

    def orders(self, *args: Any, **kwargs: Any) -> Any:
        return [self.order(o) for o in self.inner.orders(*args, **kwargs)]


class LastPriceAverage(ZeroAverage):
    """An average price that is the price of the last fill."""

    def order(self, order_id: Any) -> Any:
        order = self.inner.order(order_id)
        fills = self.inner.fills(order.id)
        return Altered(order, average_price=fills[-1].price + Decimal("0.01")) if fills else order


class NaiveTimes(Honest):
    """Datetimes without a zone."""

    def fills(self, *args: Any, **kwargs: Any) -> Any:
        return [Altered(f, filled_at=f.filled_at.replace(tzinfo=None)) for f in self.inner.fills(*args, **kwargs)]


class LocalTimes(Honest):
    """Aware datetimes in the zone of whoever runs it."""

    def order(self, order_id: Any) -> Any:
        order = self.inner.order(order_id)
        return Altered(order, updated_at=self.local(order.updated_at))

    def orders(self, *args: Any, **kwargs: Any) -> Any:
        return [self.order(o) for o in self.inner.orders(*args, **kwargs)]

    @staticmethod
    def local(at: datetime) -> datetime:
        return at.astimezone(pt.TradingDay("Asia/Kolkata").zone)


class CancelFlips(Honest):
    """Canceling a filled order makes it canceled."""

    def cancel_order(self, order_id: Any) -> Any:
        order = self.inner.cancel_order(order_id)
        return Altered(order, status=OrderStatus.CANCELED)


class CancelsAnything(Honest):
    """Canceling an order that does not exist is fine."""

    def cancel_order(self, order_id: Any) -> Any:
        try:
            return self.inner.cancel_order(order_id)
        except UnknownOrderError:
            return None


class SwallowsRefusals(Honest):
    """What is refused is not on record."""

    def orders(self, *args: Any, **kwargs: Any) -> Any:
        return [o for o in self.inner.orders(*args, **kwargs) if o.status != "rejected"]


class RaisesRefusals(Honest):
    """A refusal is an exception of its own."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        order = self.inner.place_order(request, **fields)
        if order.status == "rejected":
            raise RuntimeError(order.reason)
        return order


class NoReasons(Honest):
    """A refusal does not say why."""

    def order(self, order_id: Any) -> Any:
        order = self.inner.order(order_id)
        return Altered(order, reason=None) if order.status == "rejected" else order


class DuplicatesFills(Honest):
    """The last fill is told twice."""

    def fills(self, *args: Any, **kwargs: Any) -> Any:
        found = self.inner.fills(*args, **kwargs)
        return [*found, *found[-1:]]


class ModifiesTheRest(Honest):
    """The quantity of a modify is taken for what remains."""

    def modify_order(self, order_id: Any, *, quantity: Any = None, **changes: Any) -> Any:
        if quantity is not None:
            quantity = quantity + self.inner.order(order_id).filled_quantity
        return self.inner.modify_order(order_id, quantity=quantity, **changes)


class ModifiesBelowFilled(Honest):
    """A total below what has filled cancels the rest."""

    def modify_order(self, order_id: Any, *, quantity: Any = None, **changes: Any) -> Any:
        if quantity is not None and quantity <= self.inner.order(order_id).filled_quantity:
            return self.inner.cancel_order(order_id)
        return self.inner.modify_order(order_id, quantity=quantity, **changes)


class ReplacesOnModify(Honest):
    """A modified order comes back under another id."""

    def modify_order(self, order_id: Any, **changes: Any) -> Any:
        order = self.inner.cancel_order(order_id)
        fields = {"symbol": order.symbol, "side": order.side, "quantity": order.quantity, **changes}
        return self.inner.place_order(**fields)


class IgnoresReduceOnly(Honest):
    """Reduce-only is not passed on."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        fields.pop("reduce_only", None)
        return self.inner.place_order(request, **fields)


class IgnoresPostOnly(Honest):
    """Post-only is not passed on."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        fields.pop("post_only", None)
        return self.inner.place_order(request, **fields)


class IgnoresLinks(Honest):
    """Linked orders are placed one by one."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        fields.pop("oco_with", None)
        return self.inner.place_order(request, **fields)


class RestsIoc(Honest):
    """An ioc order waits."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        if fields.get("time_in_force") == "ioc":
            fields["time_in_force"] = "gtc"
        return self.inner.place_order(request, **fields)


class ForgetsDays(Honest):
    """Day orders stand for ever."""

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        if fields.get("time_in_force") == "day":
            fields["time_in_force"] = "gtc"
        return self.inner.place_order(request, **fields)


class OpenMeansAll(Honest):
    """orders("open") answers everything."""

    def orders(self, status: Any = None, symbol: Any = None) -> Any:
        return self.inner.orders(None if status == "open" else status, symbol)


class NewestFirst(Honest):
    """Orders come newest first."""

    def orders(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.orders(*args, **kwargs)[::-1]


class HidesTheSecondFill(Honest):
    """Part of what happened is missing from the history."""

    def order_history(self, order_id: Any) -> Any:
        return [e for e in self.inner.order_history(order_id) if e.kind != "order_filled"]


class StalePositions(Honest):
    """Positions as they were before the last fill."""

    def positions(self) -> Any:
        return [p for p in self.inner.positions() if p.symbol != "MSFT"]


class WrongCash(Honest):
    """Cash that forgets the fees."""

    def account(self) -> Any:
        account = self.inner.account()
        return account._replace(total_units=account.total_units + account.fees_units)


class KeepsHolds(Honest):
    """A canceled order's money is not given back."""

    kept = 0

    def account(self) -> Any:
        account = self.inner.account()
        self.kept = max(self.kept, account.held_units)
        return account._replace(held_units=self.kept, available_units=account.total_units - self.kept)


class StaleWait(Honest):
    """wait answers the order as it was when it was placed."""

    def __init__(self, broker: Any) -> None:
        super().__init__(broker)
        self.first: dict[str, Any] = {}

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        order = self.inner.place_order(request, **fields)
        return self.first.setdefault(order.id, order)

    def wait(self, order_id: Any, timeout_s: float = 10) -> Any:
        return self.first[order_id]


class ClosesAndFlips(Honest):
    """Closing more than there is opens the other side."""

    def close_position(self, symbol: str, quantity: Any = None, **key: Any) -> Any:
        held = self.inner.position(symbol).quantity
        if quantity is None or quantity <= held:
            return self.inner.close_position(symbol, quantity, **key)
        return self.inner.place_order(symbol=symbol, side="sell", quantity=quantity)


class LeavesOrders(Honest):
    """close_all_positions leaves working orders behind."""

    def close_all_positions(self) -> Any:
        return [self.inner.close_position(p.symbol) for p in self.inner.positions()]


class RefusesTooLate(Honest):
    """What is not supported is found out after the order was placed."""

    def capabilities(self) -> Any:
        return attrs.evolve(self.inner.capabilities(), post_only=False)

    def place_order(self, request: Any = None, **fields: Any) -> Any:
        self.inner.place_order(request, **{**fields, "post_only": False})
        limited = LimitedBroker(self.inner, post_only=False)
        return limited.place_order(request, **{**fields, "client_order_id": None})


class OtherSource(Honest):
    """Says it is something else than its records do."""

    def capabilities(self) -> Any:
        return attrs.evolve(self.inner.capabilities(), source="live")


SABOTEURS: dict[type[Honest], str] = {
    ForgetsKeys: "b31_same_key_same_order",
    IgnoresConflicts: "b32_same_key_other_payload",
    ForgetsRefusals: "b33_key_of_a_refusal",
    LiveOrders: "b50_an_answer_stands_still",
    ZeroAverage: "b47_average_price",
    LastPriceAverage: "b47_average_price",
    NaiveTimes: "b57_instants",
    LocalTimes: "b57_instants",
    CancelFlips: "b27_cancel_filled",
    CancelsAnything: "b30_unknown_order",
    SwallowsRefusals: "b34_refusal_is_a_record",
    RaisesRefusals: "b34_refusal_is_a_record",
    NoReasons: "b16_post_only",
    DuplicatesFills: "b52_fills",
    ModifiesTheRest: "b24_modify_total",
    ModifiesBelowFilled: "b25_modify_below_filled",
    ReplacesOnModify: "b23_modify_limit",
    IgnoresReduceOnly: "b18_reduce_only_never_flips",
    IgnoresPostOnly: "b16_post_only",
    IgnoresLinks: "b19_oco",
    RestsIoc: "b10_ioc",
    ForgetsDays: "b14_day",
    OpenMeansAll: "b44_orders_agree",
    NewestFirst: "b44_orders_agree",
    HidesTheSecondFill: "b48_history",
    StalePositions: "b53_positions",
    WrongCash: "b55_account",
    KeepsHolds: "b56_holds",
    StaleWait: "b58_wait",
    ClosesAndFlips: "b40_close_a_part",
    LeavesOrders: "b42_close_all",
    RefusesTooLate: "b37_unsupported",
    OtherSource: "b59_capabilities",
}


def contract_of(saboteur: Callable[[Any], Any]) -> BrokerContract:
    """The contract over a broker in the hands of a saboteur; nobody waits for what never comes."""

    class Sabotaged(BrokerContract):
        patience_s = 0

        def open(self) -> BrokerUnderTest:
            under = paper_under_test(kind="margin", fees=pt.PercentFee("0.001"))
            return attrs.evolve(under, broker=saboteur(under.broker))

    return Sabotaged()


def test_the_honest_wrapper_breaks_nothing() -> None:
    """The control: without a saboteur's hand in it, every case is kept or skipped."""
    found = run_cases(contract_of(Honest))
    assert {what.partition(":")[0] for what in found.values()} == {"kept", "skipped"}


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda s: s.__name__)
def test_a_broken_promise_fails_its_case(saboteur: type[Honest]) -> None:
    """The named case fails, and says what was promised."""
    contract = contract_of(saboteur)
    with pytest.raises(ContractViolation) as caught:
        contract.run_case(f"test_{SABOTEURS[saboteur]}")
    assert caught.value.rule
    assert caught.value.rule in str(caught.value)


def test_a_saboteur_does_not_bring_down_the_kit() -> None:
    """A promise is one among many: the cases about other things are still kept."""
    found = run_cases(contract_of(ForgetsDays))
    assert [name for name, what in found.items() if what.startswith("ContractViolation")] == ["test_b14_day"]
    assert sum(what == "kept" for what in found.values()) > 50


class ForgetsKeysLater:
    """An asynchronous saboteur."""

    def __init__(self, broker: Any) -> None:
        self.inner = broker

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def place_order(self, request: Any = None, **fields: Any) -> Order:
        fields["client_order_id"] = None
        order: Order = await self.inner.place_order(request, **fields)
        return order


def test_the_asynchronous_kit_catches_too() -> None:
    """The same case fails behind the blocking face."""

    class Sabotaged(AsyncBrokerContract):
        patience_s = 0

        async def open_async(self) -> AsyncBrokerUnderTest:
            under = await async_paper_under_test()
            return attrs.evolve(under, broker=ForgetsKeysLater(under.broker))

    found = run_cases(Sabotaged())
    assert found["test_b31_same_key_same_order"].startswith("ContractViolation")
    assert found["test_b01_market_buy"] == "kept"


def test_a_crash_is_told_as_a_crash() -> None:
    """An error of the broker's own is not swallowed: it is what the case reports."""

    class Crashes(Honest):
        def account(self) -> Any:
            raise ZeroDivisionError("no account today")

    found = run_cases(contract_of(Crashes))
    assert found["test_b56_holds"] == "ZeroDivisionError: no account today"
