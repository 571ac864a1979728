"""How accounts start: positions from elsewhere, copies of others, and once more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import CashDeposited
from papertrade.errors import (
    AccountSuspendedError,
    CurrencyMismatchError,
    InvalidValueError,
    KeyConflictError,
    StoreCorruptError,
    StoreUnavailableError,
    UnknownAccountError,
    UnknownSymbolError,
    UsageError,
)
from papertrade.ledger.entries import trial_balance
from papertrade.ports.store import Append, Outcome
from papertrade.testing.invariants import check_account

AT = "2026-01-05T14:30:00Z"
LOSSES = pt.RiskLimits(max_daily_loss=500, max_drawdown=500)


def hall(store: Any = None) -> pt.Exchange:
    exchange = pt.Exchange(store, clock="data")
    for symbol in ("ABC", "XYZ"):
        exchange.add_instrument(symbol)
    exchange.add_instrument("LOT", lot_size=10)
    exchange.add_instrument("NSE:INFY", currency="INR")
    return exchange


def quoted(exchange: pt.Exchange, bid: str = "99.98", ask: str = "100.00", symbol: str = "ABC", at: str = AT) -> None:
    exchange.on_quote(symbol, bid, ask, at=at)


def row(symbol: str, quantity: object, price: object = 100) -> dict[str, object]:
    return {"symbol": symbol, "quantity": quantity, "average_price": price}


def kinds(broker: pt.PaperBroker, after: int) -> list[str]:
    return [event.kind for event in broker.events(after)]


def state(broker: pt.PaperBroker) -> Any:
    return broker.exchange._desk.engine.seats[broker.account_id].state


# -------------------------------------------------------------------- import


def test_what_comes_in_is_a_deposit_in_kind() -> None:
    """Cash stays, net deposits grow by the cost, equity by what it is worth; there is no order and no fill."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=1_000)
    broker.import_positions([row("ABC", 10, "90.005")], note="live")
    account = broker.account()
    assert (account.total, account.net_deposits, account.realized) == (1_000, Decimal("1900.05"), 0)
    assert (account.equity, account.unrealized, account.day_profit) == (Decimal("1999.9"), Decimal("99.85"), 0)
    assert (broker.orders(), broker.fills(), trial_balance(state(broker).books)) == ([], [], 0)
    assert [str(entry) for entry in broker.entries()[-1:]] == [
        "<Entry main@4 position_imported: assets:positions 900.05, equity:deposits -900.05 USD>"
    ]
    check_account(broker)


@pytest.mark.parametrize("method", ["average", "fifo"])
def test_what_comes_in_joins_what_is_held(method: str) -> None:
    """Under FIFO it is a lot of its own, after those that are there; sold, it gives up its stated cost."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=10_000, cost_method=method)
    broker.buy("ABC", 10)
    broker.import_positions([row("ABC", 10, 50)])
    lots = [(lot.quantity, lot.cost) for lot in broker.position("ABC").lots]
    assert lots == ([(10, 1_000), (10, 500)] if method == "fifo" else [(20, 1_500)])
    broker.sell("ABC", 20)
    assert broker.account().realized == Decimal("499.6")
    check_account(broker)


def test_an_old_loss_is_no_loss_of_today() -> None:
    """What a position lost before it came in latches nothing, with or without a price; what it loses after does."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=100_000, limits=LOSSES)
    broker.import_positions([row("ABC", 100, 300), row("XYZ", 10, 900)])
    assert broker.account().day_profit is None
    quoted(exchange, "50", "50.02", "XYZ", "2026-01-05T14:31:00Z")
    assert (broker.account().latched, broker.account().day_profit) == ((), 0)
    broker.deposit(5)
    quoted(exchange, "95.48", "95.50", "ABC", "2026-01-05T14:32:00Z")
    assert (broker.account().latched, broker.account().day_profit) == ((), -450)
    quoted(exchange, "94.90", "94.92", "ABC", "2026-01-05T14:33:00Z")
    assert broker.account().latched == ("max_daily_loss", "max_drawdown")
    check_account(broker)


