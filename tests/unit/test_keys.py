"""Keys: a call with a key acts once, is answered when repeated, and is a conflict by name when its content changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.errors import InvalidValueError, KeyConflictError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Call = Callable[[pt.PaperBroker], object]


@pytest.fixture
def broker() -> pt.PaperBroker:
    """An account with 10 AAPL, a waiting buy (order 2), a waiting stop-limit (3), and one for a date (4)."""
    broker = pt.open_paper_broker(cash=100_000, clock="data")
    broker.on_quote("AAPL", bid="99.98", ask="100.00", at=NOON)
    broker.on_quote("MSFT", bid="49.98", ask="50.00", at=NOON)
    broker.buy("AAPL", 10)
    broker.buy("AAPL", 5, limit_price=90)
    broker.buy("AAPL", 5, limit_price=115, stop_price=110)
    broker.buy("AAPL", 5, limit_price=80, time_in_force="gtd", expires_at="2026-02-01T00:00:00Z")
    return broker


def versions(broker: pt.PaperBroker) -> tuple[int, str]:
    return broker.account().version, broker.digest()


def limit(price: object, key: str | None = None, **fields: object) -> pt.OrderRequest:
    fields = {"symbol": "AAPL", "side": "sell", "quantity": 5, **fields}
    return pt.OrderRequest(limit_price=price, client_order_id=key, **fields)  # type: ignore[arg-type]


def row(symbol: str, quantity: object, average_price: object) -> dict[str, object]:
    return {"symbol": symbol, "quantity": quantity, "average_price": average_price}


def come_in(broker: pt.PaperBroker, *rows: tuple[str, object, object], note: str = "live") -> object:
    return broker.import_positions([row(*fields) for fields in rows], command_id="k", note=note)


CALLS: dict[str, Call] = {
    "order": lambda b: b.buy("AAPL", 2, limit_price=70, client_order_id="k"),
    "refused order": lambda b: b.buy("AAPL", 1_000_000, client_order_id="k"),
    "pair, key on the first": lambda b: b.place_oco(limit(120, "k"), limit(130)),
    "pair, key on the second": lambda b: b.place_oco(limit(120), limit(130, "k")),
    "refused pair": lambda b: b.place_oco(limit(120, "k", quantity=11), limit(130)),
    "close": lambda b: b.close_position("AAPL", 4, client_order_id="k"),
    "change": lambda b: b.modify_order("main-2", quantity=7, limit_price=91, command_id="k"),
    "refused change": lambda b: b.modify_order("main-2", quantity=1_000_000, command_id="k"),
    "deposit": lambda b: b.deposit(7, command_id="k"),
    "withdrawal": lambda b: b.withdraw(7, command_id="k"),
    "refused withdrawal": lambda b: b.withdraw(10**9, command_id="k"),
    "deposit with a note": lambda b: b.deposit(7, command_id="k", note="rent"),
    "reset": lambda b: b.reset(50, command_id="k", note="again"),
    "reset to nothing": lambda b: b.reset(0, command_id="k"),
    "import": lambda b: b.import_positions([row("AAPL", 3, 90), row("MSFT", 4, "10.5")], command_id="k", note="live"),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_under_the_same_key_is_answered_and_not_repeated(broker: pt.PaperBroker, name: str) -> None:
    """K2: a repeated call gives the first answer and changes neither version nor state, also when it was refused."""
    first = CALLS[name](broker)
    after = versions(broker)
    assert CALLS[name](broker) == first
    assert versions(broker) == after


CONFLICTS: list[tuple[str, Call, str, object, object]] = [
    ("order", lambda b: b.buy("AAPL", 3, limit_price=70, client_order_id="k"), "quantity", Decimal(2), Decimal(3)),
    ("order", lambda b: b.buy("AAPL", 2, limit_price=71, client_order_id="k"), "limit", Decimal(70), Decimal(71)),
    ("order", lambda b: b.buy("MSFT", 2, limit_price=70, client_order_id="k"), "symbol", "AAPL", "MSFT"),
    ("order", lambda b: b.place_oco(limit(120, "k"), limit(130)), "orders", 1, 2),
    ("order", lambda b: b.close_position("AAPL", client_order_id="k"), "order", "a limit order", "close_position"),
    ("order", lambda b: b.close_position("MSFT", client_order_id="k"), "symbol", "AAPL", "MSFT"),
    ("pair, key on the first", lambda b: b.place_oco(limit(121, "k"), limit(130)), "limit", Decimal(120), Decimal(121)),
    ("pair, key on the first", lambda b: b.place_oco(limit(120, "k"), limit(131)), "limit", Decimal(130), Decimal(131)),
    ("close", lambda b: b.close_position("AAPL", 3, client_order_id="k"), "quantity", Decimal(4), Decimal(3)),
    ("change", lambda b: b.modify_order("main-3", quantity=7, command_id="k"), "order", "main-2", "main-3"),
    ("change", lambda b: b.modify_order("main-2", quantity=8, command_id="k"), "quantity", Decimal(7), Decimal(8)),
    ("change", lambda b: b.modify_order("main-2", limit_price=9, command_id="k"), "limit_price", Decimal(91), 9),
    ("deposit", lambda b: b.deposit(8, command_id="k"), "amount", Decimal(7), Decimal(8)),
    ("withdrawal", lambda b: b.withdraw(8, command_id="k"), "amount", Decimal(7), Decimal(8)),
    ("deposit", lambda b: b.deposit(7, command_id="k", note="rent"), "note", "", "rent"),
    ("withdrawal", lambda b: b.withdraw(7, command_id="k", note="rent"), "note", "", "rent"),
    ("reset", lambda b: b.reset(51, command_id="k", note="again"), "cash", Decimal(50), Decimal(51)),
    ("reset", lambda b: b.reset(50, command_id="k"), "note", "again", ""),
    ("import", lambda b: b.import_positions([row("AAPL", 3, 90)], command_id="k", note="live"), "positions", 2, 1),
    ("import", lambda b: come_in(b, ("MSFT", 3, 90), ("MSFT", 4, "10.5")), "symbol", "AAPL", "MSFT"),
    ("import", lambda b: come_in(b, ("AAPL", 4, 90), ("MSFT", 4, "10.5")), "quantity", Decimal(3), Decimal(4)),
    ("import", lambda b: come_in(b, ("AAPL", 3, 90), ("MSFT", 4, 11)), "average_price", Decimal("10.5"), Decimal(11)),
    ("import", lambda b: come_in(b, ("AAPL", 3, 90), ("MSFT", 4, "10.5"), note=""), "note", "live", ""),
    ("refused withdrawal", lambda b: b.withdraw(8, command_id="k"), "amount", Decimal(10**9), Decimal(8)),
]


@pytest.mark.parametrize(("name", "again", "field", "first", "now"), CONFLICTS)
def test_the_same_key_with_another_content_is_a_conflict_by_name(
    broker: pt.PaperBroker, name: str, again: Call, field: str, first: object, now: object
) -> None:
    """K3: the error names the caller's key and the field that differs, with both values; nothing changes."""
    CALLS[name](broker)
    after = versions(broker)
    with pytest.raises(KeyConflictError) as caught:
        again(broker)
    error = caught.value
    assert (error.key, error.field, error.first, error.now) == ("k", field, first, now)
    assert versions(broker) == after


