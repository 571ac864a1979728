"""One account's beginnings: positions that come in, and beginning again; each repeatable by its key."""

from __future__ import annotations

from collections.abc import Sequence

from papertrade.domain.events import AccountReset, PositionImported
from papertrade.domain.numbers import PLACES, SCALE, to_decimal
from papertrade.domain.position_keys import position_key, titled
from papertrade.domain.positions import Account, Position
from papertrade.engine import starting
from papertrade.engine.starting import Incoming
from papertrade.engine.step import Step
from papertrade.errors import InvalidValueError, KeyConflictError
from papertrade.hosting.account_cash import AccountCash
from papertrade.hosting.account_reading import stops_if_corrupt
from papertrade.hosting.flow import Flow
from papertrade.hosting.parsing import ImportedRow


class AccountStart(AccountCash):
    """The flows of one account that give it a state to start from."""

    __slots__ = ()

    def reset(self, cash: int, command_id: str | None, note: str) -> Flow[Account]:
        """Cancel every order, close the books, and begin again with this cash."""
        seat = yield from self.desk.seat(self.account)
        decimals = seat.state.decimals
        if cash % 10 ** (PLACES - decimals):
            raise InvalidValueError("cash", to_decimal(cash), f"an amount with at most {decimals} decimals")
        commit_id = None if command_id is None else "account_reset:" + command_id
        if not (yield from self._reset_before(commit_id, cash, note)):

            def decide(step: Step) -> None:
                starting.reset(step, cash, command_id, note)

            yield from self.desk.command(self.account, decide, commit_id)
        return (yield from self.account_view())

    @stops_if_corrupt
    def _reset_before(self, commit_id: str | None, cash: int, note: str) -> Flow[bool]:
        """Was this reset stored before? With another amount or note it is a conflict."""
        key, first = (commit_id or "").partition(":")[2], (yield from self.stored(commit_id))
        for event in first or ():
            if isinstance(event, AccountReset):
                if event.cash_units != cash:
                    raise KeyConflictError(key, "cash", event.cash, to_decimal(cash))
                if event.note != note:
                    raise KeyConflictError(key, "note", event.note, note)
        return first is not None

    def import_positions(self, rows: Sequence[ImportedRow], command_id: str | None, note: str) -> Flow[list[Position]]:
        """Let positions come in at a stated cost, without a trade: all of them, or none."""
        commit_id = None if command_id is None else "import:" + command_id
        rows = [row._replace(product=self.product(row.product)) for row in rows]
        if not (yield from self._imported_before(commit_id, rows, note)):  # it was taken by the lot sizes of then
            incoming = [self._incoming(row) for row in rows]
            yield from self.desk.make_ready(self.account, self.desk.now())  # what was due may have closed a position
            yield from self._check_sides(incoming)

            def decide(step: Step) -> None:
                for position in incoming:
                    starting.import_position(step, position, command_id, note)

            yield from self.desk.command(self.account, decide, commit_id)
        return (yield from self.positions())

    def _incoming(self, row: ImportedRow) -> Incoming:
        """A row whose symbol this account can trade, in whole lots, at its booked cost."""
        instrument = self.market(row.symbol).instrument
        if row.quantity % instrument.lot_units:
            lot = to_decimal(instrument.lot_units)
            raise InvalidValueError("quantity", to_decimal(row.quantity), f"whole lots of {lot} {instrument.symbol}")
        value = instrument.value(row.price, abs(row.quantity))
        if abs(value) >= 10**15 * SCALE:
            raise InvalidValueError("average_price", to_decimal(row.price), "a cost below 10^15")
        cost = value if row.quantity > 0 else -value
        return Incoming(instrument.symbol, row.quantity, row.price, cost, row.product)

    @stops_if_corrupt
    def _imported_before(self, commit_id: str | None, rows: Sequence[ImportedRow], note: str) -> Flow[bool]:
        """Were these positions stored before? Others, or another note, are a conflict."""
        key, first = (commit_id or "").partition(":")[2], (yield from self.stored(commit_id))
        if first is None:
            return False
        found = [event for event in first if isinstance(event, PositionImported)]
        if len(found) != len(rows):
            raise KeyConflictError(key, "positions", len(found), len(rows))
        for old, new in zip(found, rows, strict=True):
            if old.symbol != new.symbol:
                raise KeyConflictError(key, "symbol", old.symbol, new.symbol)
            if old.product != new.product:
                raise KeyConflictError(key, "product", old.product, new.product)
            if old.quantity_units != new.quantity:
                raise KeyConflictError(key, "quantity", old.quantity, to_decimal(new.quantity))
            if old.price_units != new.price:
                raise KeyConflictError(key, "average_price", old.price, to_decimal(new.price))
        if found[0].note != note:
            raise KeyConflictError(key, "note", found[0].note, note)
        return True

    def _check_sides(self, incoming: list[Incoming]) -> Flow[None]:
        """No shorts where there may be none, and nothing against what is held: that would be a trade."""
        seat = yield from self.desk.seat(self.account)
        held = {key: position.quantity_units for key, position in seat.state.holdings.items()}
        for symbol, quantity, _, _, product in incoming:
            if quantity < 0 and not seat.profile.may_short(product):
                who = product or "this account"
                raise InvalidValueError("quantity", to_decimal(quantity), f"above 0: {who} may not sell short")
            key = position_key(symbol, product)
            before = held.get(key, 0)
            if before * quantity < 0:
                expected = f"on the side of the {to_decimal(before)} {titled(symbol, product)} that are held"
                raise InvalidValueError("quantity", to_decimal(quantity), expected)
            held[key] = before + quantity
