"""What has not settled yet: sums per symbol and trade day, moved by fills, and gone when their day comes.

A sale's proceeds are unsettled until the settlement day of its trade date; what is bought is delivered on that day.
Spending takes settled money first and selling takes settled shares first, and of what is unsettled whatever settles
first. So what is unsettled never exceeds what there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from papertrade.domain.events import GoodFaithViolation, OrderFilled, SettlementSet, TradesSettled
from papertrade.domain.numbers import divide_up


class Settling(NamedTuple):
    """What one symbol's trades of one trade day still have to settle."""

    settles_ns: int
    symbol: str  # the key of the position: with its product where it has one
    day: str
    ends_ns: int  # what fills from here on belongs to a later trade day
    cash_units: int  # proceeds that have not been spent
    quantity_units: int  # bought and not sold again


class Unpaid(NamedTuple):
    """A part of a holding that was bought with unsettled proceeds, and must be kept until they settle."""

    settles_ns: int
    symbol: str  # the key of the position
    quantity_units: int
    cash_units: int


class Violated(NamedTuple):
    """How many good-faith violations there were on one day."""

    day: str
    violations: int


class Unsettled(NamedTuple):
    """Everything about an account that has not settled, in the order in which it will."""

    settling: tuple[Settling, ...]
    unpaid: tuple[Unpaid, ...]


NOTHING = Unsettled((), ())


def cash_of(settling: Iterable[Settling]) -> int:
    """Sale proceeds that have not settled and have not been spent."""
    return sum(part.cash_units for part in settling)


def shares_of(settling: Iterable[Settling], symbol: str) -> int:
    """What was bought of a symbol and is not delivered yet."""
    return sum(part.quantity_units for part in settling if part.symbol == symbol)


def is_set(settling: Iterable[Settling], symbol: str, ns: int) -> bool:
    """Is it known when a fill of this symbol at this instant settles?"""
    return any(part.symbol == symbol and ns < part.ends_ns for part in settling)


def with_day(now: Unsettled, event: SettlementSet) -> Unsettled:
    """A symbol trades on a new trade day."""
    part = Settling(event.settles_ns, event.key, event.day, event.ends_ns, 0, 0)
    return now._replace(settling=tuple(sorted((*now.settling, part))))


def with_settled(now: Unsettled, event: TradesSettled) -> Unsettled:
    """The trades of a trade day settle."""
    left = (part for part in now.settling if (part.settles_ns, part.day) != (event.due_ns, event.day))
    return Unsettled(tuple(left), tuple(part for part in now.unpaid if part.settles_ns > event.due_ns))


def with_fill(now: Unsettled, event: OrderFilled, total: int, held: int, is_cash: bool) -> Unsettled:
    """A fill: ``total`` and ``held`` are the account's cash and its position in the symbol behind it."""
    symbol, bought = event.key, event.sign > 0
    paid = event.sign * event.value_units + sum(units for _, units in event.fees)
    parts = list(now.settling)
    for place, part in enumerate(parts):
        if part.symbol == symbol and event.at_ns < part.ends_ns:
            cash = part.cash_units + max(-paid, 0)
            quantity = part.quantity_units + (event.quantity_units if bought else 0)
            parts[place] = part._replace(cash_units=cash, quantity_units=quantity)
            break
    spent = cash_of(parts) - max(total, 0)
    parts, until = _spend(parts, spent)
    parts = _deliver(parts, symbol, shares_of(parts, symbol) - max(held, 0))
    unpaid = now.unpaid
    if bought and is_cash and paid > 0 and spent > 0:  # a rebate may be more than the price
        unpaid = _owe(unpaid, Unpaid(until, symbol, divide_up(event.quantity_units * spent, paid), spent))
    elif not bought:
        unpaid = _keep(unpaid, symbol, held)[0]
    return Unsettled(tuple(parts), unpaid)


def _spend(parts: list[Settling], amount: int) -> tuple[list[Settling], int]:
    """Without so much money, what settles first first; and when the last of it would have settled."""
    left, until = [], 0
    for part in parts:
        gone = max(0, min(amount, part.cash_units))
        amount -= gone
        until = part.settles_ns if gone else until
        left.append(part._replace(cash_units=part.cash_units - gone) if gone else part)
    return left, until


