"""Defaults wired together: the five lines, and stores found by their address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from papertrade.domain.hours import MarketHours
from papertrade.domain.money import Currency
from papertrade.domain.numbers import Number
from papertrade.domain.words import plain_text
from papertrade.errors import InvalidValueError, StoreMisconfiguredError
from papertrade.hosting.setup import AccountOptions, SnapshotPolicy
from papertrade.matching.settings import FillSettings
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store

if TYPE_CHECKING:
    from papertrade.adapters.sqlite import SQLiteStore
    from papertrade.paper import PaperBroker
    from papertrade.ports.async_store import AsyncStore

STORES = (
    "'memory:', a file such as 'paper.db' (or .sqlite, .sqlite3), 'sqlite:relative.db', 'sqlite:///absolute/path.db', "
    "'postgresql://user@host/database', 'redis://host:6379/0' (or rediss:, unix:)"
)
EVERY_COMMAND = "every command"
POSTGRES = ("postgresql://", "postgres://")
REDIS = ("redis", "rediss", "unix")


def open_store(address: str, *, durability: str | None = None) -> Store:
    """The store at an address. ``"memory:"`` forgets everything when the process ends, ``"paper.db"`` is a file.

    ``durability`` is ``"every command"`` (the default), ``"batched"`` or ``"memory"``, whatever kind of store it is; it
    may stand in the address too, as ``"paper.db?durability=batched"``.
    """
    if type(address) is not str:
        raise InvalidValueError("store", address, STORES)
    address, asked = _settings(address, durability)
    if address == "memory:":
        from papertrade.adapters.memory import MemoryStore

        if asked is not None:
            raise InvalidValueError("durability", asked, "none for 'memory:', which keeps nothing")
        return MemoryStore()
    path = file_of(address)
    if path:
        from papertrade.adapters.sqlite import SQLiteStore

        return SQLiteStore(_checked(path, address), durability=EVERY_COMMAND if asked is None else asked)
    if address.startswith(POSTGRES):
        with _driver("psycopg", "postgres"):
            from papertrade.adapters.postgres import PostgresStore
        return PostgresStore(address, durability=EVERY_COMMAND if asked is None else asked)
    if address.partition(":")[0] in REDIS:
        with _driver("redis", "redis"):
            from papertrade.adapters.redis import RedisStore
        return RedisStore(address, durability=EVERY_COMMAND if asked is None else asked)
    raise _no_store_at(address)


def _no_store_at(address: str) -> InvalidValueError:
    scheme, colon, _ = address.partition(":")
    shown = f"{scheme}:…" if colon else address
    return InvalidValueError("store", "…" if "=" in scheme else shown, STORES)  # the rest may hold a password


def check_address(address: str) -> None:
    """Refuse what is no store's address. Whether there is a store, opening it will say."""
    place, _ = _settings(address, None)
    known = place == "memory:" or place.startswith(POSTGRES) or place.partition(":")[0] in REDIS
    if late_file(address) is None and not known:
        raise _no_store_at(place)


def open_async_store(address: str, *, durability: str | None = None) -> Store | AsyncStore:
    """The store at an address, for a host in an event loop: one with awaits where there is one."""
    if type(address) is str and address.startswith(POSTGRES):
        with _driver("psycopg", "postgres"):
            from papertrade.adapters.postgres import AsyncPostgresStore
        address, asked = _settings(address, durability)
        return AsyncPostgresStore(address, durability=EVERY_COMMAND if asked is None else asked)
    if type(address) is str and address.partition(":")[0] in REDIS:
        with _driver("redis", "redis"):
            from papertrade.adapters.redis import AsyncRedisStore
        address, asked = _settings(address, durability)
        return AsyncRedisStore(address, durability=EVERY_COMMAND if asked is None else asked)
    return open_store(address, durability=durability)