def test_a_change_of_stop_and_expiry_is_compared_too(broker: pt.PaperBroker) -> None:
    """Stop price and expiry of a change belong to its content; an expiry is shown as an instant."""
    broker.modify_order("main-3", stop_price=111, command_id="s")
    with pytest.raises(KeyConflictError) as caught:
        broker.modify_order("main-3", stop_price=112, command_id="s")
    assert (caught.value.field, caught.value.first, caught.value.now) == ("stop_price", Decimal(111), Decimal(112))

    broker.modify_order("main-4", expires_at="2026-02-02T00:00:00Z", command_id="e")
    with pytest.raises(KeyConflictError) as caught:
        broker.modify_order("main-4", expires_at="2026-02-03T00:00:00Z", command_id="e")
    assert caught.value.field == "expires_at"
    assert [when.day for when in (caught.value.first, caught.value.now)] == [2, 3]  # type: ignore[attr-defined]


def test_what_a_refused_change_did_not_ask_for_is_part_of_its_content(broker: pt.PaperBroker) -> None:
    """A refused change is kept as it was asked: the same key with one more field is another call."""
    broker.modify_order("main-2", quantity=1_000_000, command_id="k")
    with pytest.raises(KeyConflictError) as caught:
        broker.modify_order("main-2", quantity=1_000_000, limit_price=91, command_id="k")
    assert (caught.value.field, caught.value.first, caught.value.now) == ("limit_price", None, Decimal(91))