def _owe(unpaid: tuple[Unpaid, ...], more: Unpaid) -> tuple[Unpaid, ...]:
    """One part for each symbol and settlement, however many fills it took."""
    others = []
    for part in unpaid:
        if (part.settles_ns, part.symbol) == (more.settles_ns, more.symbol):
            quantity, cash = part.quantity_units + more.quantity_units, part.cash_units + more.cash_units
            more = more._replace(quantity_units=quantity, cash_units=cash)
        else:
            others.append(part)
    return tuple(sorted((*others, more)))


def _deliver(parts: list[Settling], symbol: str, quantity: int) -> list[Settling]:
    left = []
    for part in parts:
        gone = max(0, min(quantity, part.quantity_units)) if part.symbol == symbol else 0
        quantity -= gone
        left.append(part._replace(quantity_units=part.quantity_units - gone) if gone else part)
    return left


def sold_early(now: Unsettled, symbol: str, held: int) -> tuple[int, int, int] | None:
    """(quantity, unsettled money it was bought with, when that settles) if no more than ``held`` is left of a holding

    of which more was bought with money that has not settled.
    """
    return _keep(now.unpaid, symbol, held)[1]


def _keep(unpaid: tuple[Unpaid, ...], symbol: str, held: int) -> tuple[tuple[Unpaid, ...], tuple[int, int, int] | None]:
    early = sum(part.quantity_units for part in unpaid if part.symbol == symbol) - max(held, 0)
    if early <= 0:
        return unpaid, None
    left, quantity, cash, until = [], 0, 0, 0
    for part in unpaid:
        gone = min(early - quantity, part.quantity_units) if part.symbol == symbol else 0
        if not gone:
            left.append(part)
            continue
        share = part.cash_units * gone // part.quantity_units
        quantity, cash, until = quantity + gone, cash + share, part.settles_ns
        if gone < part.quantity_units:
            rest = part.quantity_units - gone, part.cash_units - share
            left.append(part._replace(quantity_units=rest[0], cash_units=rest[1]))
    return tuple(left), (quantity, cash, until)


def with_conversion(now: Unsettled, source: str, target: str, held: int) -> Unsettled:
    """A part of a position went over to another: ``held`` is left of it. Settled shares go first."""
    parts = {part[:3]: part for part in now.settling}
    excess = shares_of(now.settling, source) - max(held, 0)
    for part in now.settling:
        gone = max(0, min(excess, part.quantity_units)) if part.symbol == source else 0
        if gone:
            excess -= gone
            parts[part[:3]] = part._replace(quantity_units=part.quantity_units - gone)
            there = parts.get((part.settles_ns, target, part.day))
            other = there or Settling(part.settles_ns, target, part.day, part.ends_ns, 0, 0)
            parts[other[:3]] = other._replace(quantity_units=other.quantity_units + gone)
    unpaid = _keep(now.unpaid, source, held)[0]
    kept = {(part.settles_ns, part.symbol): part for part in unpaid}
    for owed in now.unpaid:
        rest = kept.get((owed.settles_ns, owed.symbol), owed._replace(quantity_units=0, cash_units=0))
        if rest != owed:
            quantity, cash = owed.quantity_units - rest.quantity_units, owed.cash_units - rest.cash_units
            unpaid = _owe(unpaid, Unpaid(owed.settles_ns, target, quantity, cash))
    return Unsettled(tuple(sorted(parts.values())), unpaid)


def a_year_before(day: str) -> str:
    """The same date a year earlier, as ISO text."""
    return f"{int(day[:4]) - 1:04d}{day[4:]}"


def in_a_year(violated: Iterable[Violated], day: str) -> int:
    """Violations of the twelve months that end with this day."""
    return sum(part.violations for part in violated if part.day > a_year_before(day))


def with_violation(violated: Iterable[Violated], day: str, event: GoodFaithViolation) -> tuple[Violated, ...]:
    """One more; what is older than twelve months is forgotten."""
    counts = {part.day: part.violations for part in violated if part.day > a_year_before(day)}
    counts[day] = counts.get(day, 0) + 1
    return tuple(Violated(*pair) for pair in sorted(counts.items()))
