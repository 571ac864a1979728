"""One account's money and limits: deposits, withdrawals, the kill switch, latches; each repeatable by its key."""

from __future__ import annotations

from collections.abc import Callable

from papertrade.domain.events import CashDeposited, CashWithdrawn, Event, LimitReset, WithdrawalRejected
from papertrade.domain.numbers import PLACES, to_decimal
from papertrade.domain.positions import Account
from papertrade.engine import cash, watch
from papertrade.engine.step import Step
from papertrade.errors import InvalidValueError, KeyConflictError, UsageError
from papertrade.hosting.account_reading import AccountReader, stops_if_corrupt
from papertrade.hosting.flow import Flow
from papertrade.ports.store import Appended
from papertrade.risk.limits import LATCHES


class AccountCash(AccountReader):
    """The flows of one account that move money and open latches."""

    __slots__ = ()

    def deposit(self, amount: int, command_id: str | None, note: str) -> Flow[Account]:
        """Bring money in."""
        return (yield from self._move_cash(amount, command_id, note, cash.deposit, "deposit:"))

    def withdraw(self, amount: int, command_id: str | None, note: str) -> Flow[Account]:
        """Take money out, if it is available."""
        return (yield from self._move_cash(amount, command_id, note, cash.withdraw, "withdraw:"))

    def _move_cash(
        self,
        amount: int,
        command_id: str | None,
        note: str,
        move: Callable[[Step, int, str | None, str], object],
        prefix: str,
    ) -> Flow[Account]:
        seat = yield from self.desk.seat(self.account)
        decimals = seat.state.decimals
        if amount % 10 ** (PLACES - decimals):
            raise InvalidValueError("amount", to_decimal(amount), f"an amount with at most {decimals} decimals")
        commit_id = None if command_id is None else prefix + command_id
        if commit_id is None or not (yield from self._repeated(commit_id, amount, note)):

            def decide(step: Step) -> None:
                move(step, amount, command_id, note)

            yield from self.desk.command(self.account, decide, commit_id, False)
        return (yield from self.account_view())

    @stops_if_corrupt
    def _repeated(self, commit_id: str, amount: int = 0, note: str = "", limit: str = "") -> Flow[bool]:
        """Was this command stored before? With another amount, note or limit it is a conflict."""
        events = yield from self.stored(commit_id)
        if events is None:
            return False
        key = commit_id.partition(":")[2]
        for event in events:
            if isinstance(event, (CashDeposited, CashWithdrawn, WithdrawalRejected)) and event.amount_units != amount:
                raise KeyConflictError(key, "amount", event.amount, to_decimal(amount))
            if isinstance(event, (CashDeposited, CashWithdrawn)) and event.note != note:
                raise KeyConflictError(key, "note", event.note, note)
            if isinstance(event, LimitReset) and event.limit != limit:
                raise KeyConflictError(key, "limit", event.limit, limit)
        return True

    def stored(self, commit_id: str | None) -> Flow[list[Event] | None]:
        """What was stored under a key; None when nothing was, or there is no key."""
        if commit_id is None:
            return None
        found: Appended | None = yield self.desk.store.find, (self.account, commit_id)
        if found is None:
            return None
        events = yield self.desk.store.load, (self.account, found.first, found.last)
        return list(events)

    def kill(self) -> Flow[Account]:
        """Throw the kill switch."""
        yield from self.desk.command(self.account, watch.throw_kill_switch)
        return (yield from self.account_view())

    def reset_limit(self, limit: str, command_id: str | None) -> Flow[Account]:
        """Open a latch again. A loss is measured anew from the equity of now, so what is held needs a price."""
        if type(limit) is not str or limit not in LATCHES:
            raise InvalidValueError("limit", limit, ", ".join(LATCHES))

        def decide(step: Step) -> None:
            watch.reset_limit(step, limit, command_id)

        commit_id = None if command_id is None else "reset:" + command_id
        if commit_id is None or not (yield from self._repeated(commit_id, limit=limit)):
            yield from self.desk.make_ready(self.account, self.desk.now())  # what was due may have sold or valued it
            seat = yield from self.desk.seat(self.account)
            if missing := watch.unpriced(seat.state, self.desk.engine.markets, limit):
                raise UsageError(
                    f"{limit} cannot be measured anew before there is a price of {', '.join(missing)}: "
                    "ask again after the next datum of each"
                )
            yield from self.desk.command(self.account, decide, commit_id)
        return (yield from self.account_view())
