"""The lines of a scenario that expect something, and what is said when it is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import papertrade as pt
from papertrade.domain.events import EVENT_TYPES, Event
from papertrade.domain.numbers import to_decimal
from papertrade.hosting.explaining import WaitReason
from papertrade.matching.rules import RULE_SENTENCES
from papertrade.testing.scenario_actions import Actions
from papertrade.testing.scenario_reader import Line, Words

# Each table: the word in a scenario → the attribute it reads.
_FILL: Final = {"fee": "fee", "realized": "realized", "base": "base_price", "value": "value", "at": "filled_at"}
_ORDER: Final = {
    "quantity": "quantity",
    "filled": "filled_quantity",
    "remaining": "remaining_quantity",
    "canceled": "canceled_quantity",
    "average": "average_price",
    "limit": "limit_price",
    "stop": "stop_price",
    "fees": "fees",
    "hold": "hold",
    "reason": "reason",
    "expires": "expires_at",
    "triggered": "triggered_at",
    "linked": "linked_order_id",
}
# What a refusal compared, where no fact of the order has the same name.
_COMPARED: Final = (
    *("required", "available", "allowed", "market", "position"),
    *("lot", "tick", "price", "lowest", "highest", "minimum", "maximum"),
)
_POSITION: Final = {
    name: name for name in ("realized", "unrealized", "cost", "mark", "held", "available", "fees", "market_value")
}
_ACCOUNT: Final = {
    "cash": "total",
    **{
        name: name
        for name in ("held", "available", "equity", "market_value", "realized", "unrealized", "fees", "net_deposits")
    },
    **{name: name for name in ("initial_margin", "maintenance_margin", "margin_call", "latched")},
    **{name: name for name in ("day", "day_base", "day_profit", "total_profit", "open_orders", "stale_marks")},
}
_MARKET: Final = ("bid", "ask", "mark", "last", "late", "duplicate")
_STATUSES: Final = tuple(status.value for status in pt.OrderStatus)
_REASONS: Final = frozenset({*(r.value for r in pt.RejectReason), *(r.value for r in pt.CancelReason)})
_ROLES: Final = tuple(role.value for role in pt.LiquidityRole)
_WAITS: Final = tuple(reason.value for reason in WaitReason)


class Unmet(NamedTuple):
    """An expectation that was not met: where it was written, and each difference."""

    line: Line
    differences: tuple[str, ...]

    def __str__(self) -> str:
        lines = "".join(f"\n    {difference}" for difference in self.differences)
        return f"{self.line.where}:{self.line.number}: {self.line.text}{lines}"


class Checks:
    """Compares what is there with what a line expects. Fills and events are taken in order, each once."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.fills_seen: dict[str, int] = {}
        self.events_seen: dict[str, int] = {}
        self.differences: list[str] = []
        self.kinds: dict[str, Callable[[Words], None]] = {
            "fill": self.fill,
            "order": lambda words: self.order(words, None),
            "position": self.position,
            "lots": self.lots,
            "account": self.account,
            "events": self.events,
            "event": self.event,
            "wait": self.wait,
            "market": self.market,
            "assumption": self.assumption,
            "no": self.none,
        }

    def expect(self, words: Words) -> list[str]:
        """One ``expect`` line; answers the differences."""
        self.differences = []
        self.kinds[words.choose("what is expected", self.kinds)](words)
        return self.differences

    def outcome(self, words: Words, orders: list[pt.Order]) -> list[str]:
        """What stands after ``->``: fills of the order, or how it is now."""
        self.differences = []
        if not orders:
            raise words.error("'->' after a line that made no order; accepted: 'expect' on a line of its own")
        for part in words.split(";"):
            if part.skip("fill"):
                self.fill(part, orders)
            elif part.skip("no"):
                part.need("fill")
                part.end()
                self.none(Words(part.line, ["fill"]))
            else:
                rest = part.rest()
                for order in orders:
                    self.order(Words(part.line, rest.split()), order)
        return self.differences

    # ------------------------------------------------------------- comparing

    def _same(self, what: str, expected: str, found: object, words: Words) -> None:
        if not self._equal(expected, found, words):
            self.differences.append(f"{what}: expected {expected}, found {_text(found)}")

    def _equal(self, expected: str, found: object, words: Words) -> bool:
        if expected == "none":
            return found is None or found == ()
        if found is None:
            return False
        if isinstance(found, bool):
            return expected == ("yes" if found else "no")
        if isinstance(found, (Decimal, int)):
            return words.as_number(expected, "an expected number") == found
        if isinstance(found, datetime):
            return self.actions.calendar.instant(expected, self.actions.world.now, words) == found
        return expected == _text(found)

    def _facts(self, words: Words, known: dict[str, str], thing: object) -> None:
        for name, expected in words.facts(known).items():
            self._same(name, expected, getattr(thing, known[name]), words)

    # ----------------------------------------------------------------- fills

    def unclaimed(self, account: str) -> list[pt.Fill]:
        """The fills of an account that no line has expected so far."""
        return self.actions.world.brokers[account].fills()[self.fills_seen.get(account, 0) :]

    def fill(self, words: Words, orders: list[pt.Order] | None = None) -> None:
        """``fill 20 @ 99.95 Q4 maker fee=0.10, 30 @ 99.95 Q4``: the next fills, in order."""
        account = self.actions.account
        for part in words.split(","):
            waiting = self.unclaimed(account)
            if not waiting:
                self.differences.append(f"expected a fill {part.rest()}, found none")
                continue
            self.fills_seen[account] = self.fills_seen.get(account, 0) + 1
            self._one_fill(part, waiting[0])
            if orders is not None and waiting[0].order_id not in [order.id for order in orders]:
                self.differences.append(f"expected a fill of this order, found {waiting[0]!r}")

    def _one_fill(self, words: Words, fill: pt.Fill) -> None:
        if words.peek() in ("buy", "sell"):
            self._same("side", words.take("a side"), fill.side.value, words)
        self._same("quantity", words.take("a quantity"), fill.quantity, words)
        words.need("@")
        self._same("price", words.take("a price"), fill.price, words)
        words.skip("rule")
        if words.peek() in RULE_SENTENCES:
            self._same("rule", words.take("a rule"), fill.rule, words)
        if words.peek() in _ROLES:
            self._same("role", words.take("a role"), fill.role.value, words)
        facts = words.facts((*_FILL, "order"))
        if "order" in facts:
            order = self.actions.order(words, facts.pop("order"))
            self._same("order", order.id, fill.order_id, words)
        for name, expected in facts.items():
            self._same(name, expected, getattr(fill, _FILL[name]), words)

    # ---------------------------------------------------------------- orders

    def order(self, words: Words, order: pt.Order | None) -> None:
        """``order 1 rejected insufficient_funds required=1000 available=900``."""
        if order is None:
            order = self.actions.order(words, words.take("an order"))
        self._same("status", words.choose("a status", _STATUSES), order.status.value, words)
        if words.peek() in _REASONS:
            self._same("reason", words.take("a reason"), order.reason, words)
        compared = order.compared()
        for name, expected in words.facts((*_ORDER, *_COMPARED)).items():
            if name == "linked":
                expected = expected if expected == "none" else self.actions.order(words, expected).id
            found = getattr(order, _ORDER[name]) if name in _ORDER else compared.get(name)
            self._same(name, expected, found, words)

    def wait(self, words: Words) -> None:
        """``wait 1 waiting_queue needs=99.95``: what ``explain`` says that the order waits for."""
        order = self.actions.order(words, words.take("an order"))
        explanation = self.actions.broker.explain(order)
        self._same("reason", words.choose("a reason", _WAITS), explanation.reason, words)
        self._facts(words, {"needs": "price_needed"}, explanation)

    # ------------------------------------------------------------ the account

    def position(self, words: Words) -> None:
        """``position AAPL 50 @ 99.95 realized=10``; ``position AAPL 0`` is flat."""
        position = self.actions.broker.position(words.take("a symbol"))
        self._same("quantity", words.take("a quantity"), position.quantity, words)
        if words.skip("@"):
            self._same("average", words.take("a price"), position.average_price, words)
        self._facts(words, _POSITION, position)

    def lots(self, words: Words) -> None:
        """``lots AAPL 50 @ 99.95, 20 @ 101``: every lot, oldest first."""
        lots = self.actions.broker.position(words.take("a symbol")).lots
        parts = words.split(",")
        if len(parts) != len(lots):
            self.differences.append(f"expected {len(parts)} lots, found {', '.join(map(repr, lots)) or 'none'}")
        for part, lot in zip(parts, lots, strict=False):
            self._same("lot quantity", part.take("a quantity"), lot.quantity, part)
            part.need("@")
            self._same("lot price", part.take("a price"), lot.average_price, part)
            part.end()

    def account(self, words: Words) -> None:
        """``account cash=9000 held=500 available=8500 equity=10000``."""
        self._facts(words, _ACCOUNT, self.actions.broker.account())

    # ---------------------------------------------------------------- events

    def _new_events(self) -> list[Event]:
        return self.actions.broker.events(after=self.events_seen.get(self.actions.account, 0))

    def events(self, words: Words) -> None:
        """``events order_accepted order_filled``: exactly these since the last line about events."""
        new = self._new_events()
        expected = []
        while words:
            expected.append(words.choose("a kind of event", EVENT_TYPES))
        if expected != [event.kind for event in new]:
            found = " ".join(event.kind for event in new) or "none"
            self.differences.append(f"events: expected {' '.join(expected) or 'none'}\n            found {found}")
        if new:
            self.events_seen[self.actions.account] = new[-1].version

    def event(self, words: Words) -> None:
        """``event limit_latched limit=max_daily_loss loss=500``: the next event of this kind."""
        kind = words.choose("a kind of event", EVENT_TYPES)
        for event in self._new_events():
            if event.kind == kind:
                self.events_seen[self.actions.account] = event.version
                facts = {**event.to_dict(), **{n: to_decimal(v) for n, v in getattr(event, "numbers", ())}}
                for name, expected in words.facts(facts).items():
                    self._same(name, expected, facts[name], words)
                return
        words.rest()
        self.differences.append(f"expected an event {kind}, found none since the last line about events")

    # ---------------------------------------------------------------- others

    def market(self, words: Words) -> None:
        """``market AAPL bid=99.95 ask=100.05 late=1``."""
        market = self.actions.world.exchange.market(words.take("a symbol"))
        for name, expected in words.facts(_MARKET).items():
            found = market.counts[name] if name in market.counts else getattr(market, name)
            self._same(name, expected, found, words)

    def assumption(self, words: Words) -> None:
        """``assumption data without a size fills in full``: some assumption in force says this."""
        said, listed = words.rest(), self.actions.broker.assumptions()
        if not any(said in sentence for sentence in listed):
            self.differences.append("expected this assumption, found: " + "; ".join(listed))

    def none(self, words: Words) -> None:
        """``no fill``: no fill that is not expected yet. ``no event margin_called``: none since the last line."""
        if words.choose("what is not expected", ("fill", "event")) == "fill":
            words.end()
            found: Iterable[object] = self.unclaimed(self.actions.account)
        else:
            kind = words.choose("a kind of event", EVENT_TYPES)
            words.end()
            found = [event for event in self._new_events() if event.kind == kind]
        self.differences += [f"expected none, found {thing!r}" for thing in found]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