def test_an_old_gain_is_no_cushion() -> None:
    """What a position won before it came in is not there to be lost under the limit on drawdown."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=100_000, limits=pt.RiskLimits(max_drawdown=500))
    broker.import_positions([row("ABC", 100, 10)])
    quoted(exchange, "94.90", "94.92", "ABC", "2026-01-05T14:33:00Z")
    assert broker.account().latched == ("max_drawdown",)
    check_account(broker)


def test_positions_may_come_in_before_anybody_knows_the_time() -> None:
    """Under the data clock, before the first datum: the first price of a held symbol opens the day."""
    exchange = hall()
    broker = exchange.open_account("main", cash=100_000, limits=LOSSES)
    broker.import_positions([row("ABC", 100, 300), row("XYZ", 10, 900)])
    assert kinds(broker, 2) == ["position_imported", "position_imported"]
    quoted(exchange)
    opened = broker.events(kinds="day_opened")[0].to_dict()
    assert opened["unmarked"] == ("XYZ",)
    quoted(exchange, "50", "50.02", "XYZ", "2026-01-05T14:31:00Z")
    assert (broker.account().latched, broker.account().day_profit) == ((), 0)
    quoted(exchange, "94.90", "94.92", "ABC", "2026-01-05T14:33:00Z")
    assert broker.account().latched == ("max_daily_loss", "max_drawdown")
    check_account(broker)


def test_shorts_come_in_where_there_may_be_some() -> None:
    """A short comes in at a negative cost, and a margin account without the money for it is called."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=2_000, margin=pt.FlatMargin(initial="0.2", maintenance="0.1"))
    broker.import_positions([row("ABC", -10, 110)])
    account = broker.account()
    assert (account.net_deposits, account.unrealized, account.margin_call) == (900, Decimal("100.1"), False)
    broker.import_positions([row("ABC", -20, 110)])
    assert broker.account().margin_call
    check_account(broker)


REFUSED: list[tuple[str, list[dict[str, object]], type[Exception]]] = [
    ("a symbol that is not listed", [row("ABC", 1), row("NOPE", 1)], UnknownSymbolError),
    ("another currency", [row("ABC", 1), row("NSE:INFY", 1)], CurrencyMismatchError),
    ("a part of a lot", [row("ABC", 1), row("LOT", 15)], InvalidValueError),
    ("a short", [row("ABC", 1), row("XYZ", -1)], InvalidValueError),
    ("nothing of it", [row("ABC", 0)], InvalidValueError),
    ("no price", [row("ABC", 1, 0)], InvalidValueError),
    ("no row", [], InvalidValueError),
    ("a field too many", [{**row("ABC", 1), "mark": 5}], InvalidValueError),
    ("a field too few", [{"symbol": "ABC", "quantity": 1}], InvalidValueError),
    ("a cost beyond all bounds", [row("ABC", "999999999999999", "999999999999999")], InvalidValueError),
]


@pytest.mark.parametrize(("what", "rows", "error"), REFUSED, ids=[what for what, _, _ in REFUSED])
def test_a_refused_import_changes_nothing(what: str, rows: list[dict[str, object]], error: type[Exception]) -> None:
    """Rows come in together or not at all, and the key stays free."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=1_000)
    before = broker.digest()
    with pytest.raises(error):
        broker.import_positions(rows, command_id="k")
    assert broker.digest() == before
    broker.import_positions([row("ABC", 1)], command_id="k")


def test_an_import_is_repeated_after_its_lot_size_changed() -> None:
    """The same call finds its first answer, where the symbol trades in larger lots now or is not listed any more."""
    store = MemoryStore()
    exchange = hall(store)
    quoted(exchange)
    broker = exchange.open_account("main", cash=1_000)
    broker.import_positions([row("ABC", 5)], command_id="i")
    broker.sell("ABC", 5)
    for lots in ({"lot_size": 10}, None):
        exchange = pt.Exchange(store, clock="data")
        if lots:
            exchange.add_instrument("ABC", **lots)
        broker = exchange.open_account("main")
        assert broker.import_positions([row("ABC", 5)], command_id="i") == []
        with pytest.raises(KeyConflictError):
            broker.import_positions([row("ABC", 6)], command_id="i")


def test_nothing_comes_in_against_what_is_held() -> None:
    """A long against a short would close it, which is a trade; within one import too."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=10_000, kind="margin")
    with pytest.raises(InvalidValueError, match="on the side of the 5 ABC"):
        broker.import_positions([row("ABC", 5), row("ABC", -2)])
    broker.sell("ABC", 3)
    with pytest.raises(InvalidValueError, match="on the side of the -3 ABC"):
        broker.import_positions([row("ABC", 5)])
    assert broker.import_positions([row("ABC", -5)], command_id="k")[0].quantity == -8
    broker.buy("ABC", 20)
    assert broker.import_positions([row("ABC", -5)], command_id="k")[0].quantity == 12, "the first answer, as it is now"


