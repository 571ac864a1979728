"""The SQL tables of history: one description, from which every database gets its tables and statements.

A row's field says by its name what it is, and a column is called what people call it: ``price_units`` becomes
``price``, an exact decimal and never a scaled integer; ``placed_ns`` becomes ``placed_at`` for people and ``placed_ns``
for order. Nothing from outside becomes part of a statement: names come from here, values are bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from papertrade.domain.rows import EntryRow, EquityRow, FillRow, OrderRow, PositionRow, WalletRow
from papertrade.errors import InvalidValueError
from papertrade.ports.store_extras import Search

Convert = Callable[[Any], Any]


class Column(NamedTuple):
    """A column, and the field of the row that fills it."""

    name: str
    sort: str  # text, json, count, flag, amount, instant or ns
    optional: bool
    field: int


class Table(NamedTuple):
    """A table: the rows it holds, what identifies one, in which order a search answers, and its indexes."""

    name: str
    row: type[Any]
    key: tuple[str, ...]
    order: tuple[str, str] | None = None
    indexes: Mapping[str, tuple[str, ...]] = {}
    grouped: bool = False  # several rows have one place in that order

    def columns(self) -> list[Column]:
        """Its columns in order."""
        return list(_columns(self.row))


class Dialect(NamedTuple):
    """How one database spells things."""

    placeholder: str
    types: Mapping[str, str]  # by sort
    writers: Mapping[str, Convert]
    readers: Mapping[str, Convert]
    has_tag: str  # a condition with a placeholder for the name and one for the text
    ending: str  # of a CREATE TABLE


_STRATEGY: Final = "strategy"  # most orders have none: its index leaves them out
TABLES: Final = (
    Table(
        "orders",
        OrderRow,
        ("account", "number"),
        ("placed_ns", "number"),
        {
            "orders_by_time": ("account", "placed_ns", "number"),
            "orders_by_status": ("account", "status", "placed_ns", "number"),
            "orders_by_symbol": ("account", "symbol", "placed_ns", "number"),
            "orders_by_strategy": ("account", _STRATEGY, "placed_ns", "number"),
        },
    ),
    Table(
        "fills",
        FillRow,
        ("account", "filled_ns", "version"),
        ("filled_ns", "version"),
        {
            "fills_by_symbol": ("account", "symbol", "filled_ns", "version"),
            "fills_by_order": ("account", "order_id", "filled_ns", "version"),
        },
    ),
    Table("positions", PositionRow, ("account", "symbol", "product")),
    Table("entries", EntryRow, ("account", "at_ns", "version", "line"), ("at_ns", "version"), grouped=True),
    Table("wallets", WalletRow, ("account", "since_version")),
    Table("equity_points", EquityRow, ("account", "at_ns", "version"), ("at_ns", "version")),
)
BY_NAME: Final = {table.name: table for table in TABLES}
BY_ROW: Final = {table.row: table for table in TABLES}
_COUNTS: Final = frozenset(("number", "order_number", "version", "since_version", "line", "fills", "orders"))
_MAYBE_COUNTS: Final = frozenset(("wins", "losses", "stale_marks"))


def _columns(row: type[Any]) -> Iterator[Column]:
    for place, (name, annotation) in enumerate(row.__annotations__.items()):
        optional = "None" in str(annotation)
        if name.endswith("_ns"):
            bare = name.removesuffix("_ns")
            yield Column("at" if bare == "at" else f"{bare}_at", "instant", optional, place)
            yield Column(name, "ns", optional, place)
        elif name.endswith("_units"):
            yield Column(name.removesuffix("_units"), "amount", optional, place)
        elif name in _COUNTS:
            yield Column(name, "count", False, place)
        elif name in _MAYBE_COUNTS:
            yield Column(name, "count", optional, place)
        elif name == "tags":
            yield Column(name, "json", False, place)
        else:
            yield Column(name, "flag" if "bool" in str(annotation) else "text", optional, place)


def missing(kind: str, name: str) -> str:
    """What somebody is told who asks for a table or an index that was dropped."""
    return (
        f"the {kind} {name} of history is missing, and the journal is not; "
        "papertrade rebuild-tables ADDRESS makes it again (papertrade.tables.rebuild_tables)"
    )


# ------------------------------------------------------------------ statements


def create(table: Table, dialect: Dialect, prefix: str = "") -> list[str]:
    """The statements that make a table and its indexes."""
    lines = [
        f"    {c.name} {dialect.types[c.sort]}{'' if c.optional else ' NOT NULL'}," for c in table.columns()
    ]
    lines.append(f"    PRIMARY KEY ({', '.join(table.key)})")
    found = ["\n".join((f"CREATE TABLE {prefix}{table.name} (", *lines, f"){dialect.ending}"))]
    for name, columns in table.indexes.items():
        some = f" WHERE {_STRATEGY} IS NOT NULL" if _STRATEGY in columns else ""
        found.append(f"CREATE INDEX {prefix}{name} ON {prefix}{table.name} ({', '.join(columns)}){some}")
    return found


def create_all(dialect: Dialect, prefix: str = "") -> str:
    """All tables as a script."""
    return "\n\n".join(";\n".join((*create(table, dialect, prefix), "")).rstrip() for table in TABLES) + "\n"


def upsert(table: Table, dialect: Dialect, prefix: str = "") -> str:
    """The statement that writes a row, or writes it again."""
    names = [c.name for c in table.columns()]
    marks = ", ".join(dialect.placeholder for _ in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
    return (
        f"INSERT INTO {prefix}{table.name} ({', '.join(names)}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changes}"
    )


def writer(table: Table, dialect: Dialect) -> Callable[[Sequence[Any]], list[Any]]:
    """From a row to the values of its columns."""
    steps = [(c.field, dialect.writers[c.sort]) for c in table.columns()]

    def values(row: Sequence[Any]) -> list[Any]:
        return [None if row[place] is None else write(row[place]) for place, write in steps]

    return values


def difference(table: Table, wanted: Sequence[Any], found: Sequence[Any] | None) -> str:
    """What is wrong with a row, from the values that its columns should have and those that they have; or nothing."""
    if found is not None and [*found] == wanted and [*map(type, found)] == [*map(type, wanted)]:
        return ""
    names = [c.name for c in table.columns()]
    key = ", ".join(f"{name} {value!r:.80}" for name, value in zip(names, wanted, strict=True) if name in table.key)
    if found is None:
        return f"the row of {table.name} with {key} is missing"
    differing = (
        f"the row of {table.name} with {key} has {name} {value!r:.80} and not {should!r:.80}"
        for name, should, value in zip(names, wanted, found, strict=True)
        if type(value) is not type(should) or value != should
    )
    return next(differing)


def read_columns(table: Table) -> list[Column]:
    """The columns from which a row is read back: of an instant the exact one."""
    return [c for c in table.columns() if c.sort != "instant"]


def read_row(table: Table, dialect: Dialect, values: Sequence[Any]) -> Any:
    """A row from the values of its ``read_columns``; None when somebody wrote something else into it."""
    pairs = list(zip(read_columns(table), values, strict=True))
    try:
        row = table.row(*(None if value is None else dialect.readers[c.sort](value) for c, value in pairs))
    except (InvalidValueError, TypeError):
        return None
    return None if any(value is None and not c.optional for c, value in pairs) else row


def select(query: Search, dialect: Dialect, prefix: str = "") -> tuple[str, list[Any]]:
    """The statement of a search, and its values."""
    table = BY_NAME[query.table]
    names = {c.name for c in table.columns()}
    unknown = {query.answer, *(name for name, _ in query.among)} - names
    if unknown or table.order is None or (query.tags and "tags" not in names):
        raise ValueError(f"no search of {query.table} by {', '.join(sorted(unknown)) or 'this'}")
    at, place = table.order
    mark = dialect.placeholder
    terms = [f"account = {mark}"]
    bound: list[Any] = [query.stream]
    for name, wanted in query.among:
        terms.append(f"{name} IN ({', '.join(mark for _ in wanted)})" if wanted else "1 = 0")
        bound.extend(wanted)
    for pair in query.tags:
        terms.append(dialect.has_tag)
        bound.extend(pair)
    for sign, ns in ((">=", query.since_ns), ("<", query.until_ns)):
        if ns is not None:
            terms.append(f"{at} {sign} {mark}")
            bound.append(ns)
    if query.after is not None:
        terms.append(f"({at}, {place}) {'<' if query.newest_first else '>'} ({mark}, {mark})")
        bound.extend(query.after)
    grouped = f" GROUP BY {at}, {place}" if table.grouped else ""
    bound.append(query.limit)
    where = " AND ".join(terms)
    order = f"{at} DESC, {place} DESC" if query.newest_first else f"{at}, {place}"
    text = f"SELECT {query.answer} FROM {prefix}{table.name} WHERE {where}{grouped} ORDER BY {order} LIMIT {mark}"
    return text, bound
