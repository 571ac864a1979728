"""The paper broker: one account's window on an exchange. A ``Broker``, with the data methods of its exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Event as Signal
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
from papertrade.hosting.market_window import MarketWindow
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
from papertrade.hosting.requests import side_terms, terms_of
from papertrade.ledger.entries import Entry
from papertrade.ports.broker import Capabilities, OrderFields, OrderOptions, When

if TYPE_CHECKING:
    from datetime import date

    from papertrade.domain.day_positions import DayPosition
    from papertrade.domain.pages import EquityPoint, Page
    from papertrade.domain.summaries import DaySummary
    from papertrade.exchange import Exchange
    from papertrade.hosting.daily import DaySearch
    from papertrade.hosting.explaining import Explanation
    from papertrade.hosting.previewing import Preview
    from papertrade.hosting.windows import EntrySearch, FillSearch, OrderSearch, PointSearch

_BUY, _SELL = Side.BUY, Side.SELL


class PaperBroker(MarketWindow):
    """One account on an exchange.

    >>> import papertrade as pt
    >>> broker = pt.open_paper_broker(cash=100_000)
    >>> broker.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200)
    >>> order = broker.buy("AAPL", 10)
    >>> order.status, order.average_price
    (<OrderStatus.FILLED: 'filled'>, Decimal('187.14'))
    """

    __slots__ = ("_desk", "account_id", "exchange", "owns_exchange")
    source = "paper"

    def __init__(self, exchange: Exchange, account: str, currency: str) -> None:
        self.exchange = exchange
        self.account_id = account
        self.owns_exchange = False
        self._desk = AccountDesk(exchange._desk, account, currency)

    # --------------------------------------------------------------- orders

    def buy(self, symbol: str, quantity: Number | None = None, **options: Unpack[OrderOptions]) -> Order:
        """Buy at the market, or with prices: ``buy("AAPL", 10, limit_price="186.50")``.

        Options are those of ``place_order``: notional, limit_price, stop_price, time_in_force, expires_at, post_only,
        reduce_only, oco_with, client_order_id, tags, product.
        """
        terms = side_terms(self.account_id, symbol, _BUY, quantity, options, self._desk.desk.seen_terms)
        return self.exchange.run_flow(self._desk.place(terms))

    def sell(self, symbol: str, quantity: Number | None = None, **options: Unpack[OrderOptions]) -> Order:
        """Sell at the market, or with prices: ``sell("AAPL", 10, stop_price="180")`` is a stop (SL-M)."""
        terms = side_terms(self.account_id, symbol, _SELL, quantity, options, self._desk.desk.seen_terms)
        return self.exchange.run_flow(self._desk.place(terms))

    def place_order(self, request: OrderRequest | None = None, **fields: Unpack[OrderFields]) -> Order:
        """Place an order, from a request or from its fields. A refusal is an order with status ``rejected``.

        A ``client_order_id`` makes it repeatable: the same call again answers the first order, as it is now.
        """
        terms = request_or_fields(self.account_id, request, fields)
        return self.exchange.run_flow(self._desk.place(terms))

    def place_oco(self, first: OrderRequest, second: OrderRequest) -> tuple[Order, Order]:
        """Place two orders of one symbol of which a fill of one cancels (or shrinks) the other. Both, or neither."""
        one, two = terms_of(first, self.account_id), terms_of(second, self.account_id)
        return self.exchange.run_flow(self._desk.place_pair(one, two))

    def link_orders(self, one: str | Order, two: str | Order) -> tuple[Order, Order]:
        """Link two open orders of one symbol: a fill of one cancels (or shrinks) the other."""
        return self.exchange.run_flow(self._desk.link(one, two))

    def preview_order(self, request: OrderRequest) -> Preview:
        """What placing this order now would do: refusal, fills, fees, hold. Nothing happens."""
        return self.exchange.run_flow(self._desk.preview(terms_of(request, self.account_id)))

    def modify_order(
        self,
        order_id: str | Order,
        *,
        quantity: Number | None = None,
        limit_price: Number | None = None,
        stop_price: Number | None = None,
        expires_at: When | None = None,
        command_id: str | None = None,
    ) -> Order:
        """Change an open order; ``quantity`` is the new total. A refused change leaves it and says so in ``reason``."""
        changes = parse_changes(quantity, limit_price, stop_price, expires_at, command_id)
        return self.exchange.run_flow(self._desk.modify(order_id, *changes))

    def cancel_order(self, order_id: str | Order) -> Order:
        """Cancel an open order; one that has ended is answered as it is."""
        return self.exchange.run_flow(self._desk.cancel(order_id))

    def cancel_all_orders(self, symbol: str | None = None) -> list[Order]:
        """Cancel every open order, of one symbol if given."""
        return self.exchange.run_flow(self._desk.cancel_all(symbol))

    def close_position(
        self,
        symbol: str,
        quantity: Number | None = None,
        *,
        product: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Close a position, or a part of it, at the market; working orders that would close it are canceled first."""
        units = None if quantity is None else parse_positive(quantity, "quantity")
        key = maybe_key(client_order_id, "client_order_id")
        return self.exchange.run_flow(self._desk.close_position(symbol, product, units, key))

    def close_all_positions(self) -> list[Order]:
        """Cancel every open order and close every position at the market."""
        return self.exchange.run_flow(self._desk.close_all())

    def convert_position(
        self,
        symbol: str,
        quantity: Number,
        *,
        from_product: str,
        to_product: str,
        command_id: str | None = None,
        note: str = "",
    ) -> Position:
        """Let a part of a position go over to another product, at its exact cost: no trade, and no money moves.

        Answers the position of the other product. A ``command_id`` makes it repeatable.
        """
        units, key = parse_positive(quantity, "quantity"), maybe_key(command_id, "command_id")
        products = (from_product, to_product)
        return self.exchange.run_flow(self._desk.convert(symbol, units, products, key, parse_note(note)))

    # ---------------------------------------------------------- cash and limits

    def deposit(self, amount: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Bring money in."""
        units = parse_positive(amount, "amount")
        key = maybe_key(command_id, "command_id")
        return self.exchange.run_flow(self._desk.deposit(units, key, parse_note(note)))

    def withdraw(self, amount: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Take money out. More than is available is refused with an event, and the account stays as it was."""
        units = parse_positive(amount, "amount")
        key = maybe_key(command_id, "command_id")
        return self.exchange.run_flow(self._desk.withdraw(units, key, parse_note(note)))

    def reset(self, cash: Number, *, command_id: str | None = None, note: str = "") -> Account:
        """Cancel every order, close the books without a trade, and begin again with this cash.

        The history stays readable and its numbers, versions and keys go on; limits, fees and settings are as they were.
        """
        units = parse_not_negative(cash, "cash")
        key = maybe_key(command_id, "command_id")
        return self.exchange.run_flow(self._desk.reset(units, key, parse_note(note)))

    def import_positions(
        self, positions: Sequence[Mapping[str, object]], *, command_id: str | None = None, note: str = ""
    ) -> list[Position]:
        """Let positions come in at a stated cost, without a trade: all of them, or none. Answers what is held then.

        Each is a dictionary: ``{"symbol": "INFY", "quantity": 10, "average_price": "1500"}``; ``product`` may be in it.
        """
        rows, key = parse_imported(positions), maybe_key(command_id, "command_id")
        return self.exchange.run_flow(self._desk.import_positions(rows, key, parse_note(note)))

    def kill(self) -> Account:
        """Throw the kill switch: working orders that could enlarge a position are canceled, only reducing ones pass."""
        return self.exchange.run_flow(self._desk.kill())

    def reset_limit(self, limit: str, *, command_id: str | None = None) -> Account:
        """Open a latch again: ``kill_switch``, ``max_daily_loss`` or ``max_drawdown``."""
        return self.exchange.run_flow(self._desk.reset_limit(limit, maybe_key(command_id, "command_id")))

    # -------------------------------------------------------------- reading

    def capabilities(self) -> Capabilities:
        """What this broker can do."""
        return paper_capabilities(self._desk.may_short())

    def order(self, order_id: str | Order) -> Order:
        """An order as it is now; raises ``UnknownOrderError``."""
        return self.exchange.run_flow(self._desk.order(order_id))

    def find_order(self, order_id: str | Order) -> Order | None:
        """An order as it is now, or None."""
        try:
            return self.order(order_id)
        except UnknownOrderError:
            return None

    def orders(self, status: str | None = None, symbol: str | None = None) -> list[Order]:
        """Orders, oldest first: all, or by ``"open"``, ``"closed"`` or any status."""
        return self.exchange.run_flow(self._desk.orders(parse_status(status), symbol))

    def order_history(self, order_id: str | Order) -> list[Event]:
        """Everything that happened to an order."""
        return self.exchange.run_flow(self._desk.order_history(order_id))

    def fills(self, order_id: str | Order | None = None, symbol: str | None = None) -> list[Fill]:
        """Fills, oldest first; of one order or symbol if given."""
        return self.exchange.run_flow(self._desk.fills(order_id, symbol))

    def positions(self) -> list[Position]:
        """Every position that is not flat, by symbol."""
        return self.exchange.run_flow(self._desk.positions())

    def day_positions(self, view: str = "net") -> list[DayPosition]:
        """What was bought and sold today, with what was carried in (``"net"``) or without (``"day"``)."""
        from papertrade.hosting.day_positions import day_positions  # only who asks pays for it

        return self.exchange.run_flow(day_positions(self._desk, view))

    def position(self, symbol: str, product: str | None = None) -> Position:
        """The position in one symbol, flat or not, with its lots; in the default product where there are some."""
        return self.exchange.run_flow(self._desk.position(symbol, product))

    def account(self) -> Account:
        """The money of the account now."""
        return self.exchange.run_flow(self._desk.account_view())

    def explain(self, order_id: str | Order) -> Explanation:
        """Why an order filled at its price, what it waits for, or why it ended."""
        return self.exchange.run_flow(self._desk.explain(order_id))

    def assumptions(self) -> list[str]:
        """Everything that is assumed about fills, fees, margin, days, hours and settlement, in sentences."""
        return self.exchange.run_flow(self._desk.assumptions())

    def entries(self) -> list[Entry]:
        """Every balanced entry of the account's books, oldest first."""
        return self.exchange.run_flow(self._desk.entries())

    def search_orders(self, **wanted: Unpack[OrderSearch]) -> Page[Order]:
        """Orders of the past and present, oldest first, a page at a time.

        Options: symbol, status, strategy, tags, since, until, limit, newest_first, and ``after=page.next`` to go on.
        """
        from papertrade.hosting.searching import orders  # only who searches pays for it

        return self.exchange.run_flow(orders(self._desk, **wanted))

    def search_fills(self, **wanted: Unpack[FillSearch]) -> Page[Fill]:
        """Fills, oldest first, a page at a time. Options: symbol, side, order_id, since and so on."""
        from papertrade.hosting.searching import fills  # only who searches pays for it

        return self.exchange.run_flow(fills(self._desk, **wanted))

    def search_entries(self, **wanted: Unpack[EntrySearch]) -> Page[Entry]:
        """Balanced entries, oldest first, a page at a time. Options: kind, ledger_account, since and so on."""
        from papertrade.hosting.searching import entries  # only who searches pays for it

        return self.exchange.run_flow(entries(self._desk, **wanted))

    def equity_points(self, **wanted: Unpack[PointSearch]) -> Page[EquityPoint]:
        """Equity wherever the journal notes it, oldest first, a page at a time; ``thin=500`` is all, on one page."""
        from papertrade.hosting.searching import equity_points  # only who searches pays for it

        return self.exchange.run_flow(equity_points(self._desk, **wanted))

    def day_summary(self, day: date | str | None = None) -> DaySummary:
        """What a trading day came to; the one that is open, so far, when no day is given."""
        from papertrade.hosting.daily import day_summary  # only who asks pays for it

        return self.exchange.run_flow(day_summary(self._desk, day))

    def day_summaries(self, **wanted: Unpack[DaySearch]) -> Page[DaySummary]:
        """Trading days, oldest first, a page at a time. Options: first, last, after, limit, newest_first."""
        from papertrade.hosting.daily import day_summaries  # only who asks pays for it

        return self.exchange.run_flow(day_summaries(self._desk, **wanted))

    def digest(self) -> str:
        """A fingerprint of every field of the account's state."""
        return self.exchange.run_flow(self._desk.digest())

    # --------------------------------------------------------------- events

    def events(self, after: int = 0, kinds: str | Iterable[str] | None = None) -> list[Event]:
        """Stored events after a version, of some kinds if given."""
        return self.exchange.run_flow(self._desk.events(parse_after(after), parse_kinds(kinds)))

    def subscribe(
        self, handler: Callable[[Event], object] | None = None, *, kinds: str | Iterable[str] | None = None
    ) -> Subscription:
        """This account's events as they are stored: to a callback, or to iterate over."""
        return self.exchange.subscribe(handler, account=self.account_id, kinds=kinds)

    def wait(self, order_id: str | Order, timeout_s: float = 10) -> Order:
        """Wait until an order ends, at most this long, while other threads feed data; answers it as it is then."""
        seconds = parse_timeout(timeout_s)
        ended = Signal()
        with self.subscribe(lambda event: ended.set() if self._is_final(order_id) else None):
            if self._is_final(order_id) or not seconds:
                ended.set()
            ended.wait(seconds)
        return self.order(order_id)

    def _is_final(self, order_id: str | Order) -> bool:
        return self.order(order_id).is_final

    def snapshot(self) -> int:
        """Keep a snapshot of the account in the store; answers the version it was taken at."""
        return self.exchange.run_flow(self._desk.snapshot())

    def __repr__(self) -> str:
        return f"<PaperBroker {self.account_id!r}>"