# --------------------------------------------------------------------- reset


def busy(exchange: pt.Exchange, **options: Any) -> pt.PaperBroker:
    """An account with a position, profit, fees, two linked orders, a latch and a note in its books."""
    quoted(exchange)
    fees, limits = pt.PercentFee("0.001"), pt.RiskLimits(max_daily_loss=10_000)
    broker = exchange.open_account("main", cash=100_000, fees=fees, limits=limits, **options)
    broker.buy("ABC", 50, client_order_id="entry")
    broker.sell("ABC", 10)
    broker.buy("ABC", 5, limit_price=90)
    one = broker.sell("ABC", 10, limit_price=120)
    broker.sell("ABC", 10, stop_price=80, oco_with=one.id)
    broker.deposit(77, command_id="d")
    return broker


def test_a_reset_begins_again_and_forgets_nothing() -> None:
    """Money and figures are new; history, numbers, versions and keys go on; what was is in one event."""
    exchange = hall()
    broker = busy(exchange)
    broker.kill()
    orders, fills, before = broker.orders(), broker.fills(), broker.account()
    balances = {name: units for name, units in state(broker).books.items() if units and name != "assets:holds"}
    answer = broker.reset(5_000, note="again", command_id="k")
    assert kinds(broker, before.version) == [*["order_canceled"] * 2, "account_reset"]
    reset: Any = broker.events(kinds="account_reset")[0]
    assert dict(reset.balances) == {**balances, "assets:cash": before.total_units}
    assert (dict(reset.holdings), reset.note, reset.command_id) == ({"ABC": 40 * 10**9}, "again", "k")
    figures = (answer.total, answer.held, answer.equity, answer.net_deposits, answer.day_profit)
    assert figures == (5_000, 0, 5_000, 5_000, 0)
    assert (answer.realized, answer.fees, answer.latched, answer.open_orders) == (0, 0, (), 0)
    assert (broker.positions(), broker.position("ABC").realized, broker.position("ABC").fees) == ([], 0, 0)
    assert broker.fills() == fills
    assert [order.id for order in broker.orders()] == [order.id for order in orders]
    assert trial_balance(state(broker).books) == 0
    assert broker.buy("ABC", 50, client_order_id="entry").id == "main-1", "the key goes on"
    order = broker.buy("ABC", 1)
    assert (order.id, broker.fills()[-1].id) == ("main-6", "main-F3")
    check_account(broker)


