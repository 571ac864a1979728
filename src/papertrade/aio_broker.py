"""The asynchronous paper broker: an ``AsyncBroker``. It has no rules of its own, only awaits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from papertrade.domain.events import Event
from papertrade.domain.fills import Fill
from papertrade.domain.numbers import Number, parse_not_negative, parse_positive
from papertrade.domain.orders import Order, OrderRequest
from papertrade.domain.positions import Account, Position
from papertrade.domain.words import Side
from papertrade.errors import UnknownOrderError
from papertrade.hosting.account import AccountDesk
from papertrade.hosting.delivery import Subscription, parse_kinds
from papertrade.hosting.explaining import Explanation
from papertrade.hosting.market_window import AsyncMarketWindow
from papertrade.hosting.parsing import (
    maybe_key,
    paper_capabilities,
    parse_after,
    parse_changes,
    parse_imported,
    parse_note,
    parse_status,
    parse_timeout,
    request_or_fields,
)
from papertrade.hosting.previewing import Preview
from papertrade.hosting.requests import side_terms, terms_of
from papertrade.ledger.entries import Entry
from papertrade.ports.broker import Capabilities, OrderFields, OrderOptions, When

if TYPE_CHECKING:
    from datetime import date

    from papertrade.aio import AsyncExchange
    from papertrade.domain.day_positions import DayPosition
    from papertrade.domain.pages import EquityPoint, Page
    from papertrade.domain.summaries import DaySummary
    from papertrade.hosting.daily import DaySearch
    from papertrade.hosting.windows import EntrySearch, FillSearch, OrderSearch, PointSearch


class AsyncPaperBroker(AsyncMarketWindow):
    """One account on an asynchronous exchange. Every method is that of ``PaperBroker``, awaited."""

    __slots__ = ("_desk", "account_id", "exchange", "owns_exchange")
    source = "paper"

    def __init__(self, exchange: AsyncExchange, account: str, currency: str) -> None:
        self.exchange = exchange
        self.account_id = account
        self.owns_exchange = False
        self._desk = AccountDesk(exchange._desk, account, currency)

    # --------------------------------------------------------------- orders

    async def buy(self, symbol: str, quantity: Number | None = None, **options: Unpack[OrderOptions]) -> Order:
        """Buy at the market, or with prices: ``await buy("AAPL", 10, limit_price="186.50")``."""
        terms = side_terms(self.account_id, symbol, Side.BUY, quantity, options, self._desk.desk.seen_terms)
        return await self.exchange.run_flow(self._desk.place(terms))

    async def sell(self, symbol: str, quantity: Number | None = None, **options: Unpack[OrderOptions]) -> Order:
        """Sell at the market, or with prices: ``await sell("AAPL", 10, stop_price="180")`` is a stop (SL-M)."""
        terms = side_terms(self.account_id, symbol, Side.SELL, quantity, options, self._desk.desk.seen_terms)
        return await self.exchange.run_flow(self._desk.place(terms))

    async def place_order(self, request: OrderRequest | None = None, **fields: Unpack[OrderFields]) -> Order:
        """Place an order, from a request or from its fields. A refusal is an order with status ``rejected``."""
        return await self.exchange.run_flow(self._desk.place(request_or_fields(self.account_id, request, fields)))

    async def place_oco(self, first: OrderRequest, second: OrderRequest) -> tuple[Order, Order]:
        """Place two orders of one symbol of which a fill of one cancels (or shrinks) the other."""
        one, two = terms_of(first, self.account_id), terms_of(second, self.account_id)
        return await self.exchange.run_flow(self._desk.place_pair(one, two))

    async def link_orders(self, one: str | Order, two: str | Order) -> tuple[Order, Order]:
        """Link two open orders of one symbol."""
        return await self.exchange.run_flow(self._desk.link(one, two))

    async def preview_order(self, request: OrderRequest) -> Preview:
        """What placing this order now would do. Nothing happens."""
        return await self.exchange.run_flow(self._desk.preview(terms_of(request, self.account_id)))

    async def modify_order(
        self,
        order_id: str | Order,
        *,
        quantity: Number | None = None,
        limit_price: Number | None = None,
        stop_price: Number | None = None,
        expires_at: When | None = None,
        command_id: str | None = None,
    ) -> Order:
        """Change an open order; ``quantity`` is the new total."""
        changes = parse_changes(quantity, limit_price, stop_price, expires_at, command_id)
        return await self.exchange.run_flow(self._desk.modify(order_id, *changes))

    async def cancel_order(self, order_id: str | Order) -> Order:
        """Cancel an open order; one that has ended is answered as it is."""
        return await self.exchange.run_flow(self._desk.cancel(order_id))

    async def cancel_all_orders(self, symbol: str | None = None) -> list[Order]:
        """Cancel every open order, of one symbol if given."""
        return await self.exchange.run_flow(self._desk.cancel_all(symbol))

    async def close_position(
        self,
        symbol: str,
        quantity: Number | None = None,
        *,
        product: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Close a position, or a part of it, at the market."""
        units = None if quantity is None else parse_positive(quantity, "quantity")
        key = maybe_key(client_order_id, "client_order_id")
        return await self.exchange.run_flow(self._desk.close_position(symbol, product, units, key))

    async def close_all_positions(self) -> list[Order]:
        """Cancel every open order and close every position at the market."""
        return await self.exchange.run_flow(self._desk.close_all())

    async def convert_position(
        self,
        symbol: str,
        quantity: Number,
        *,
        from_product: str,
        to_product: str,
        command_id: str | None = None,
        note: str = "",
    ) -> Position:
        """Let a part of a position go over to another product, at its exact cost."""
        units, key = parse_positive(quantity, "quantity"), maybe_key(command_id, "command_id")
        products = (from_product, to_product)
        return await self.exchange.run_flow(self._desk.convert(symbol, units, products, key, parse_note(note)))

    # ---------------------------------------------------------- cash and limits

    async def deposit(self, amount: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Bring money in."""
        units = parse_positive(amount, "amount")
        key = maybe_key(command_id, "command_id")
        return await self.exchange.run_flow(self._desk.deposit(units, key, parse_note(note)))

    async def withdraw(self, amount: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Take money out, if it is available."""
        units = parse_positive(amount, "amount")
        key = maybe_key(command_id, "command_id")
        return await self.exchange.run_flow(self._desk.withdraw(units, key, parse_note(note)))

    async def reset(self, cash: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Cancel every order, close the books without a trade, and begin again with this cash.

        The history stays readable and its numbers, versions and keys go on; limits, fees and settings are as they were.
        """
        units = parse_not_negative(cash, "cash")
        key = maybe_key(command_id, "command_id")
        return await self.exchange.run_flow(self._desk.reset(units, key, parse_note(note)))

    async def import_positions(
        self, positions: Sequence[Mapping[str, object]], *, command_id: str | None = None, note: str = ""
    ) -> list[Position]:
        """Let positions come in at a stated cost, without a trade: all of them, or none. Answers what is held then.

        Each is a dictionary: ``{"symbol": "INFY", "quantity": 10, "average_price": "1500"}``.
        """
        rows, key = parse_imported(positions), maybe_key(command_id, "command_id")
        return await self.exchange.run_flow(self._desk.import_positions(rows, key, parse_note(note)))

    async def kill(self) -> Account:
        """Throw the kill switch."""
        return await self.exchange.run_flow(self._desk.kill())

    async def reset_limit(self, limit: str, *, command_id: str | None = None) -> Account:
        """Open a latch again."""
        return await self.exchange.run_flow(self._desk.reset_limit(limit, maybe_key(command_id, "command_id")))

    # -------------------------------------------------------------- reading

    def capabilities(self) -> Capabilities:
        """What this broker can do."""
        return paper_capabilities(self._desk.may_short())

    async def order(self, order_id: str | Order) -> Order:
        """An order as it is now; raises ``UnknownOrderError``."""
        return await self.exchange.run_flow(self._desk.order(order_id))

    async def find_order(self, order_id: str | Order) -> Order | None:
        """An order as it is now, or None."""
        try:
            return await self.order(order_id)
        except UnknownOrderError:
            return None

    async def orders(self, status: str | None = None, symbol: str | None = None) -> list[Order]:
        """Orders, oldest first: all, or by ``"open"``, ``"closed"`` or any status."""
        return await self.exchange.run_flow(self._desk.orders(parse_status(status), symbol))

    async def order_history(self, order_id: str | Order) -> list[Event]:
        """Everything that happened to an order."""
        return await self.exchange.run_flow(self._desk.order_history(order_id))

    async def fills(self, order_id: str | Order | None = None, symbol: str | None = None) -> list[Fill]:
        """Fills, oldest first; of one order or symbol if given."""
        return await self.exchange.run_flow(self._desk.fills(order_id, symbol))

    async def positions(self) -> list[Position]:
        """Every position that is not flat, by symbol."""
        return await self.exchange.run_flow(self._desk.positions())

    async def day_positions(self, view: str = "net") -> list[DayPosition]:
        """What was bought and sold today, with what was carried in (``"net"``) or without (``"day"``)."""
        from papertrade.hosting.day_positions import day_positions  # only who asks pays for it

        return await self.exchange.run_flow(day_positions(self._desk, view))

    async def position(self, symbol: str, product: str | None = None) -> Position:
        """The position in one symbol, flat or not."""
        return await self.exchange.run_flow(self._desk.position(symbol, product))

    async def account(self) -> Account:
        """The money of the account now."""
        return await self.exchange.run_flow(self._desk.account_view())

    async def explain(self, order_id: str | Order) -> Explanation:
        """Why an order filled at its price, what it waits for, or why it ended."""
        return await self.exchange.run_flow(self._desk.explain(order_id))

    async def assumptions(self) -> list[str]:
        """Everything that is assumed about fills, fees, margin, days, hours and settlement, in sentences."""
        return await self.exchange.run_flow(self._desk.assumptions())

    async def entries(self) -> list[Entry]:
        """Every balanced entry of the account's books, oldest first."""
        return await self.exchange.run_flow(self._desk.entries())

    async def search_orders(self, **wanted: Unpack[OrderSearch]) -> Page[Order]:
        """Orders of the past and present, oldest first, a page at a time.

        Options: symbol, status, strategy, tags, since, until, limit, newest_first, and ``after=page.next`` to go on.
        """
        from papertrade.hosting.searching import orders  # only who searches pays for it

        return await self.exchange.run_flow(orders(self._desk, **wanted))

    async def search_fills(self, **wanted: Unpack[FillSearch]) -> Page[Fill]:
        """Fills, oldest first, a page at a time. Options: symbol, side, order_id, since and so on."""
        from papertrade.hosting.searching import fills  # only who searches pays for it

        return await self.exchange.run_flow(fills(self._desk, **wanted))

    async def search_entries(self, **wanted: Unpack[EntrySearch]) -> Page[Entry]:
        """Balanced entries, oldest first, a page at a time. Options: kind, ledger_account, since and so on."""
        from papertrade.hosting.searching import entries  # only who searches pays for it

        return await self.exchange.run_flow(entries(self._desk, **wanted))

    async def equity_points(self, **wanted: Unpack[PointSearch]) -> Page[EquityPoint]:
        """Equity wherever the journal notes it, oldest first, a page at a time; ``thin=500`` is all, on one page."""
        from papertrade.hosting.searching import equity_points  # only who searches pays for it

        return await self.exchange.run_flow(equity_points(self._desk, **wanted))

    async def day_summary(self, day: date | str | None = None) -> DaySummary:
        """What a trading day came to; the one that is open, so far, when no day is given."""
        from papertrade.hosting.daily import day_summary  # only who asks pays for it

        return await self.exchange.run_flow(day_summary(self._desk, day))

    async def day_summaries(self, **wanted: Unpack[DaySearch]) -> Page[DaySummary]:
        """Trading days, oldest first, a page at a time. Options: first, last, after, limit, newest_first."""
        from papertrade.hosting.daily import day_summaries  # only who asks pays for it

        return await self.exchange.run_flow(day_summaries(self._desk, **wanted))

    async def digest(self) -> str:
        """A fingerprint of every field of the account's state."""
        return await self.exchange.run_flow(self._desk.digest())

    # --------------------------------------------------------------- events

    async def events(self, after: int = 0, kinds: str | Iterable[str] | None = None) -> list[Event]:
        """Stored events after a version, of some kinds if given."""
        return await self.exchange.run_flow(self._desk.events(parse_after(after), parse_kinds(kinds)))

    def subscribe(
        self, handler: Callable[[Event], object] | None = None, *, kinds: str | Iterable[str] | None = None
    ) -> Subscription:
        """This account's events as they are stored: to a plain or async callback, or to iterate over."""
        return self.exchange.subscribe(handler, account=self.account_id, kinds=kinds)

    def stream(self, *, kinds: str | Iterable[str] | None = None) -> AsyncIterator[Event]:
        """This account's events as they are stored, for ever."""
        return self.exchange.stream(account=self.account_id, kinds=kinds)

    async def wait(self, order_id: str | Order, timeout_s: float = 10) -> Order:
        """Wait until an order ends, at most this long; answers it as it is then."""
        seconds = parse_timeout(timeout_s)
        something = asyncio.Event()
        with self.subscribe(lambda event: something.set()):
            order = await self.order(order_id)
            try:
                async with asyncio.timeout(seconds):
                    while order.is_open:
                        await something.wait()
                        something.clear()
                        order = await self.order(order_id)
            except TimeoutError:
                pass
        return await self.order(order_id)

    async def snapshot(self) -> int:
        """Keep a snapshot of the account in the store; answers the version it was taken at."""
        return await self.exchange.run_flow(self._desk.snapshot())

    def __repr__(self) -> str:
        return f"<AsyncPaperBroker {self.account_id!r}>"
