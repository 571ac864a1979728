"""Accounts in a file: the same tomorrow, in another process, as if nobody had ever stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.codec.events import encode_event
from papertrade.errors import KeyConflictError, UsageError
from papertrade.testing.invariants import check_account

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
STEPS = 48  # an hour each: two midnights
ACCOUNTS: dict[str, dict[str, Any]] = {
    "alice": {"cash": 100_000, "fees": pt.PercentFee("0.0003", cap=20)},
    "bob": {"cash": 50_000, "kind": "margin", "cost_method": "fifo", "trading_day": "America/New_York"},
}

COUNTED = re.compile(rb'("evidence":\{[^}]*"number":)\d+')
Run = tuple[dict[str, list[bytes]], list[str]]


def script() -> list[tuple[str, str, dict[str, list[tuple[str, dict[str, Any]]]]]]:
    """For each step: bid, ask, and what each account does then. The same on every call."""
    draw, price = Random(11), 10_000
    steps = []
    for number in range(STEPS):
        price += draw.randint(-60, 60)
        given = {name: list(_commands(draw, f"{number}", price)) for name in ACCOUNTS}
        steps.append((f"{(price - 1) / 100:.2f}", f"{(price + 1) / 100:.2f}", given))
    return steps


def _commands(draw: Random, key: str, price: int) -> Iterator[tuple[str, dict[str, Any]]]:
    side = draw.choice(["buy", "sell"])
    away = draw.randint(1, 90) * (-1 if side == "buy" else 1)
    placed = {"symbol": "ABC", "side": side, "quantity": draw.randint(1, 40), "client_order_id": key}
    kind = draw.randint(0, 5)
    if kind == 0:
        yield "place_order", placed
    elif kind == 1:
        force = draw.choice(["day", "gtc"])
        yield "place_order", {**placed, "limit_price": f"{(price + away) / 100:.2f}", "time_in_force": force}
    elif kind == 2:
        yield "place_order", {**placed, "stop_price": f"{(price - away) / 100:.2f}"}
    elif kind == 3:
        yield "cancel_all_orders", {}
    elif kind == 4:
        yield "deposit", {"amount": 100, "command_id": key}
    else:
        yield "close_position", {"symbol": "ABC", "client_order_id": key}


class Desk:
    """An exchange on a file, that can be left and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()

    def open(self, last: int | None = None) -> None:
        """Open the file; the quote of a step before it, if any, is given before the accounts are opened."""
        self.exchange = pt.Exchange(SQLiteStore(self.path, durability="memory"), clock="data")
        self.exchange.add_instrument("ABC")
        if last is not None:
            self.quote(last)
        self.brokers = {name: self.exchange.open_account(name, **how) for name, how in ACCOUNTS.items()}

    def step(self, number: int) -> list[object]:
        """One hour: a quote, and what everybody does."""
        self.quote(number)
        answers: list[object] = []
        for name, commands in SCRIPT[number][2].items():
            for method, fields in commands:
                try:
                    answers.append(getattr(self.brokers[name], method)(**fields))
                except UsageError as why:  # nothing to close, for example
                    answers.append(repr(why))
        return answers

    def quote(self, number: int) -> None:
        bid, ask, _ = SCRIPT[number]
        self.exchange.on_quote("ABC", bid, ask, at=START + number * HOUR)

    def restart(self, last: int | None = None) -> None:
        self.exchange.close()
        self.open(last)

    def journals(self) -> dict[str, list[bytes]]:
        """The journals, apart from how many data this process had seen when it met the one that a fill names."""
        events = {name: [encode_event(e) for e in broker.events()] for name, broker in self.brokers.items()}
        return {name: [COUNTED.sub(rb"\1-", record) for record in records] for name, records in events.items()}

    def digests(self) -> list[str]:
        return [broker.digest() for broker in self.brokers.values()]


SCRIPT = script()


