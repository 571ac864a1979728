"""One record after the other into the books: the table of who folds what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .bookends import Bookends
from .books import CASH
from .changing import Changing
from .filling import Filling
from .squaring import Squaring
from .starting import Starting


class Folding(Bookends, Starting, Changing, Filling, Squaring):
    """Folds records into the books."""

    def fold(self, kind: str, fields: dict[str, Any], at: int, process: int, commit_id: str | None) -> None:
        """The next record."""
        if commit_id != self.commit:
            self.settle()
        self.process, self.commit = process, commit_id
        self.books.now = at
        self.was_doubted = bool(self.doubts)
        self.before(kind, fields)
        self.need_done(kind, at)
        self.on_time(kind, at)
        self.need_bookends(kind, at)
        self.copied = self.is_copied(kind, fields)
        self.daily.before(kind, at)
        free = self.books.balances[CASH]
        handler = _HANDLERS.get(kind)
        if handler is None:
            self.books.fail("E8", f"a record of kind {kind!r}", "a kind that is documented")
        handler(self, fields, at)
        self.daily.after(kind, fields, at)
        after = self.books.balances[CASH]
        if after < 0 and after < free and self.books.is_cash and not (self.copied or self._reducing(kind, fields)):
            self.books.fail("L6", f"free cash of {after} after {kind}", "no less than zero")
        self.last = (kind, fields)
        self.expose(at)


_HANDLERS: dict[str, Callable[[Folding, dict[str, Any], int], None]] = {
    "account_opened": Folding.opened,
    "cash_deposited": Folding.deposited,
    "cash_withdrawn": Folding.withdrawn,
    "withdrawal_rejected": Folding.withdrawal_refused,
    "day_opened": Folding.day_opened,
    "day_closed": Folding.day_closed,
    "position_imported": Folding.imported,
    "position_converted": Folding.converted,
    "account_reset": Folding.begun_again,
    "account_cloned": Folding.cloned,
    "day_revalued": Folding.day_revalued,
    "squared_off": Folding.squared_off,
    "settlement_set": Folding.settlement_set,
    "trades_settled": Folding.settled,
    "good_faith_violation": Folding.violated,
    "order_accepted": Folding.accepted,
    "order_rejected": Folding.rejected,
    "order_triggered": Folding.triggered,
    "order_filled": Folding.filled,
    "order_modified": Folding.modified,
    "order_modify_rejected": Folding.change_refused,
    "order_reduced": Folding.reduced,
    "order_canceled": Folding.canceled,
    "order_expired": Folding.expired,
    "orders_linked": Folding.linked,
    "limit_latched": Folding.latched,
    "limit_reset": Folding.reset,
    "equity_marked": Folding.equity_marked,
    "margin_called": Folding.called,
    "margin_call_cleared": Folding.cleared,
}