def test_a_reset_ends_margin_calls_and_watches() -> None:
    """The called account is free again, and the price that it was watched for is nobody's any more."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=1_000, margin=pt.FlatMargin(initial="0.2", maintenance="0.2"))
    broker.sell("ABC", 40)
    quoted(exchange, "109.98", "110.00", at="2026-01-05T14:31:00Z")
    assert broker.account().margin_call
    broker.reset(1_000)
    assert not broker.account().margin_call
    assert len(exchange.market("ABC").index) == 0
    version = broker.account().version
    quoted(exchange, "209.98", "210.00", at="2026-01-05T14:32:00Z")
    assert broker.account().version == version
    assert broker.buy("ABC", 1).status.value == "filled"
    check_account(broker)


def test_losses_are_measured_from_the_new_beginning() -> None:
    """Neither the loss of the day nor the drawdown knows what was before."""
    exchange = hall()
    quoted(exchange)
    broker = exchange.open_account("main", cash=100_000, limits=LOSSES)
    broker.buy("ABC", 100)
    quoted(exchange, "96.00", "96.02", at="2026-01-05T14:31:00Z")
    broker.reset(20_000)
    broker.buy("ABC", 100)
    quoted(exchange, "92.00", "92.02", at="2026-01-05T14:32:00Z")
    assert (broker.account().day_profit, broker.account().latched) == (-401, ())
    quoted(exchange, "90.90", "90.92", at="2026-01-05T14:33:00Z")
    assert broker.account().latched == ("max_daily_loss", "max_drawdown")
    check_account(broker)


def test_twice_in_a_row_and_over_a_restart() -> None:
    """A reset account is read again as it is, from its journal and from a snapshot in the middle."""
    store = MemoryStore()
    broker = busy(hall(store))
    broker.reset(500)
    broker.import_positions([row("ABC", 3)])
    broker.snapshot()
    broker.reset(0, command_id="k")
    digest, version = broker.digest(), broker.account().version
    exchange = hall(store)
    broker = exchange.open_account("main", fees=pt.PercentFee("0.001"))
    assert broker.digest() == digest
    assert broker.reset(0, command_id="k").version == version
    check_account(broker, restarts=[version])


# --------------------------------------------------------------------- clone


@pytest.mark.parametrize("method", ["average", "fifo"])
def test_a_clone_has_the_money_and_positions_of_its_source(method: str) -> None:
    """Words, cash, positions and lots are those of the source, to the unit; orders, latches and past are not."""
    exchange = hall()
    alice = busy(exchange, cost_method=method)
    quoted(exchange, "103.33", "103.35", at="2026-01-05T14:31:00Z")
    alice.buy("ABC", 7)
    alice.kill()
    bob = exchange.clone_account("main", "bob", note="try")
    one, two = alice.account(), bob.account()
    assert (two.total, two.equity, two.unrealized) == (one.total, one.equity, one.unrealized)
    assert (two.realized, two.fees, two.latched, two.open_orders, two.held) == (0, 0, (), 0, 0)
    lots = [[(lot.quantity, lot.cost) for lot in b.position("ABC").lots] for b in (alice, bob)]
    assert lots[0] == lots[1]
    assert abs((bob.position("ABC").average_price or 0) - (alice.position("ABC").average_price or 0)) <= Decimal("1e-9")
    assert exchange.accounts() == ["bob", "main"]
    copied: Any = bob.events(kinds="account_cloned")[0]
    assert (copied.source_account, copied.source_version, copied.note) == ("main", one.version, "try")
    assert bob.assumptions() == alice.assumptions()
    assert bob.sell("ABC", 1).id == "bob-1"
    check_account(bob)
    check_account(alice)


def test_a_clone_is_one_append() -> None:
    """Whoever reads its journal finds all of it or nothing."""

    class Counting(MemoryStore):
        sizes: list[int]

        def append(self, batch: Any) -> Any:
            self.sizes = [*getattr(self, "sizes", []), len(batch.events)]
            return super().append(batch)

    store = Counting()
    exchange = hall(store)
    alice = busy(exchange)
    store.sizes = []
    bob = exchange.clone_account("main", "bob")
    assert store.sizes == [len(bob.events())]
    assert alice.account().version == len(alice.events())


def test_a_clone_of_what_is_owed_owes_it() -> None:
    """A margin account that bought with borrowed money is copied with its debt."""
    exchange = hall()
    quoted(exchange)
    alice = exchange.open_account("alice", cash=1_000, margin=pt.FlatMargin(initial="0.2", maintenance="0.1"))
    alice.buy("ABC", 30)
    bob = exchange.clone_account("alice", "bob")
    assert (bob.account().total, bob.account().equity) == (-2_000, alice.account().equity)
    assert [event.kind for event in bob.events()][2] == "cash_withdrawn"
    check_account(bob)


def test_a_clone_of_an_account_in_a_margin_call_is_in_one() -> None:
    """It is looked at when it begins, and not with whatever comes next."""
    exchange = hall()
    quoted(exchange)
    alice = exchange.open_account("alice", cash=1_000, margin=pt.FlatMargin(initial="0.2", maintenance="0.1"))
    alice.buy("ABC", 50)
    quoted(exchange, "85.00", "85.02", at="2026-01-05T14:31:00Z")
    assert alice.account().margin_call
    bob = exchange.clone_account("alice", "bob")
    assert bob.account().margin_call
    assert bob.events()[-1].kind == "margin_called"
    check_account(bob)


def test_a_clone_is_watched_from_the_first_datum() -> None:
    """Its limits are those of its source, measured from what it is worth when it begins."""
    exchange = hall()
    quoted(exchange)
    alice = exchange.open_account("alice", cash=100_000, limits=LOSSES)
    alice.import_positions([row("ABC", 100, 300)])
    bob = exchange.clone_account("alice", "bob")
    assert bob.account().day_profit == 0
    quoted(exchange, "96.00", "96.02", at="2026-01-05T14:31:00Z")
    assert (bob.account().latched, bob.account().day_profit) == ((), -398)
    quoted(exchange, "94.90", "94.92", at="2026-01-05T14:32:00Z")
    assert bob.account().latched == ("max_daily_loss", "max_drawdown")
    check_account(bob)


def test_a_clone_is_repeated_by_its_key() -> None:
    """The same call finds what it made, in another process too; another source or note is a conflict."""
    store = MemoryStore()
    exchange = hall(store)
    busy(exchange)
    exchange.open_account("other", cash=5)
    bob = exchange.clone_account("main", "bob", note="try", command_id="c")
    bob.sell("ABC", 1)
    digest = bob.digest()
    assert exchange.clone_account("main", "bob", note="try", command_id="c").digest() == digest
    for source, note, field in (("other", "try", "source"), ("main", "", "note")):
        with pytest.raises(KeyConflictError) as caught:
            exchange.clone_account(source, "bob", note=note, command_id="c")
        assert (caught.value.key, caught.value.field) == ("c", field)
    exchange = hall(store)
    exchange.open_account("main", fees=pt.PercentFee("0.001"))
    assert exchange.clone_account("main", "bob", note="try", command_id="c").digest() == digest


def test_a_clone_that_was_not_stored_is_not_waited_for_by_any_market() -> None:
    """The store was away: the market goes on without it, and it can be made later."""

    class Away(MemoryStore):
        away = False

        def append(self, batch: Append) -> Outcome:
            if self.away:
                raise StoreUnavailableError("away")
            return super().append(batch)

    store = Away()
    exchange = hall(store)
    quoted(exchange)
    alice = exchange.open_account("alice", cash=1_000, margin=pt.FlatMargin(initial="0.2", maintenance="0.1"))
    alice.buy("ABC", 40)
    store.away = True
    with pytest.raises(StoreUnavailableError):
        exchange.clone_account("alice", "bob")
    store.away = False
    quoted(exchange, "80.00", "80.02", at="2026-01-05T14:31:00Z")
    assert alice.account().margin_call
    assert exchange.clone_account("alice", "bob").account().margin_call


def test_two_processes_make_a_clone_with_one_key() -> None:
    """Whoever comes second, even between the look and the append of the first, finds the clone that is there."""

    class Overtaken(MemoryStore):
        meanwhile: Callable[[], object] | None = None

        def append(self, batch: Append) -> Outcome:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None and batch.stream == "bob":
                meanwhile()
            return super().append(batch)

    store = Overtaken()
    first, second = hall(store), hall(store)
    first.open_account("main", cash=1_000)
    second.open_account("main")
    quoted(first)
    store.meanwhile = lambda: first.clone_account("main", "bob", command_id="c")
    assert second.clone_account("main", "bob", command_id="c").digest() == first.account("bob").digest()


def test_a_clone_that_went_on_needs_its_instruments() -> None:
    """Repeated where a symbol that it trades since is not listed, it is said and the clone takes no seat."""
    store = MemoryStore()
    exchange = hall(store)
    exchange.open_account("main", cash=1_000)
    quoted(exchange)
    exchange.clone_account("main", "bob", command_id="c").buy("ABC", 1, limit_price=50)
    exchange = pt.Exchange(store, clock="data")
    exchange.open_account("main")
    with pytest.raises(UsageError, match="trades 'ABC', which is not listed"):
        exchange.clone_account("main", "bob", command_id="c")
    assert exchange.accounts() == ["main"]
    exchange.add_instrument("ABC")
    assert exchange.clone_account("main", "bob", command_id="c").orders("open")


@pytest.mark.parametrize(
    "repeated",
    [
        lambda main: main.reset(cash=500, command_id="r"),
        lambda main: main.import_positions([row("ABC", 1)], command_id="i"),
    ],
)
def test_a_repetition_that_finds_damage_stops_the_account(
    repeated: Callable[[pt.PaperBroker], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored under the key cannot be read: nothing is written on a damaged journal."""

    def damaged(*_: object) -> Any:
        raise StoreCorruptError("a hash that does not fit")

    store = MemoryStore()
    exchange = hall(store)
    main = exchange.open_account("main", cash=1_000)
    quoted(exchange)
    main.reset(cash=500, command_id="r")
    main.import_positions([row("ABC", 1)], command_id="i")
    with monkeypatch.context() as patch:
        patch.setattr(store, "load", damaged)
        with pytest.raises(StoreCorruptError):
            repeated(main)
    with pytest.raises(AccountSuspendedError):
        main.deposit(1)