def run(path: Path, restarts: Callable[[int], bool], quoted: bool = False) -> Run:
    """The whole script, leaving and opening again after some steps."""
    desk = Desk(path)
    for number in range(STEPS):
        desk.step(number)
        if restarts(number):
            before = desk.digests()
            desk.restart(number if quoted else None)
            assert desk.digests() == before
    found = desk.journals(), desk.digests()
    for broker in desk.brokers.values():
        check_account(broker, ("L1", "L2", "L4", "O1", "O2", "O3", "K1", "E1", "E2"))
    desk.exchange.close()
    return found


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What happened where nobody stopped."""
    found = run(tmp_path_factory.mktemp("whole") / "paper.db", lambda number: False)
    kinds = {record.rsplit(b'"kind":"', 1)[1].split(b'"')[0].decode() for record in found[0]["alice"]}
    assert kinds >= {"order_filled", "order_canceled", "order_triggered", "day_opened", "cash_deposited"}
    return found


def ends_a_day(number: int) -> bool:
    """Does a midnight of Greenwich or New York pass before the next step?"""
    return (START // SECOND // 3600 + number) % 24 in (23, 4)


@pytest.mark.parametrize("every", [1, 7, 19])
def test_an_account_that_was_left_is_one_that_was_not(every: int, uninterrupted: Run, tmp_path: Path) -> None:
    """E4: leaving after each step, or some, gives the same journals as never leaving, and the same accounts.

    Not between the last quote of a day and the next day's first: a day opens with what the positions are worth, and a
    process that has no price values them at cost.
    """
    assert run(tmp_path / "paper.db", lambda n: n % every == 0 and not ends_a_day(n)) == uninterrupted


def test_the_last_prices_carry_an_account_over_midnight(uninterrupted: Run, tmp_path: Path) -> None:
    """E4: whoever gives the last quotes again before opening the accounts may leave at any time."""
    assert run(tmp_path / "paper.db", lambda number: True, quoted=True) == uninterrupted
    assert run(tmp_path / "control.db", lambda number: True) != uninterrupted


def carried_loss(path: Path, told: bool) -> pt.PaperBroker:
    """An account that lost 3000 on its first day without selling, was left, and lost 2000 on the next one."""
    limits = pt.RiskLimits(max_daily_loss=5_000)
    for day in (0, 1):
        exchange = pt.Exchange(SQLiteStore(path, durability="memory"), clock="data")
        exchange.add_instrument("ABC")
        if day and told:
            exchange.on_quote("ABC", "93.99", "94.01", at=START + HOUR)
        broker = exchange.open_account("main", cash=200_000, limits=limits)
        if not day:
            exchange.on_quote("ABC", "99.99", "100.01", at=START)
            broker.buy("ABC", 500)
            exchange.on_quote("ABC", "93.99", "94.01", at=START + HOUR)
            broker.buy("ABC", 500)
            exchange.close()
    exchange.on_quote("ABC", "93.99", "94.01", at=START + 24 * HOUR)
    exchange.on_quote("ABC", "91.99", "92.01", at=START + 25 * HOUR)
    return broker


def test_a_new_day_does_not_count_the_loss_of_the_last_one(tmp_path: Path) -> None:
    """The loss of a day begins at nothing, if the last prices are given before the account is opened."""
    broker = carried_loss(tmp_path / "paper.db", told=True)
    assert broker.account().latched == ()
    broker.exchange.close()


def test_a_new_day_does_not_count_the_loss_of_the_last_one_without_prices(tmp_path: Path) -> None:
    """The same, if nobody gives them."""
    broker = carried_loss(tmp_path / "paper.db", told=False)
    try:
        assert broker.account().latched == ()
    finally:
        broker.exchange.close()


def test_a_command_is_answered_again_after_a_restart(tmp_path: Path) -> None:
    """K4, K5: the key brings the first answer in another process's life; other content is a conflict."""
    path = tmp_path / "paper.db"
    desk = Desk(path)
    desk.exchange.on_quote("ABC", "99.98", "100.00", at=START)
    alice = desk.brokers["alice"]
    first = alice.buy("ABC", 5, client_order_id="entry")
    resting = alice.buy("ABC", 5, limit_price="90", client_order_id="rest")
    alice.deposit(7, command_id="salary")
    version = alice.account().version
    desk.restart()
    alice = desk.brokers["alice"]
    assert alice.buy("ABC", 5, client_order_id="entry") == first
    assert alice.buy("ABC", 5, limit_price="90", client_order_id="rest") == resting
    alice.deposit(7, command_id="salary")
    with pytest.raises(KeyConflictError):
        alice.buy("ABC", 6, client_order_id="entry")
    assert alice.account().version == version
    desk.exchange.close()


def test_the_five_lines_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``store="paper.db"`` is all there is to it; the cash of a stored account stays what it is."""
    monkeypatch.chdir(tmp_path)
    broker = pt.open_paper_broker(cash=100_000, store="paper.db", clock="data")
    broker.on_quote("AAPL", "187.10", "187.14", at=START)
    broker.buy("AAPL", 10, client_order_id="entry")
    digest = broker.digest()
    broker.exchange.close()
    again = pt.open_paper_broker(store="paper.db", clock="data")
    assert again.digest() == digest
    assert again.position("AAPL").quantity == 10
    assert again.exchange.describe()["kind"] == "sqlite"
    again.exchange.close()


def test_an_account_that_is_not_there_needs_cash(tmp_path: Path) -> None:
    """Who names no cash means an account that is stored: a wrong file name is no new account with nothing in it."""
    for store in (None, str(tmp_path / "wrong.db")):
        with pytest.raises(UsageError, match="cash: found None; accepted: an amount to begin with"):
            pt.open_paper_broker(store=store)
    exchange = pt.Exchange(str(tmp_path / "wrong.db"))
    assert exchange.accounts() == []
    exchange.close()


def test_opening_decides_nothing(tmp_path: Path) -> None:
    """M7, D2: opening an account again writes no event and fills no order, however often it is done."""
    path = tmp_path / "paper.db"
    desk = Desk(path)
    for number in range(10):
        desk.step(number)
    before = desk.journals()
    for _ in range(3):
        desk.restart()
        assert desk.journals() == before
    desk.exchange.close()


def test_two_exchanges_on_one_file(tmp_path: Path) -> None:
    """Whoever comes second is told so, reads again, and is right from then on."""
    path = tmp_path / "paper.db"
    one, two = Desk(path), Desk(path)
    for desk in (one, two):
        desk.exchange.on_quote("ABC", "99.98", "100.00", at=START)
    one.brokers["alice"].buy("ABC", 1, client_order_id="a")
    with pytest.raises(pt.StoreError):
        two.brokers["alice"].buy("ABC", 1, client_order_id="b")
    assert two.brokers["alice"].buy("ABC", 1, client_order_id="b").is_final
    assert two.brokers["alice"].position("ABC").quantity == 2
    one.exchange.close()
    two.exchange.close()
