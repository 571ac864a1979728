"""The command line: what it prints, what it answers, and that a slip of the keyboard changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from moved_accounts import trade

from papertrade.__main__ import main
from papertrade.adapters.sqlite import SQLiteStore

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store of two accounts."""
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("paper.db", durability="memory")
    trade(store)
    trade(store, "bob")
    store.close()
    return tmp_path


def test_there_and_back(here: Path, capsys: Printed) -> None:
    """Exported, imported into a new file, verified: the same chain each time. Again: nothing is new."""
    assert main(["export", "paper.db", "alice", "alice.jsonl"]) == 0
    chain = capsys.readouterr().out.splitlines()[-1]
    assert main(["import", "new.db", "alice.jsonl", "--account", "alice"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == chain
    assert main(["import", "new.db", "alice.jsonl"]) == 0
    assert "0 of 11 events were new" in capsys.readouterr().out
    assert main(["verify", "new.db"]) == 0
    assert capsys.readouterr().out == f"alice: good, 11 events, {chain}\n"


def test_verify_says_which_account_is_wrong(here: Path, capsys: Printed) -> None:
    """One damaged account does not hide the others, and the answer is 1."""
    import sqlite3

    with sqlite3.connect("paper.db") as connection:
        changed = "CAST(replace(CAST(record AS TEXT), 'USD', 'EUR') AS BLOB)"
        connection.execute(f"UPDATE events SET record = {changed} WHERE stream = 1 AND version = 2")
    connection.close()
    assert main(["verify", "paper.db"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("alice: WRONG: 'alice' is good up to version 1 (")
    assert second.startswith("bob: good, 11 events")


def test_erase_asks(here: Path, capsys: Printed) -> None:
    """Without --yes nothing happens; with it the account is gone and the other is not."""
    assert main(["erase", "paper.db", "alice"]) == 2
    assert main(["verify", "paper.db", "alice"]) == 0
    assert main(["erase", "paper.db", "alice", "--yes", "--note", "on request"]) == 0
    capsys.readouterr()
    assert main(["verify", "paper.db"]) == 0
    assert capsys.readouterr().out.startswith("bob: good")
    assert main(["verify", "paper.db", "alice"]) == 1
    assert "on request" in capsys.readouterr().err


def test_tables_are_made_anew(here: Path, capsys: Printed) -> None:
    """Of one account or of all; a row that somebody changed is gone. An account that is not there is said."""
    import sqlite3

    def bought() -> list[tuple[str, str]]:
        with sqlite3.connect("paper.db") as connection:
            found = connection.execute("SELECT account, quantity FROM orders WHERE number = 1 ORDER BY account")
            return found.fetchall()

    before = bought()
    with sqlite3.connect("paper.db") as connection:
        connection.execute("UPDATE orders SET quantity = '99'")
    connection.close()
    assert main(["rebuild-tables", "paper.db", "alice"]) == 0
    assert capsys.readouterr().out == "alice: tables made anew from 11 events\n"
    assert bought() == [before[0], ("bob", "99")]
    assert main(["rebuild-tables", "paper.db"]) == 0
    assert bought() == before
    assert main(["rebuild-tables", "paper.db", "carol"]) == 2
    assert main(["rebuild-tables", "memory:"]) == 2
    assert "no tables" in capsys.readouterr().err


def test_books(here: Path, capsys: Printed) -> None:
    """The books are written to a file."""
    assert main(["beancount", "paper.db", "bob", "bob.bean", "--under", "Bob", "--zone", "Asia/Kolkata"]) == 0
    assert "transactions" in capsys.readouterr().out
    assert "Assets:Bob:Cash" in Path("bob.bean").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["export", "papr.db", "alice", "x"], 1),
        (["verify", "sqlite:papr"], 1),
        (["export", "paper.db", "alicia", "x"], 2),
        (["erase", "paper.db", "alicia", "--yes"], 2),
        (["export", "paper.db", "alice", "nowhere/x"], 1),
        (["import", "paper.db", "nothing.jsonl"], 1),
        (["import", "paper.db", "paper.db"], 1),
        (["import", "x.db", "nothing.jsonl"], 1),
        (["import", "x.db", "paper.db"], 1),
        (["export", "paper.db", "alice", "paper.db"], 2),
        (["beancount", "paper.db", "alice", "paper.db"], 2),
        (["beancount", "paper.db", "bob", "x", "--under", "lower"], 2),
        (["verify", "mysql:me@host"], 2),
    ],
)
def test_slips(here: Path, capsys: Printed, arguments: list[str], answer: int) -> None:
    """A slip is one line on the error stream; no file is made and nothing is changed."""
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert main(arguments) == answer
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    after = {path.name: path.read_bytes() for path in here.iterdir()}
    assert {name: after[name] for name in after if name in before or name.startswith("x")} == before


def test_a_file_that_is_refused_leaves_no_store(here: Path, capsys: Printed) -> None:
    """Cut short, or of another account: a store that is not there stays so."""
    assert main(["export", "paper.db", "alice", "alice.jsonl"]) == 0
    (here / "cut.jsonl").write_bytes((here / "alice.jsonl").read_bytes()[:-1])
    assert main(["import", "new.db", "cut.jsonl"]) == 1
    assert main(["import", "new.db", "alice.jsonl", "--account", "bob"]) == 2
    assert not (here / "new.db").exists()


def test_no_command_is_help(capsys: Printed) -> None:
    """Nothing asked, everything listed."""
    assert main([]) == 0
    listed = capsys.readouterr().out
    names = ("demo", "export", "import", "verify", "rebuild-tables", "erase", "beancount")
    assert all(f"    {name} " in listed for name in names)
