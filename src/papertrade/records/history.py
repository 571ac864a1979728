"""The SQL tables of history, held against the journal that they were made from.

The journal is folded once more, page by page, and each row is looked for when it is final: fills, entries and points
of equity at once, orders when they end, days when the next one opens. What still changes is compared at the end, all at
one moment, with the number of rows of each table. So memory holds what the account has open, and not its history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from papertrade.domain.orders import Order
from papertrade.domain.rows import (
    ROWS_FORM,
    Cleared,
    EntryRow,
    EquityRow,
    FillRow,
    OrderRow,
    PositionRow,
    Row,
    Upto,
    WalletRow,
)
from papertrade.domain.words import OrderStatus
from papertrade.engine.evolve import evolve
from papertrade.engine.state import AccountState
from papertrade.errors import StoreCorruptError, StoreUnavailableError
from papertrade.hosting.tabling import PAGE, rows_of
from papertrade.hosting.wallets import DayTally
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Comparing, Tabled

TRIES: Final = 5  # with an account whose tables somebody makes anew meanwhile
_NAMES: Final = {
    OrderRow: "orders", FillRow: "fills", PositionRow: "positions", EntryRow: "entries", WalletRow: "wallets",
    EquityRow: "equity_points",
}  # fmt: skip
_ENDED: Final = frozenset(status.value for status in OrderStatus if status.is_final)
_REMEDY: Final = "the journal is good, and papertrade rebuild-tables makes them again from it"


def verify_rows(store: Store, account: str) -> int | None:
    """Compare every row of an account with its journal; the version up to which its tables are kept.

    None for a store without tables. A row that differs, is missing or is too many is a ``StoreCorruptError``.
    """
    if not (isinstance(store, Comparing) and isinstance(store, Tabled)):
        return None
    try:
        for _ in range(TRIES):
            kept = _Reckoning(store, store, store, account).run()
            if kept is not None:
                return kept
    except StoreCorruptError as why:
        raise StoreCorruptError(f"the tables of {account!r} are wrong: {why}; {_REMEDY}") from why
    raise StoreUnavailableError(f"the tables of {account!r} are being made anew")


def verify_tables(store: Store) -> None:
    """Look at the tables of a store as a whole: each index has each row, and no row is of an account that is not there.

    What is wrong is a ``StoreCorruptError``. ``verify_account`` compares the rows of one account.
    """
    if isinstance(store, Comparing) and (found := store.strange_rows()):
        raise StoreCorruptError(f"the tables of history are wrong: {'; '.join(found)}; {_REMEDY}")


class _Reckoning:
    """What the tables of an account should hold, as far as its journal was folded."""

    def __init__(self, store: Store, tabled: Tabled, comparing: Comparing, account: str) -> None:
        self.store, self.tabled, self.comparing, self.account = store, tabled, comparing, account
        self.state, self.tally = AccountState(), DayTally(account)
        self.working: dict[int, OrderRow] = {}
        self.positions: dict[tuple[str, str], PositionRow] = {}
        self.day: WalletRow | None = None
        self.counts: Counter[str] = Counter()

    def run(self) -> int | None:
        """How far the tables are kept, and right; None when they went back meanwhile."""
        kept = self.tabled.tabled(self.account)
        version = self._checked(kept.version, kept.form)
        while True:
            if not self._fold(version):
                return None
            moving: list[Row] = [*self.working.values(), *self.positions.values(), *filter(None, [self.day])]
            found = self.comparing.compare_rows(self.account, moving, counted=True)
            now = self._checked(found.version, found.form)
            if now < version:
                return None
            if now == version:  # else the account went on: what it did since is compared as well
                self._say(found.wrong)
                self._count(found.counts, moving)
                return version
            version = now

    def _checked(self, version: object, form: object) -> int:
        """How far the tables are kept, if it can be so."""
        if type(version) is not int or version < 0 or (version and form != ROWS_FORM):
            raise StoreCorruptError(f"tabled says version {version!r:.80}, form {form!r:.80}")
        head = self.store.head(self.account)
        if version > head:
            raise StoreCorruptError(f"tabled says version {version}, and the journal ends at {head}")
        return version

    def _fold(self, version: int) -> bool:
        """Go on up to a version, comparing what becomes final; False when the tables are not kept so far any more."""
        while self.state.version < version:
            first = self.state.version + 1
            events = list(self.store.load(self.account, first, min(first + PAGE - 1, version)))
            finished: dict[int, Order] = {}
            for event in events:
                evolve(self.state, event)
                finished.update((order.number, order) for order in self.state.finished)
                self.state.finished.clear()
            final = list(self._final(rows_of(events, self.state, finished, self.tally)))
            found = self.comparing.compare_rows(self.account, final)
            if self._checked(found.version, found.form) < self.state.version:
                return False
            self._say(found.wrong)
        return True

    def _final(self, rows: Iterable[Row | Upto | Cleared]) -> Iterable[Row]:
        """Those rows that no later event changes; the others are kept for the end."""
        for row in rows:
            if isinstance(row, OrderRow) and row.status not in _ENDED:
                self.working[row.number] = row
            elif isinstance(row, PositionRow):
                self.positions[row.symbol, row.product] = row
            elif isinstance(row, Cleared):
                self.positions.clear()
            elif isinstance(row, WalletRow):
                if self.day is not None and self.day.since_version != row.since_version:
                    self.counts["wallets"] += 1
                    yield self.day
                self.day = row
            elif not isinstance(row, Upto):
                if isinstance(row, OrderRow):
                    self.working.pop(row.number, None)
                self.counts[_NAMES[type(row)]] += 1
                yield row

    @staticmethod
    def _say(wrong: Sequence[str]) -> None:
        if wrong:
            raise StoreCorruptError("; ".join(wrong))

    def _count(self, found: Mapping[str, int], moving: Iterable[Row]) -> None:
        """Every row that should be there was found: if there are more, they are too many."""
        expected = self.counts + Counter(_NAMES[type(row)] for row in moving)
        self._say([
            f"{name} has {found[name]} rows, and {expected[name]} follow from the journal"
            for name in _NAMES.values()
            if found[name] != expected[name]
        ])