MISUSE: list[tuple[Callable[[pt.Exchange], object], type[Exception]]] = [
    (lambda e: e.clone_account("main", "main"), InvalidValueError),
    (lambda e: e.clone_account("nobody", "bob"), UnknownAccountError),
    (lambda e: e.clone_account("main", "taken"), UsageError),
    (lambda e: e.clone_account("main", "taken", command_id="c"), UsageError),
    (lambda e: e.clone_account("main", " bob"), InvalidValueError),
    (lambda e: e.clone_account("main", "bob", note="\n"), InvalidValueError),
    (lambda e: e.clone_account("main", "bob", command_id=""), InvalidValueError),
]


@pytest.mark.parametrize(("call", "error"), MISUSE)
def test_a_refused_clone_leaves_no_trace(call: Callable[[pt.Exchange], object], error: type[Exception]) -> None:
    """No account begins, and the source is as it was."""
    exchange = hall()
    alice = busy(exchange)
    exchange.open_account("taken", cash=5)
    before = alice.digest()
    with pytest.raises(error):
        call(exchange)
    assert (exchange.accounts(), alice.digest()) == (["main", "taken"], before)


# ---------------------------------------------------------------- both hosts


def test_the_asynchronous_host_does_the_same() -> None:
    """The flows are the same, so the journals are."""

    async def awaited() -> list[list[Any]]:
        exchange = pt.AsyncExchange(clock="data")
        exchange.add_instrument("ABC")
        alice = await exchange.open_account("alice", cash=1_000)
        await exchange.on_quote("ABC", "99.98", "100.00", at=AT)
        held = await alice.import_positions([row("ABC", 3)], command_id="i", note="n")
        bob = await exchange.clone_account("alice", "bob", note="n", command_id="c")
        account = await alice.reset(70, command_id="r", note="n")
        assert (held[0].quantity, account.total) == (3, 70)
        return [list(await broker.events()) for broker in (alice, bob)]

    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("ABC")
    alice = exchange.open_account("alice", cash=1_000)
    quoted(exchange)
    alice.import_positions([row("ABC", 3)], command_id="i", note="n")
    bob = exchange.clone_account("alice", "bob", note="n", command_id="c")
    alice.reset(70, command_id="r", note="n")
    assert asyncio.run(awaited()) == [alice.events(), bob.events()]


def test_opening_never_resets() -> None:
    """An account that is there is opened as it stands, whatever cash is said."""
    exchange = hall()
    broker = busy(exchange)
    digest = broker.digest()
    assert exchange.open_account("main", cash=5, fees=pt.PercentFee("0.001")).digest() == digest
    assert sum(isinstance(event, CashDeposited) for event in broker.events()) == 2
