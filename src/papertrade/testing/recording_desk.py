"""Notes: how what an exchange serves becomes a line, in the order of service and with the instant of its decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from papertrade.codec.canonical import to_bytes
from papertrade.domain.instants import text_of_instant
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.positions import Account, Position
from papertrade.engine.step import Seat
from papertrade.errors import ClockMismatchError, UsageError
from papertrade.hosting.account import AccountDesk
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.parsing import ImportedRow
from papertrade.ports.clock import Clock, SystemClock
from papertrade.testing.recorded_values import Json, instant, present, request_of, units

T = TypeVar("T")
Fields = Callable[[], dict[str, Json]]


class Stamped:
    """A clock that stands still while something is decided."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ns = clock.now_ns()

    def stamp(self) -> None:
        """Look at the real clock; time that is recorded never goes back."""
        self._ns = max(self._ns, self._clock.now_ns())

    def now_ns(self) -> int:
        """What it said last."""
        return self._ns


class StampedSystem(Stamped, SystemClock):
    """The same over the system's clock, which settings and checks ask about."""


class Notes:
    """Where lines are made. Everything here happens under the exchange's lock."""

    def __init__(self, write: Callable[[str], object], clock: Clock) -> None:
        self.write = write
        self.clock = clock
        self.stamped = clock if isinstance(clock, Stamped) else None
        self.depth = 0

    def stamp(self) -> None:
        """What follows is decided now."""
        if self.stamped is not None and not self.depth:
            self.stamped.stamp()

    def line(self, do: str, fields: Fields, error: BaseException | None = None, **more: Json) -> None:
        """Write down what was served, and how it ended if not well."""
        if isinstance(error, ClockMismatchError):
            return  # a datum for another clock: it did nothing, and the replay's clock would not mind it
        try:
            record = {"do": do, **present(fields()), **present(more)}
            if error is not None:
                record["refused" if isinstance(error, UsageError) else "failed"] = type(error).__name__
            if self.stamped is not None:
                record["now"] = text_of_instant(self.stamped.now_ns())
            text = to_bytes(record).decode("utf-8")
        except (TypeError, ValueError):
            if isinstance(error, UsageError):
                return  # what cannot even be written was refused before it did anything
            raise
        self.write(text)

    def flow(self, do: str, fields: Fields, flow: Flow[T], version: Callable[[], int | None]) -> Flow[T]:
        """The flow, written down once it is done; what it does on the way is a part of it."""
        self.depth += 1
        error: BaseException | None = None
        try:
            return (yield from flow)
        except BaseException as why:
            error = why
            raise
        finally:
            self.depth -= 1
            if not self.depth:
                self.line(do, fields, error, version=version())


class RecordingDesk(AccountDesk):
    """The flows of an account, each written down as it is served."""

    __slots__ = ("_notes",)

    def __init__(self, desk: Desk, account: str, currency: str, notes: Notes) -> None:
        super().__init__(desk, account, currency)
        self._notes = notes

    def _noted(self, do: str, flow: Flow[T], **fields: Json) -> Flow[T]:
        return self._notes.flow(do, lambda: {"account": self.account, **fields}, flow, self._version)

    def _version(self) -> int | None:
        return version_of(self.desk.engine.seats, self.account)

    def place(self, terms: OrderTerms) -> Flow[Order]:
        """Place one order."""
        return self._noted("place_order", super().place(terms), **request_of(terms, self.account))

    def place_pair(self, first: OrderTerms, second: OrderTerms) -> Flow[tuple[Order, Order]]:
        """Place two linked orders."""
        both = {"first": request_of(first, self.account), "second": request_of(second, self.account)}
        return self._noted("place_oco", super().place_pair(first, second), **both)

    def link(self, one: object, two: object) -> Flow[tuple[Order, Order]]:
        """Link two open orders."""
        return self._noted("link_orders", super().link(one, two), one=_id(one), two=_id(two))

    def modify(
        self,
        order_id: object,
        quantity: int | None,
        limit: int | None,
        stop: int | None,
        expires: int | None,
        command_id: str | None,
    ) -> Flow[Order]:
        """Change an open order."""
        changes = {"quantity": units(quantity), "limit_price": units(limit), "stop_price": units(stop)}
        rest = {"expires_at": instant(expires), "command_id": command_id}
        flow = super().modify(order_id, quantity, limit, stop, expires, command_id)
        return self._noted("modify_order", flow, order_id=_id(order_id), **changes, **rest)

    def cancel(self, order_id: object) -> Flow[Order]:
        """Cancel an open order."""
        return self._noted("cancel_order", super().cancel(order_id), order_id=_id(order_id))

    def cancel_all(self, symbol: str | None) -> Flow[list[Order]]:
        """Cancel every open order."""
        return self._noted("cancel_all_orders", super().cancel_all(symbol), symbol=symbol)

    def close_position(
        self, symbol: str, named: object, quantity: int | None, key: str | None
    ) -> Flow[Order]:
        """Close a position."""
        flow = super().close_position(symbol, named, quantity, key)
        what = {"symbol": symbol, "quantity": units(quantity), "product": named}
        return self._noted("close_position", flow, **what, client_order_id=key)

    def convert(
        self, symbol: str, quantity: int, products: tuple[object, object], command_id: str | None, note: str
    ) -> Flow[Position]:
        """Convert a position."""
        flow = super().convert(symbol, quantity, products, command_id, note)
        what = {"symbol": symbol, "quantity": units(quantity), "command_id": command_id, "note": note}
        return self._noted("convert_position", flow, **what, from_product=products[0], to_product=products[1])

    def close_all(self) -> Flow[list[Order]]:
        """Close every position."""
        return self._noted("close_all_positions", super().close_all())

    def deposit(self, amount: int, command_id: str | None, note: str) -> Flow[Account]:
        """Bring money in."""
        flow = super().deposit(amount, command_id, note)
        return self._noted("deposit", flow, amount=units(amount), command_id=command_id, note=note)

    def withdraw(self, amount: int, command_id: str | None, note: str) -> Flow[Account]:
        """Take money out."""
        flow = super().withdraw(amount, command_id, note)
        return self._noted("withdraw", flow, amount=units(amount), command_id=command_id, note=note)

    def reset(self, cash: int, command_id: str | None, note: str) -> Flow[Account]:
        """Begin again."""
        flow = super().reset(cash, command_id, note)
        return self._noted("reset", flow, cash=units(cash), command_id=command_id, note=note)

    def import_positions(self, rows: Sequence[ImportedRow], command_id: str | None, note: str) -> Flow[list[Position]]:
        """Let positions come in."""
        flow = super().import_positions(rows, command_id, note)
        positions = [
            {"symbol": row.symbol, "quantity": units(row.quantity), "average_price": units(row.price)}
            | ({"product": row.product} if row.product else {})
            for row in rows
        ]
        return self._noted("import_positions", flow, positions=positions, command_id=command_id, note=note)

    def kill(self) -> Flow[Account]:
        """Throw the kill switch."""
        return self._noted("kill", super().kill())

    def reset_limit(self, limit: str, command_id: str | None) -> Flow[Account]:
        """Open a latch again."""
        return self._noted("reset_limit", super().reset_limit(limit, command_id), limit=limit, command_id=command_id)


def _id(order_id: object) -> Json:
    return order_id.id if isinstance(order_id, Order) else order_id


def version_of(seats: Mapping[str, Seat], account: str) -> int | None:
    """How far an account has come; None when it has no seat."""
    seat = seats.get(account)
    return None if seat is None else seat.state.version
