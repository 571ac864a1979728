"""One setting says where accounts are kept and how durable: the address, and nothing of it is lost or guessed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import papertrade as pt
from papertrade.compose import file_of, open_async_store
from papertrade.errors import InvalidValueError


@pytest.mark.parametrize("query", ["?durability=batched", "?durability=batched&durability=batched"])
@pytest.mark.parametrize("form", ["{path}", "sqlite:{path}", "sqlite://{path}"])
def test_durability_in_the_address(form: str, query: str, tmp_path: Path) -> None:
    """The name in the query is that of the store's own keyword, and the file is the one before it."""
    path = tmp_path / "paper.db"
    with pt.Exchange(form.format(path=path) + query) as exchange:
        assert exchange.describe()["durability"].startswith("batched")
    assert [found.name for found in tmp_path.iterdir()] == ["paper.db"]
    assert file_of(form.format(path=path) + query) == str(path)


@pytest.mark.parametrize("spelled", ["every command", "every%20command", "every+command"])
def test_spaces_may_be_spelled_as_in_addresses(spelled: str, tmp_path: Path) -> None:
    """An environment variable may hold no space."""
    store = pt.open_store(f"{tmp_path}/paper.db?durability={spelled}")
    assert store.describe()["durability"].startswith("every command")
    store.close()


def test_durability_beside_the_address(tmp_path: Path) -> None:
    """As a keyword; both together have to agree."""
    path = f"{tmp_path}/paper.db"
    for address in (path, path + "?durability=memory"):
        store = pt.open_store(address, durability="memory")
        assert store.describe()["durability"].startswith("memory")
        store.close()
    with pytest.raises(InvalidValueError, match="durability"):
        pt.open_store(path + "?durability=memory", durability="batched")


@pytest.mark.parametrize(
    "address",
    [
        "paper.db?durability=sometimes",
        "paper.db?durability=",
        "memory:?durability=batched",
        "paper.db?speed=fast",
        "paper.db?durability=batched&speed=fast",
        "sqlite:paper.db?durabilty=batched",
        "sqlite:paper.db?wait_s=2",
    ],
)
def test_what_is_not_known_is_refused(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No word is dropped: an address that asks for something else opens nothing and leaves no file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError):
        pt.open_store(address)
    assert list(tmp_path.iterdir()) == []


def test_what_only_a_server_store_takes_is_named() -> None:
    """An option that an address cannot say is named, with the way to say it; one that nobody knows is misuse too."""
    pytest.importorskip("psycopg")
    pytest.importorskip("redis")
    wanted = {
        "postgresql://u:secret@127.0.0.1:1/d?schema=eu": r"PostgresStore\(address, schema=",
        "redis://u:secret@127.0.0.1:1/0?prefix=eu": r"RedisStore\(address, prefix=",
        "redis://u:secret@127.0.0.1:1/0?speed=fast": "option that nobody knows",
    }
    for address, said in wanted.items():
        with pytest.raises(InvalidValueError, match=said) as refused:
            pt.open_store(address)
        assert "secret" not in str(refused.value)


class OpenedError(Exception):
    """Stands in for a server: it says what it was opened with."""

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(address, options)


@pytest.mark.parametrize(
    ("address", "asked", "passed_on", "durability"),
    [
        ("postgresql://u@h/d", None, "postgresql://u@h/d", "every command"),
        ("postgresql://u@h/d?a=b&durability=batched", None, "postgresql://u@h/d?a=b", "batched"),
        ("postgresql://u@h/d?durability=batched&a=b", None, "postgresql://u@h/d?a=b", "batched"),
        ("postgresql://u@h/d", "memory", "postgresql://u@h/d", "memory"),
    ],
)
def test_servers_get_the_rest_of_their_address(
    address: str, asked: str | None, passed_on: str, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not ours is the driver's, and stays as it was."""
    module = pytest.importorskip("papertrade.adapters.postgres")
    for name in ("PostgresStore", "AsyncPostgresStore"):
        monkeypatch.setattr(module, name, _raises)
    for opening in (pt.open_store, open_async_store):
        with pytest.raises(OpenedError) as opened:
            opening(address, durability=asked)
        assert opened.value.args == (passed_on, {"durability": durability})


def _raises(address: str, **options: Any) -> None:
    raise OpenedError(address, **options)


def test_what_an_exchange_is_set_up_as(tmp_path: Path) -> None:
    """One mapping says where, how durable in words, by which clock, when snapshots are taken and who is suspended."""
    exchange = pt.Exchange(f"{tmp_path}/paper.db?durability=batched", "data")
    told = exchange.describe()
    assert told["kind"] == "sqlite"
    assert told["durability"].partition(": ")[2]
    assert told["clock"] == "data: time is the latest datum"
    assert told["snapshots"].startswith("every 1000 events or every 15 minutes with 100 events; 0 kept")
    assert told["suspended"] == "no account"
    exchange.close()
    assert pt.Exchange().describe()["clock"] == "system"
    assert pt.Exchange(clock=pt.ManualClock()).describe()["clock"] == "ManualClock"

    async def main() -> dict[str, str]:
        found = pt.AsyncExchange(f"{tmp_path}/paper.db", "data")
        await found.open_account("main")
        answer = dict(found.describe())
        await found.close()
        return answer

    assert set(told) < set(asyncio.run(main()))
