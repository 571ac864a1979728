"""The books of an account as plain text for beancount, so that a program that is not ours can check them.

Every entry of the ledger is a transaction with the same lines. Positions stand at their booked cost, in money; how many
units that is stands beside it in two equity accounts that cancel out, because a booked cost is rounded as a statement
is and would not follow from beancount's own lots. At the end of each day, and of the file, balances are asserted to the
last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import BinaryIO, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from papertrade.domain.events import AccountOpened, AccountReset, Event, OrderFilled, PositionImported
from papertrade.domain.happenings import OrderHappening
from papertrade.domain.instants import SECOND_NS, text_of_instant
from papertrade.domain.numbers import text_of
from papertrade.errors import InvalidValueError, UsageError
from papertrade.ledger.chart import CASH, DEPOSITS, FEES, HOLDS, POSITIONS, REALIZED
from papertrade.ledger.entries import entry_of
from papertrade.ports.store import Store
from papertrade.records.bean_names import COMPONENT, Names, quoted
from papertrade.records.support import Target, known_head, written_whole

_ACCOUNTS: Final = {
    CASH: ("Assets", "Cash"),
    HOLDS: ("Assets", "Holds"),
    REALIZED: ("Income", "Realized"),
    DEPOSITS: ("Equity", "Deposits"),
}


Move: TypeAlias = tuple[str, str, int]
"""An account of the books, a commodity, and by how much in units."""


class Books(NamedTuple):
    """What was written."""

    transactions: int
    assertions: int
    symbols: int


def export_beancount(store: Store, account: str, target: Target, *, under: str = "", zone: str = "UTC") -> Books:
    """Write the books of an account to a file or binary stream that ``bean-check`` accepts.

    Args:
        store: where the account is.
        account: its name.
        target: the path of a file, which is replaced once the new one is complete, or a binary stream.
        under: where its accounts go, for a file that is included with others: ``"Alice"`` makes ``Assets:Alice:Cash``.
        zone: whose calendar the dates are of.
    """
    head = known_head(store, account)
    with written_whole(target) as stream:
        return write_beancount(store.load(account, 1, head), stream, under=under, zone=zone)


def write_beancount(events: Iterable[Event], stream: BinaryIO, *, under: str = "", zone: str = "UTC") -> Books:
    """The same from the events of an account that is open: ``write_beancount(broker.events(), stream)``."""
    writer = _Writer(under, zone)
    for event in events:
        stream.write("".join(f"{line}\n" for line in writer.of(event)).encode("utf-8"))
    stream.write("".join(f"{line}\n" for line in writer.end()).encode("utf-8"))
    return Books(writer.transactions, writer.assertions, writer.symbols)


class _Writer:
    """Turns events into lines, and keeps the balances that it asserts."""

    def __init__(self, under: str, zone: str) -> None:
        self._zone: Final = _zone(zone)
        self._under: Final = _under(under)
        self._fees, self._parts = Names(commodities=False), Names(commodities=False)
        self._commodities = Names(commodities=True)
        self._balances: dict[tuple[str, str], int] = {}  # account and commodity → units
        self._touched: dict[tuple[str, str], None] = {}  # those of the day, in order
        self._declared: set[str] = set()
        self._per_symbol: set[str] = set()  # the accounts that a symbol has for itself
        self._lines: list[str] = []
        self._day = date.min
        self._currency = self._money = ""
        self._version = 0
        self.transactions = self.assertions = self.symbols = 0

    def of(self, event: Event) -> list[str]:
        """The lines of one event, after the assertions of the day before it."""
        self._lines = []
        self._version += 1
        if event.version != self._version:
            raise UsageError(f"books leave no event out: version {event.version} came, and {self._version} was next")
        day = datetime.fromtimestamp(event.at_ns // SECOND_NS, self._zone).date()
        if day > self._day:
            self._assert(list(self._touched))
            self._touched, self._day = {}, day
        if isinstance(event, AccountOpened):
            self._begin(event)
        lines = self._moves(event)
        if lines:
            self._transaction(event, lines)
        return self._lines

    def end(self) -> list[str]:
        """What every account holds in the end."""
        if not self._money:
            raise UsageError("there are no events, so there are no books")
        self._lines = ["", f"; the end, after version {self._version}"]
        self._assert(list(self._balances))
        return self._lines

    def _begin(self, event: AccountOpened) -> None:
        self._currency = event.currency
        self._money = Names(commodities=True).of(event.currency)
        self._commodities = Names(commodities=True, taken=[self._money])
        self._lines += [
            f'option "title" {quoted(f"papertrade account {event.account}")}',
            f'option "operating_currency" "{self._money}"',
        ]
        self._commodity(self._money, "currency", event.currency)

    def _moves(self, event: Event) -> list[Move]:
        """The lines of an entry, and the units that move with it."""
        entry = entry_of(event, self._currency)
        postings = () if entry is None else entry.postings
        if isinstance(event, AccountReset):
            # The entry closes all positions in one sum; here each is closed by itself, its units too.
            postings = tuple(posting for posting in postings if posting.ledger_account != POSITIONS)
            return [(self._account(p.ledger_account, event), self._money, p.amount_units) for p in postings] + [
                (name, commodity, -units) for (name, commodity), units in self._balances.items()
                if units and name in self._per_symbol
            ]  # fmt: skip
        lines = [(self._account(p.ledger_account, event), self._money, p.amount_units) for p in postings]
        return lines + self._units(event) if isinstance(event, (OrderFilled, PositionImported)) else lines

    def _transaction(self, event: Event, lines: list[Move]) -> None:
        self.transactions += 1
        self._lines += ["", f"{self._day} * {quoted(_words(event))}"]
        self._lines += [f"  {key}: {value}" for key, value in _facts(event)]
        for name, commodity, units in lines:
            self._balances[name, commodity] = self._balances.get((name, commodity), 0) + units
            self._touched[name, commodity] = None
            self._lines.append(f"  {name}  {text_of(units)} {commodity}")

    def _account(self, ledger_account: str, event: Event) -> str:
        """What the books call a ledger account; positions and fees have one for each symbol and kind."""
        if ledger_account == POSITIONS and isinstance(event, (OrderFilled, PositionImported)):
            name = self._open("Assets", "Positions", self._parts.of(event.symbol), what=ledger_account)
            self._per_symbol.add(name)
            return name
        if ledger_account.startswith(FEES):
            return self._open("Expenses", "Fees", self._fees.of(ledger_account.removeprefix(FEES)), what=ledger_account)
        return self._open(*_ACCOUNTS[ledger_account], what=ledger_account)

    def _units(self, event: OrderFilled | PositionImported) -> list[Move]:
        """How many units moved, between the account's own and everybody else's."""
        commodity, part = self._commodities.of(event.symbol), self._parts.of(event.symbol)
        self.symbols += self._commodity(commodity, "symbol", event.symbol)
        units = event.sign * event.quantity_units if isinstance(event, OrderFilled) else event.quantity_units
        held = self._open("Equity", "Units", "Held", part, what=event.symbol)
        traded = self._open("Equity", "Units", "Traded", part, what=event.symbol)
        self._per_symbol.update((held, traded))
        return [(held, commodity, units), (traded, commodity, -units)]

    def _open(self, root: str, *parts: str, what: str) -> str:
        name = ":".join((root, *self._under, *parts))
        self._declare(f"open {name}", "papertrade", what)
        return name

    def _commodity(self, name: str, key: str, what: str) -> bool:
        """Declare a commodity; not in books that are included with others, where each may be declared once only."""
        new = f"commodity {name}" not in self._declared
        if self._under:
            self._declared.add(f"commodity {name}")
        else:
            self._declare(f"commodity {name}", key, what)
        return new

    def _declare(self, directive: str, key: str, what: str) -> None:
        """Declare a name the first time, with what it stands for."""
        if directive not in self._declared:
            self._declared.add(directive)
            self._lines += ["", f"{self._day} {directive}", f"  {key}: {quoted(what)}"]

    def _assert(self, which: list[tuple[str, str]]) -> None:
        """Balances as a day leaves them, which is as beancount finds them at the beginning of the next."""
        if which:
            self._lines.append("")
        for name, commodity in which:
            balance = text_of(self._balances[name, commodity])
            self._lines.append(f"{self._day + timedelta(days=1)} balance {name}  {balance} ~ 0 {commodity}")
            self.assertions += 1


def _words(event: Event) -> str:
    """A transaction in a few words."""
    if isinstance(event, OrderFilled):
        quantity, price = text_of(event.quantity_units), text_of(event.price_units)
        return f"{event.order_id}: {event.side} {quantity} {event.symbol} at {price}"
    if isinstance(event, OrderHappening):
        return f"{event.kind.replace('_', ' ')}: the hold of {event.order_id}"
    note = getattr(event, "note", "")
    return f"{event.kind.replace('_', ' ')}{': ' if note else ''}{note}"


def _facts(event: Event) -> Iterator[tuple[str, str]]:
    """Where a transaction comes from."""
    yield "version", str(event.version)
    yield "event", quoted(event.kind)
    yield "at", quoted(text_of_instant(event.at_ns))
    if isinstance(event, OrderFilled):
        yield "fill", quoted(event.fill_id)
        yield "rule", quoted(event.rule)


def _zone(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ValueError, OSError, TypeError, ZoneInfoNotFoundError):
        raise InvalidValueError("zone", zone, "a time zone such as 'Asia/Kolkata'") from None


def _under(under: str) -> tuple[str, ...]:
    parts = tuple(under.split(":")) if under else ()
    if not all(COMPONENT.fullmatch(part) for part in parts):
        raise InvalidValueError("under", under, "parts of a beancount account, such as 'Paper:Alice'")
    return parts
