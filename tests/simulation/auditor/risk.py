"""R: what is allowed. Each check looks at the books as they are before the record is folded."""

from __future__ import annotations

from typing import Any

from .books import CASH, Books
from .facts import ONE, units_of, upwards
from .orders import Ticket
from .reading import AMOUNTS, pairs
from .squaring import is_squared

_ORDER = ("required", "available"), ("required", "allowed"), ("loss", "allowed"), ("drawdown", "allowed")


def only_reduces(books: Books, order: Ticket, quantity: int, other: int) -> bool:
    """Could this order do nothing but reduce, with every other order of its side filled before it?"""
    room = max(-order.sign * books.holding(order.key).quantity, 0)
    if order.reduce_only:
        return True
    return quantity <= room - books.working(order.key, order.sign, (order.number, other))


def accepted(books: Books, order: Ticket, oco: int) -> tuple[str, object, object] | None:
    """What is wrong with an acceptance, unless the order gives way at once to what its pair has done."""
    beside = books.open.get(oco)
    quantity = order.quantity - (0 if beside is None else beside.filled)
    if books.only_long(order.product) and order.sign < 0 and not only_reduces(books, order, quantity, oco):
        return "R2", f"a sale of {quantity} beyond what is held", "an account that does not sell short"
    if only_reduces(books, order, order.quantity, oco):
        return None
    if books.restricted:
        return "R5", f"{order.describe()} accepted with {sorted(books.latches)}, called {books.called}", "a refusal"
    if is_squared(books, order.symbol, order.product, books.now):
        return "R5", f"{order.describe()} accepted while the account is squared off", "a refusal"
    if books.is_cash and books.balances[CASH] + books.balances["assets:holds"] < 0:
        return "R5", f"{order.describe()} accepted with cash below zero", "a refusal"
    return _over_limits(books, order, oco)


def gave_way(books: Books, order: Ticket, quantity: int) -> tuple[str, object, object] | None:
    """What is wrong with what is left of an order that gave way as it arrived."""
    if only_reduces(books, order, quantity, order.oco):
        return None
    if books.only_long(order.product) and order.sign < 0:
        return "R2", f"a sale of {quantity} beyond what is held", "an account that does not sell short"
    if books.restricted or is_squared(books, order.symbol, order.product, books.now):
        return "R5", f"{order.describe()} with {quantity} left", "a refusal, or no more than what reduces"
    return None


def _over_limits(books: Books, order: Ticket, oco: int) -> tuple[str, object, object] | None:
    if books.most_quantity is not None and order.quantity > books.most_quantity:
        return "R2", f"an order of {order.quantity}", f"at most {books.most_quantity}"
    price = order.limit or order.stop
    if books.most_notional is not None and price is not None:
        value = books.tool(order.symbol).value(price, order.quantity)
        if value > books.most_notional:
            return "R2", f"an order worth {value}", f"at most {books.most_notional}"
    if books.most_open is not None and len(books.open) >= books.most_open:
        return "R2", f"{len(books.open) + 1} open orders", f"at most {books.most_open}"
    return over_position(books, order, order.quantity, oco)


def over_position(books: Books, order: Ticket, quantity: int, oco: int) -> tuple[str, object, object] | None:
    """Could the position outgrow its limit, were the working orders of this side to fill? Of a pair only one does."""
    most = books.most_position
    if most is None:
        return None
    beside = books.open.get(oco)
    if beside is not None and beside.sign == order.sign:
        quantity = max(quantity, beside.left)
    others = books.working(order.key, order.sign, (order.number, oco))
    reach = abs(books.holding(order.key).quantity + order.sign * (quantity + others))
    for key, held in books.holdings.items():  # sizes in other products of the symbol add up
        if held.symbol == order.symbol and key != order.key:
            long, short = (books.working(key, sign) for sign in (1, -1))
            reach += max(held.quantity + long, short - held.quantity, 0)
    return ("R2", f"a position that could be {reach}", f"at most {most}") if reach > most else None


def covered(books: Books, order: Ticket) -> None:
    """R2: a resting purchase of a cash account holds at least what it would cost at its limit, or stop and collar."""
    if not books.is_cash or order.sign < 0 or order.reduce_only:
        return
    price = order.limit
    if price is None and order.stop is not None:
        price = order.stop + upwards(order.stop * units_of(books.facts.fill.hold_collar), ONE)
    if price is None:
        return
    cost = books.tool(order.symbol).value_up(price, order.left)
    if order.hold < cost:
        books.fail("R2", f"{order.describe()} holds {order.hold}", f"at least {cost}")


def refused(books: Books, order: Ticket, reason: str, numbers: list[list[str]]) -> tuple[str, object, object] | None:
    """R3: what can only reduce is never refused for funds; and what is compared has to be the wrong way round."""
    compared(books, numbers)
    if reason in ("insufficient_funds", "unsettled_funds") and only_reduces(books, order, order.quantity, order.oco):
        return "R3", f"{order.describe()} refused for funds", "no such refusal, because it can only reduce"
    return None


def compared(books: Books, numbers: list[list[str]]) -> None:
    """Numbers that explain a refusal: more was needed than there was."""
    if len(numbers) == 3 and numbers[2][0] == "unsettled":
        (_, needed), (_, there), (_, later) = pairs(numbers)
        if not there < needed or later <= 0:
            books.fail("O8", f"{needed} compared with {there} and {later} later", "more than there is")
    if len(numbers) == 2 and (numbers[0][0], numbers[1][0]) in _ORDER:
        (name, needed), (_, there) = pairs(numbers)
        if needed < there or (needed == there and name == "required"):
            books.fail("O8", f"{name} {needed} compared with {there}", "more than there is")


def latched(books: Books, fields: dict[str, Any]) -> None:
    """R4: a latch says which limit was reached, and by how much."""
    limit = fields["limit"]
    most = {"max_daily_loss": books.most_loss, "max_drawdown": books.most_drawdown}.get(limit)
    if limit in books.latches:
        books.fail("R4", f"{limit} latched again", "a latch that is open")
    if limit == "kill_switch":
        return
    numbers = dict(pairs(fields["numbers"]))
    if most is None or numbers.get("allowed") != most:
        books.fail("R4", f"{limit} latched at {numbers}", f"the limit {most}")
    compared(books, fields["numbers"])


def called(books: Books, fields: dict[str, Any], below: bool) -> None:
    """R4: a margin call says that equity is below the maintenance margin, and its end that it is not."""
    equity, maintenance = AMOUNTS[fields["equity"]], AMOUNTS[fields["maintenance"]]
    if books.is_cash or books.called == below or (equity < maintenance) != below:
        what = "called" if below else "cleared"
        books.fail("R4", f"{what} with equity {equity}, maintenance {maintenance}", "the other way round")
    books.called = below
