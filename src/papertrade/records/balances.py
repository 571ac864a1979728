"""The money of an account at any version of its life, and what somebody believes of it held against the books."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from papertrade.domain.fields import Amount, Instant
from papertrade.domain.numbers import Number, parse_units, text_of, to_decimal
from papertrade.domain.position_keys import position_key
from papertrade.engine.evolve import fold
from papertrade.engine.state import AccountState
from papertrade.errors import BalanceMismatchError, InvalidValueError
from papertrade.ports.store import Store
from papertrade.records.support import known_head


class _Balance(NamedTuple):
    account: str
    version: int
    at_ns: int
    currency: str
    total_units: int
    held_units: int
    realized_units: int
    fees_units: int
    net_deposits_units: int
    cost_units: int
    quantities: tuple[tuple[str, int], ...]
    books: tuple[tuple[str, int], ...]


class Balance(_Balance):
    """The books of an account after one event. Nothing in it depends on a price.

    ``total`` is all cash, ``held`` the part kept for working orders, ``cash`` the rest; ``cost`` is what the positions
    are booked at. ``positions`` and ``ledger`` give quantities by symbol and balances by ledger account.
    """

    __slots__ = ()
    total = Amount()
    held = Amount()
    realized = Amount()
    fees = Amount()
    net_deposits = Amount()
    cost = Amount()
    at = Instant()

    @property
    def cash(self) -> Decimal:
        """Cash that is not held."""
        return to_decimal(self.total_units - self.held_units)

    @property
    def positions(self) -> dict[str, Decimal]:
        """Signed quantity by symbol, or by symbol and product in one text; flat ones are left out."""
        return {symbol: to_decimal(units) for symbol, units in self.quantities}

    @property
    def ledger(self) -> dict[str, Decimal]:
        """Balance by ledger account, debit positive. They sum to zero."""
        return {name: to_decimal(units) for name, units in self.books}

    def __repr__(self) -> str:
        return (
            f"<Balance {self.account}@{self.version}: cash {text_of(self.total_units)} {self.currency} "
            f"({text_of(self.held_units)} held), positions cost {text_of(self.cost_units)}>"
        )


def balance_at(store: Store, account: str, version: int | None = None) -> Balance:
    """The books of an account at a version; without one, as they stand.

    >>> import papertrade as pt
    >>> store = pt.open_store("memory:")
    >>> broker = pt.open_paper_broker(cash=1_000, store=store, clock="data")
    >>> balance_at(store, "main").total, balance_at(store, "main", 1).total
    (Decimal('1000'), Decimal('0'))
    """
    head = known_head(store, account)
    wanted = head if version is None else version
    if type(wanted) is not int or not 1 <= wanted <= head:
        raise InvalidValueError("version", version, f"a whole number from 1 to {head}")
    state = fold(AccountState(), store.load(account, 1, wanted))
    return Balance(
        account,
        state.version,
        state.at_ns,
        state.currency,
        state.total,
        state.held,
        state.realized,
        state.fees,
        state.net_deposits,
        sum(position.cost_units for position in state.positions.values()),
        tuple((key, position.quantity_units) for key, position in sorted(state.holdings.items())),
        tuple(sorted(state.books.items())),
    )


def assert_balance(
    store: Store,
    account: str,
    version: int | None = None,
    *,
    cash: Number | None = None,
    held: Number | None = None,
    total: Number | None = None,
    realized: Number | None = None,
    fees: Number | None = None,
    net_deposits: Number | None = None,
    positions: Mapping[str | tuple[str, str], Number] | None = None,
) -> Balance:
    """Say what you believe the books are at a version: they are answered, or a ``BalanceMismatchError`` says where not.

    Amounts are compared exactly. ``positions`` names all of them, by symbol or by ``(symbol, product)``: one that is
    not in it has to be flat.
    """
    found = balance_at(store, account, version)
    told: dict[str, Number | None] = {
        "cash": cash,
        "held": held,
        "total": total,
        "realized": realized,
        "fees": fees,
        "net_deposits": net_deposits,
    }
    pairs = [
        (name, to_decimal(parse_units(value, name)), getattr(found, name))
        for name, value in told.items()
        if value is not None
    ]
    if positions is not None:
        keyed = {_key(what): value for what, value in positions.items()}
        believed = {key: to_decimal(parse_units(value, key)) for key, value in keyed.items()}
        pairs += [
            (f"position {key}", believed.get(key, Decimal(0)), found.positions.get(key, Decimal(0)))
            for key in sorted(believed.keys() | found.positions.keys())
        ]
    if not pairs and positions is None:
        raise InvalidValueError("balance", None, "at least one of cash, held, total, realized, fees, positions")
    wrong = tuple((name, expected, actual) for name, expected, actual in pairs if expected != actual)
    if wrong:
        raise BalanceMismatchError(account, found.version, wrong)
    return found


def _key(what: object) -> str:
    """What a position is kept under, of a symbol or of a symbol and product."""
    if isinstance(what, str):
        return what
    if isinstance(what, tuple) and len(what) == 2 and all(isinstance(part, str) for part in what):
        return position_key(*what)
    raise InvalidValueError("positions", what, "a symbol, or a symbol and product: ('NSE:INFY', 'MIS')")