def late_file(address: str) -> tuple[type[SQLiteStore], str, str] | None:
    """What to open for an address that names a file: the class, the path and the durability. Nothing is opened yet.

    An address that cannot be one is refused here and now; any other kind of store is None.
    """
    place, asked = _settings(address, None)
    path = file_of(place)
    if not path:
        return None
    from papertrade.adapters.sqlite import SQLiteStore
    from papertrade.adapters.sqlite.places import check_durability

    durability = EVERY_COMMAND if asked is None else asked
    check_durability(durability)
    return SQLiteStore, _checked(path, place), durability


def _checked(path: str, address: str) -> str:
    if "?" in path:  # a setting that is misspelled would be another file
        accepted = "nothing but durability=… after the '?'; SQLiteStore(path, …) takes every option and every name"
        raise InvalidValueError("store", address, accepted)
    return path


def _settings(address: str, durability: str | None) -> tuple[str, str | None]:
    """An address without the durability in its query, and what was asked for. Other parameters are the driver's."""
    place, _, query = address.partition("?")
    parts = query.split("&") if query else []
    named = [part.partition("=")[2] for part in parts if part.startswith("durability=")]
    found = {value.replace("%20", " ").replace("+", " ") for value in named}
    if durability is not None:
        found.add(plain_text(durability) or "")
    if len(found) > 1:
        raise InvalidValueError("durability", sorted(found), "one, in the address or beside it")
    if named:
        rest = "&".join(part for part in parts if not part.startswith("durability="))
        address = f"{place}?{rest}" if rest else place
    return address, found.pop() if found else None


@contextmanager
def _driver(package: str, extra: str) -> Iterator[None]:
    """Importing an adapter: where its one package is missing, say which extra brings it."""
    try:
        yield
    except ModuleNotFoundError as why:
        if (why.name or "").partition(".")[0] != package:
            raise
        raise StoreMisconfiguredError(
            f"this store needs the {package} driver: python -m pip install 'papertrade-core[{extra}]'"
        ) from None


def file_of(address: str) -> str:
    """The SQLite file that an address names, or nothing."""
    address, _ = _settings(address, None)
    scheme, colon, rest = address.partition(":")
    if colon and scheme == "sqlite":
        if rest.startswith("//"):
            rest = rest.removeprefix("//")  # what stands between // and / would be a host, and files have none
            return rest if rest.startswith("/") else ""
        return rest
    if colon and len(scheme) > 1:  # one letter is a drive
        return ""
    return address if address.endswith((".db", ".sqlite", ".sqlite3")) else ""


def open_paper_broker(
    *,
    cash: Number | None = None,
    currency: Currency | str = "USD",
    account: str = "main",
    fill: FillSettings | str = "realistic",
    clock: Clock | str = "system",
    store: Store | str | None = None,
    snapshots: SnapshotPolicy | str | None = None,
    calendar: MarketHours | str | None = None,
    threadsafe: bool = True,
    **options: Unpack[AccountOptions],
) -> PaperBroker:
    """One account on an exchange of its own: the paper broker of a notebook or a script.

    With ``store="paper.db"`` the account is kept in that file: ``cash`` is what a new account begins with, and one that
    is stored goes on as it stands. A symbol never seen before becomes a plain instrument (tick 0.01, lot 1, the
    account's currency). Give ``clock="data"`` to replay recorded data. The options are those of
    ``Exchange.open_account``: kind, margin, fees, limits, cost_method, trading_day,
    outside_hours, square_off, equity_points, settlement, products, exclusive.

    ``close()`` closes it and its store, and so does the end of ``with open_paper_broker(...) as broker:``.

    >>> broker = open_paper_broker(cash=100_000)
    >>> broker.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200)
    >>> broker.buy("AAPL", 10).average_price
    Decimal('187.14')
    """
    from papertrade.exchange import Exchange

    exchange = Exchange(store, clock, fill=fill, snapshots=snapshots, calendar=calendar, threadsafe=threadsafe)
    try:
        exchange.list_unknown_in(currency)
        broker = exchange.open_account(account, cash=cash, currency=currency, **options)
    except BaseException:
        if isinstance(store, str):
            exchange.close()
        raise
    broker.owns_exchange = True
    return broker
