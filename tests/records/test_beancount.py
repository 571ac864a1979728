"""The books as text: the same entries, legal names that lead back, and a checker that is not ours agrees."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from moved_accounts import trade

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.demo.run import replay
from papertrade.domain.events import Event
from papertrade.errors import InvalidValueError, UnknownAccountError
from papertrade.records import balance_at, export_beancount, write_beancount
from papertrade.records.bean_names import Names
from papertrade.testing.chance import draw_setup
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import Driven
from papertrade.testing.oracle import Oracle

HARD = ["F", "TRUE", "usd", "USD", 'a"b\\c', "BRK.B", "BRK-B", "NSE:INFY", "NSE-INFY", "500325", "~", "-", "x" * 64]
HARD += ["X" * 64, "A'B", "Z" * 24, "Z" * 25, "A-", ".A", "a b", "NULL", "Commission", "COMMISSION"]
BALANCE = re.compile(r"(\S+) balance (\S+)  (\S+) ~ 0 (\S+)")


def text(events: list[Event], under: str = "", zone: str = "UTC") -> str:
    stream = io.BytesIO()
    write_beancount(events, stream, under=under, zone=zone)
    return stream.getvalue().decode("utf-8")


def hard_names() -> list[Event]:
    """A margin account that trades symbols of every spelling, long and short, with a rebate and a note."""
    fees = pt.FeeSchedule([pt.MakerTakerFee(maker="-0.0001", taker="0.0005"), pt.PercentFee("0.001", kind="GST 18%")])
    broker = pt.open_paper_broker(cash=10**9, clock="data", kind="margin", fees=fees)
    for i, symbol in enumerate(HARD):
        broker.on_quote(symbol, bid="187.10", ask="187.14", at=f"2026-01-{5 + i // 3:02}T{15 + i % 3}:00:00Z")
        broker.buy(symbol, 3)
        broker.sell(symbol, 7)
        if i % 2:
            broker.close_position(symbol)
    broker.deposit("5.01", note='say "x" \\ é')
    broker.withdraw(3)
    hostile = '"\n\n2026-01-01 * "planted"\n  Assets:Cash  1 USD\n;'  # no broker takes it; an imported file may hold it
    return [e._replace(note=hostile) if e.kind == "cash_withdrawn" else e for e in broker.events()]


def begun_again() -> list[Event]:
    """Positions that came in without a trade, long and short, whose costs cancel out; resets; and trading after it."""
    broker = pt.open_paper_broker(cash=1_000, clock="data", kind="margin")
    broker.on_quote("ABC", "99.98", "100.00", at="2026-01-05T14:30:00Z")
    broker.on_quote("XYZ", "99.98", "100.00", at="2026-01-05T14:30:00Z")
    broker.import_positions([{"symbol": "ABC", "quantity": 5, "average_price": 98}])
    broker.import_positions([{"symbol": "XYZ", "quantity": -5, "average_price": 98}])
    broker.reset(1_000, note="once more")
    broker.buy("ABC", 3)
    broker.reset(500)
    broker.sell("ABC", 1)
    return list(broker.events())


def drawn(seed: int) -> list[Event]:
    """The journal of a seeded world, with every kind of command in it."""
    chance = Random(seed)
    setup = draw_setup(chance)
    oracle, driven, drawer = Oracle(setup), Driven(setup), Drawer(chance, setup)
    for _ in range(200):
        command = drawer.draw(oracle)
        for give in (driven.give, oracle.give):
            with suppress(pt.PaperTradeError):  # a command that is refused leaves no event
                give(command)
    return driven.new_events()


# ------------------------------------------------------------------ what stands in the file


def test_the_last_balances_are_those_of_the_account(tmp_path: Path) -> None:
    """What is asserted at the end is the account's ledger, position by position and fee by fee."""
    store = MemoryStore()
    trade(store, rounds=3)
    done = export_beancount(store, "alice", tmp_path / "alice.bean")
    written = (tmp_path / "alice.bean").read_text(encoding="utf-8")
    end = dict.fromkeys(["Assets:Cash"], Decimal(0))
    for _, name, amount, commodity in BALANCE.findall(written.partition("; the end")[2]):
        end[name] = Decimal(amount)
        assert commodity == ("AAPL" if ":Units:" in name else "USD")
    now = balance_at(store, "alice")
    assert end == {
        "Assets:Cash": now.cash,
        "Assets:Holds": now.held,
        "Assets:Positions:AAPL": now.cost,
        "Income:Realized": -now.realized,
        "Expenses:Fees:Commission": now.fees,
        "Equity:Deposits": -now.net_deposits,
        "Equity:Units:Held:AAPL": now.positions["AAPL"],
        "Equity:Units:Traded:AAPL": -now.positions["AAPL"],
    }
    assert written.count("\n  version: ") == done.transactions
    assert len(BALANCE.findall(written)) == done.assertions


