"""Changes of open orders, and their ends."""

from __future__ import annotations

from typing import Any

from . import risk
from .auctions import need_over
from .hours import call_of
from .linking import Linking
from .orders import (
    CANCEL_REASONS,
    CANCELED,
    CHANGE_REASONS,
    EXPIRED,
    FOR_AUCTION,
    REDUCE_REASONS,
    REJECT_REASONS,
    Ticket,
    amounts,
)
from .placing import Placing
from .reading import AMOUNTS, maybe, maybe_ns
from .risk import compared
from .squaring import is_squared


class Changing(Placing, Linking):
    """Folds changes, cancellations and expiries."""

    def modified(self, fields: dict[str, Any], at: int) -> None:
        """An order has a new size, price or expiry."""
        books, order = self.books, self.own("order_modified", fields)
        quantity, hold, held = amounts(fields, "quantity", "hold", "held")
        limit, stop, expires = maybe(fields["limit"]), maybe(fields["stop"]), maybe_ns(fields["expires"])
        if quantity <= order.filled + order.canceled:
            books.fail("O5", f"{quantity} for {order.describe()}", f"more than {order.filled + order.canceled}")
        if (limit is None) != (order.limit is None) or (stop is None) != (order.stop is None):
            books.fail("O1", f"prices {limit} and {stop} for a {order.kind} order", "the prices that it has")
        if stop != order.stop and not order.waits_for_stop:
            books.fail("O5", f"a new stop price for {order.describe()}", "none once it was triggered")
        if expires != order.expires and (order.tif != "gtd" or expires is None or expires <= at):
            books.fail("O6", f"a {order.tif} order that now expires at {expires}", order.expires)
        self._not_expired(order, at)
        call = call_of(books, order)
        if call is not None and at >= call.until:
            books.fail("O6", f"{order.describe()} changed at {at}", f"no change from {call.until} on")
        self._check_size(order, quantity)
        self._check_prices(order, limit, stop)
        self.keys.command("order_modified", fields, self.commit)
        growth = quantity - order.quantity
        if growth > 0 and not risk.only_reduces(books, order, order.left + growth, order.oco):
            self._check_growth(order, quantity, growth, limit or stop)
        if growth > 0 or (limit, stop) != (order.limit, order.stop):
            order.since = at
        order.quantity, order.limit, order.stop, order.expires = quantity, limit, stop, expires
        order.arrived = -1
        books.move_hold(order, hold, held, books.sibling(order))

    def _check_growth(self, order: Ticket, quantity: int, growth: int, price: int | None) -> None:
        books = self.books
        if books.restricted or is_squared(books, order.symbol, order.product, books.now):
            books.fail("R5", f"{order.describe()} enlarged to {quantity}", "a refusal")
        if books.only_long(order.product) and order.sign < 0:
            books.fail("R2", f"{order.describe()} enlarged to {quantity}", "no sale of more than is held")
        wrong = risk.over_position(books, order, order.left + growth, order.oco)
        if wrong is not None:
            books.fail(*wrong)
        if books.most_quantity is not None and quantity > books.most_quantity:
            books.fail("R2", f"{order.describe()} enlarged to {quantity}", f"at most {books.most_quantity}")
        if books.most_notional is not None and price is not None:
            value = books.tool(order.symbol).value(price, quantity)
            if value > books.most_notional:
                books.fail("R2", f"{order.describe()} enlarged to a value of {value}", f"at most {books.most_notional}")

    def change_refused(self, fields: dict[str, Any], at: int) -> None:
        """An order stands as it stood."""
        books, reason = self.books, fields["reason"]
        order = books.orders.get(fields["number"])
        if order is None:
            books.fail("O1", f"a change of order {fields['number']}", "an order that there is")
        if reason not in REJECT_REASONS and reason not in CHANGE_REASONS:
            books.fail("O8", f"a refused change for {reason!r}", "a reason from the list")
        if (reason == "order_is_final") != (order.number not in books.open):
            books.fail("O8", f"{reason} about {order.describe()}", "the reason that applies")
        if reason == "insufficient_funds" and order.reduce_only:
            books.fail("R3", f"a change of {order.describe()} refused for funds", "no such refusal: it only reduces")
        call = call_of(books, order)
        if reason == "auction_closed" and (call is None or at < call.until):
            books.fail("O6", f"a change of {order.describe()} refused: {reason}", "a change that its auction takes")
        compared(books, fields["numbers"])
        self.keys.command("order_modify_rejected", fields, self.commit)

    def reduced(self, fields: dict[str, Any], at: int) -> None:
        """A part is canceled and the rest goes on."""
        books, order = self.books, self.own("order_reduced", fields)
        quantity, hold, held = amounts(fields, "quantity", "hold", "held")
        reason = fields["reason"]
        if not 0 < quantity < order.left:
            books.fail("O2", f"{order.describe()} reduced by {quantity}", f"less than {order.left}")
        if reason not in REDUCE_REASONS:
            books.fail("O8", f"reduced for {reason!r}", "a reason from the list")
        compared(books, fields["numbers"])
        expected = order.hold
        if reason == "oco":
            self._gives_way(order, "order_reduced", quantity, order.left)
            wrong = risk.gave_way(books, order, order.left - quantity) if self._perhaps else None
            if wrong is not None:
                books.fail(*wrong)
            if not self._perhaps or hold != order.hold:  # on arrival the hold was worked out without that part
                expected -= books.tool(order.symbol).share(order.hold, quantity, order.left)
        elif order.arrived != at:
            books.fail("O8", f"{order.describe()} reduced for {reason}", "that only on arrival")
        books.equal("L5", hold, expected, f"after a reduction {order.describe()} holds")
        order.canceled += quantity
        books.move_hold(order, hold, held, books.sibling(order))

    def canceled(self, fields: dict[str, Any], at: int) -> None:
        """What remained is canceled."""
        books, order = self.books, self.own("order_canceled", fields)
        reason = fields["reason"]
        if reason not in CANCEL_REASONS:
            books.fail("O8", f"canceled for {reason!r}", "a reason from the list")
        compared(books, fields["numbers"])
        expected = {"ioc_remainder": "ioc", "fok_unfilled": "fok"}.get(reason)
        if expected is not None and order.tif != expected:
            books.fail("O8", f"{order.describe()} canceled for {reason}", "the reason that applies")
        if reason == "oco":
            self._gives_way(order, "order_canceled", order.left, order.left)
        if reason == "square_off" and not is_squared(books, order.symbol, order.product, at):
            books.fail("T3", f"{order.describe()} canceled for {reason}", "an account that is being squared off")
        if reason == "auction_over":
            need_over(books, self.market.sight.view(self.process, order.symbol), order, at)
        if reason == "reset":
            self.doubt(
                ("O8", f"{order.describe()} canceled for a reset", "the reset"),
                lambda kind, f: kind == "account_reset" or f.get("reason") == "reset",
            )
        self.keys.command("order_canceled", fields, self.commit)
        if order.filled:
            books.reached["partial_fill_then_cancel"] += 1
        books.move_hold(order, 0, AMOUNTS[fields["held"]], books.sibling(order))
        order.canceled += order.left
        self._end(order, CANCELED)

    def expired(self, fields: dict[str, Any], at: int) -> None:
        """Its time was up."""
        books, order = self.books, self.own("order_expired", fields)
        if order.expires is None or at < order.expires:
            books.fail("O6", f"{order.describe()} expired at {at}", order.expires)
        if at > order.expires:
            books.fail("T3", f"{order.describe()} expired at {at}", f"when it was due, at {order.expires}")
        books.reached["expired_with_its_session"] += order.tif == "day" and order.symbol in books.sessions
        books.reached["expired without an auction"] += order.tif in FOR_AUCTION
        books.reached["expired_by_its_minutes"] += order.tif == "ttl"
        books.move_hold(order, 0, AMOUNTS[fields["held"]], books.sibling(order))
        order.canceled += order.left
        self._end(order, EXPIRED)