def test_a_close_that_found_more_to_close_then_is_the_same_call(broker: pt.PaperBroker) -> None:
    """A closing order is cut to what is held: the same call for more than there was gets its first answer."""
    first = broker.close_position("AAPL", 12, client_order_id="k")
    assert first.quantity == 10
    assert broker.close_position("AAPL", 12, client_order_id="k") == first
    assert broker.close_position("AAPL", client_order_id="k") == first


def test_a_market_order_that_closes_by_chance_is_no_closing_order(broker: pt.PaperBroker) -> None:
    """A plain sale of everything is not ``close_position``: under its key that is another call."""
    broker.sell("AAPL", 10, client_order_id="k")
    with pytest.raises(KeyConflictError) as caught:
        broker.close_position("AAPL", client_order_id="k")
    assert (caught.value.field, caught.value.first) == ("order", "a market order")


def test_a_reset_of_another_limit_is_another_call(broker: pt.PaperBroker) -> None:
    """A key of ``reset_limit`` stands for one limit: repeated it does nothing, for another limit it is a conflict."""
    broker.kill()
    broker.reset_limit("kill_switch", command_id="k:1")
    event = broker.events(kinds="limit_reset")[-1]
    assert (event.command_id, event.limit) == ("k:1", "kill_switch")  # type: ignore[attr-defined]
    broker.kill()
    broker.reset_limit("kill_switch", command_id="k:1")
    assert broker.account().latched == ("kill_switch",)
    with pytest.raises(KeyConflictError) as caught:
        broker.reset_limit("max_daily_loss", command_id="k:1")
    error = caught.value
    assert (error.key, error.field, error.first, error.now) == ("k:1", "limit", "kill_switch", "max_daily_loss")
    broker.reset_limit("kill_switch", command_id="k:2")
    assert broker.account().latched == ()
    broker.kill()
    broker.reset_limit("kill_switch")
    assert broker.account().latched == ()


def test_a_key_may_hold_what_separates_keys_inside(broker: pt.PaperBroker) -> None:
    """A colon in a key is the caller's business, and the conflict names the key as it was given."""
    broker.deposit(7, command_id="a:b:c")
    with pytest.raises(KeyConflictError) as caught:
        broker.deposit(8, command_id="a:b:c")
    assert caught.value.key == "a:b:c"


def test_each_kind_of_command_has_its_own_keys(broker: pt.PaperBroker) -> None:
    """One word may be the key of an order, a change, a deposit, a withdrawal and a reset: they never meet."""
    before = broker.account().version
    broker.kill()
    broker.reset_limit("kill_switch", command_id="k")
    broker.deposit(7, command_id="k")
    broker.withdraw(7, command_id="k")
    broker.modify_order("main-2", quantity=6, command_id="k")
    broker.buy("AAPL", 1, client_order_id="k")
    assert broker.account().version - before >= 6
    assert broker.account().total == 100_000 - 1000 - 100


@pytest.mark.parametrize(
    ("call", "commit_id"),
    [
        (lambda b: b.buy("AAPL", 1, client_order_id="k"), "order:k"),
        (lambda b: b.place_oco(limit(120), limit(130, "k")), "order:k"),
        (lambda b: b.close_position("AAPL", client_order_id="k"), "order:k"),
        (lambda b: b.modify_order("main-2", quantity=6, command_id="k"), "modify:k"),
        (lambda b: b.deposit(7, command_id="k"), "deposit:k"),
        (lambda b: b.withdraw(7, command_id="k"), "withdraw:k"),
        (lambda b: (b.kill(), b.reset_limit("kill_switch", command_id="k")), "reset:k"),
    ],
)
def test_stored_keys_keep_their_spelling(broker: pt.PaperBroker, call: Call, commit_id: str) -> None:
    """Commit ids are in every store that was ever written: another spelling would forget every key."""
    call(broker)
    store = broker.exchange._desk.store
    assert store.find("main", commit_id) is not None


def test_a_pair_has_one_key(broker: pt.PaperBroker) -> None:
    """A pair is one command, so a key on each of its orders is misuse."""
    with pytest.raises(InvalidValueError) as caught:
        broker.place_oco(limit(120, "a"), limit(130, "b"))
    assert (caught.value.field, caught.value.found) == ("client_order_id", "one on each order")
    assert caught.value.accepted == "one for the pair: it is one command"