def test_every_entry_is_a_transaction() -> None:
    """One transaction for each entry of the ledger, with its amounts, in order."""
    broker = replay()
    blocks = [b for b in text(list(broker.events())).split("\n\n") if "  version: " in b]
    entries = broker.entries()
    assert len(blocks) == len(entries) > 5
    for block, entry in zip(blocks, entries, strict=True):
        amounts = [Decimal(found) for found in re.findall(r"^  \S+  (\S+) USD$", block, re.MULTILINE)]
        assert amounts == [posting.amount for posting in entry.postings]
        assert f"  version: {entry.version}\n" in block


def test_a_day_is_closed_by_its_balances() -> None:
    """What moved on a day is asserted as the next one begins, by the calendar of the zone that was asked for."""
    broker = pt.open_paper_broker(cash=5, clock="data")
    broker.on_quote("A1", bid=1, ask=1, at="2026-01-05T20:00:00Z")
    broker.deposit(1)
    broker.on_quote("A1", bid=1, ask=1, at="2026-01-06T01:00:00Z")
    broker.deposit(1)
    cash = {
        zone: [(day, amount) for day, name, amount, _ in BALANCE.findall(text(list(broker.events()), zone=zone))
               if name == "Assets:Cash"]
        for zone in ("UTC", "Asia/Kolkata")
    }  # fmt: skip
    assert cash["UTC"] == [("1970-01-02", "5"), ("2026-01-06", "6"), ("2026-01-07", "7")]
    assert cash["Asia/Kolkata"] == [("1970-01-02", "5"), ("2026-01-07", "7")]


def test_a_reset_closes_each_position() -> None:
    """After a reset nothing is left of a position, neither its cost nor its units, also when two costs cancel out."""
    end = {name: amount for _, name, amount, _ in BALANCE.findall(text(begun_again()).partition("; the end")[2])}
    assert (end["Assets:Positions:XYZ"], end["Equity:Units:Held:XYZ"]) == ("0", "0")
    assert (end["Assets:Positions:ABC"], end["Equity:Units:Held:ABC"]) == ("-99.98", "-1")
    assert (end["Assets:Cash"], end["Equity:Deposits"]) == ("599.98", "-500")


def test_names_lead_back() -> None:
    """Each symbol has a legal name of its own, and its declaration says which symbol that is."""
    written = text(hard_names())
    found = re.findall(r"^\S+ commodity (\S+)\n  symbol: \"(.*)\"$", written, re.MULTILINE)
    names = {re.sub(r"\\(.)", r"\1", symbol): name for name, symbol in found}
    assert set(names) == set(HARD)
    assert len(set(names.values())) == len(HARD)
    assert "USD" not in names.values()  # that is the money
    assert all(re.fullmatch(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]", name) for name in names.values())
    assert (names["BRK.B"], names["BRK-B"], names["Z" * 24]) == ("BRK.B", "BRK-B", "Z" * 24)
    assert '  papertrade: "expenses:fees:GST 18%"' in written


def test_no_text_leaves_its_quotes() -> None:
    """What somebody wrote into a note is a note, on one line."""
    written = text(hard_names())
    assert not [line for line in written.splitlines() if line.startswith("2026-01-01")]
    assert re.search(r'^\S+ \* "cash withdrawn: .*planted.*;"$', written, re.MULTILINE)


def test_names_do_not_change_when_a_journal_grows() -> None:
    """Who came first keeps the name."""
    few, many = Names(commodities=True), Names(commodities=True)
    first = [few.of(symbol) for symbol in HARD[:10]]
    assert [many.of(symbol) for symbol in HARD][:10] == first
    numbered = Names(commodities=True)
    assert len({numbered.of("z" * length) for length in range(24, 64)}) == 40


def test_what_cannot_be_written() -> None:
    """Names of accounts and zones that are none, accounts that are not there, events with a gap."""
    events = list(replay().events())
    for under in ("alice", "A::B", ":", "A B", "É"):
        with pytest.raises(InvalidValueError, match="under"):
            text(events, under=under)
    for zone in ("Mars/Base", "", "../x", "\0"):
        with pytest.raises(InvalidValueError, match="zone"):
            text(events, zone=zone)
    for part in ([], events[1:], [events[0], events[2]]):
        with pytest.raises(pt.UsageError):
            text(part)
    with pytest.raises(UnknownAccountError):
        export_beancount(MemoryStore(), "alice", io.BytesIO())


# ------------------------------------------------------------------ a checker that is not ours


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    """The command ``bean-check``, by its own entry point."""
    command = [sys.executable, "-c", "from beancount.scripts.check import main; main()", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


needs_beancount = pytest.mark.skipif(
    importlib.util.find_spec("beancount") is None, reason="beancount is not installed: pip install beancount"
)


@pytest.mark.external_service
@needs_beancount
def test_bean_check_accepts_the_books(tmp_path: Path) -> None:
    """The demo, names of every spelling, and seeded worlds with every kind of event: no complaint about any."""
    journals = {"demo": list(replay().events()), "hard": hard_names(), "again": begun_again()}
    journals |= {f"w{i}": drawn(i) for i in range(12)}
    for name, events in journals.items():
        (tmp_path / f"{name}.bean").write_text(text(events, under="Paper:Alice-1", zone="Asia/Kolkata"), "utf-8")
        # Each in a file of its own; beancount's cache is no part of what is checked.
    checks = (
        "import sys; from beancount import loader; "
        "found = [error for path in sys.argv[1:] for error in loader.load_file(path)[1]]; print(*found[:3]); "
        "sys.exit(bool(found))"
    )
    paths = [str(path) for path in sorted(tmp_path.glob("*.bean"))]
    done = subprocess.run([sys.executable, "-c", checks, *paths], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
    checked = bean_check(tmp_path / "hard.bean")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.external_service
@needs_beancount
def test_bean_check_accepts_several_accounts_in_one_file(tmp_path: Path) -> None:
    """Each under a name of its own, trading the same symbols; one by itself declares its commodities."""
    for name in ("Alice", "Bob"):
        (tmp_path / f"{name}.bean").write_text(text(hard_names(), under=name), "utf-8")
    (tmp_path / "all.bean").write_text('include "Alice.bean"\ninclude "Bob.bean"\n', "utf-8")
    (tmp_path / "alone.bean").write_text(text(hard_names()), "utf-8")
    for path in ("all.bean", "alone.bean"):
        checked = bean_check(tmp_path / path)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.external_service
@needs_beancount
def test_bean_check_would_have_said_so(tmp_path: Path) -> None:
    """The last digit of an amount, or of a balance: the checker does notice."""
    good = text(list(replay().events()))
    for old, new in (("  Assets:Holds  19873.3 USD", "  Assets:Holds  19873.31 USD"), ("79569.5 ~", "79569.51 ~")):
        assert good.count(old) >= 1
        (tmp_path / "wrong.bean").write_text(good.replace(old, new, 1), "utf-8")
        assert bean_check(tmp_path / "wrong.bean").returncode == 1
