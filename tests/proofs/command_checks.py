"""What the fuzzer holds the parsers of typed text to, and the commands that it makes of bytes.

An input is text: one command a line, its fields separated by ``|``. A field is text as typed; ``i:5``, ``d:5``, ``f:5``
and ``n:`` say int, Decimal, float and None, and an empty field is left out. The promise: a command is done, or it is a
``UsageError`` after which the account's digest and its journal are what they were.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from random import Random
from typing import Any

import papertrade as pt
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.instants import instant_of_text, parse_instant, text_of_instant
from papertrade.domain.names import parse_key, parse_label, parse_name, parse_tags
from papertrade.domain.numbers import SCALE, parse_units, text_of, units_of_text
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import UsageError
from papertrade.hosting.requests import parse_order_id
from papertrade.testing.invariants import check_account

START = 1_767_623_400_000_000_000
HANG_S = 10.0  # of the wall clock, far above any real cost: it finds what does not end, and measures nothing
MOST_COMMANDS = 12
ORDER = (
    "symbol", "side", "quantity", "notional", "type", "limit_price", "stop_price", "time_in_force", "expires_at",
    "post_only", "reduce_only", "oco_with", "client_order_id", "tags", "ttl_minutes", "extended_hours", "after_market",
)  # fmt: skip
Do = Callable[..., object]


class Seen:
    """How many commands were done, refused with an error, and checked against everything; the longest."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self.checked = 0
        self.worst = 0.0

    def __str__(self) -> str:
        return (
            f"done: {self.done}\nUsageError: {self.errors}\nevents: {self.events}\n"
            f"accounts checked against every invariant: {self.checked:,}; "
            f"at most {self.worst * 1000:.0f} ms"
        )


# ------------------------------------------------------------------ bare text


def check_text(text: str) -> None:
    """Each parser refuses the text with ``UsageError``, or what it made of it is written back as the same thing."""
    with suppress(UsageError):
        units = parse_units(text)
        assert units == Fraction(text) * SCALE, f"{text!r} became {units} units"
        assert units_of_text(text_of(units)) == units
    plain = re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text)
    assert plain is None or parse_units(text) is not None
    with suppress(UsageError):
        ns = parse_instant(text, "at")
        assert 0 <= ns < 2**63, f"{text!r} became {ns} ns"
        assert instant_of_text(text_of_instant(ns)) == ns
    for parse in (parse_name, parse_key, parse_label):
        with suppress(UsageError):
            assert parse(text, "text") == text
            text.encode()
    with suppress(UsageError):
        assert f"main-{parse_order_id(text, 'main')}" == text
    with suppress(UsageError):
        assert parse_tags({text: text, "a": "b"}) == tuple(sorted({text: text, "a": "b"}.items()))


# ------------------------------------------------------------------ commands


def _value(typed: str) -> Any:
    """What a field stands for; text that is no number of its kind stays text."""
    kind, colon, rest = typed.partition(":")
    make = {"i": int, "d": Decimal, "f": float}.get(kind)
    if typed == "n:":
        return None
    if colon and make is not None:
        with suppress(ValueError, InvalidOperation, OverflowError):
            return make(rest)
    return {"true": True, "false": False}.get(typed, typed)


def _pairs(text: object) -> object:
    if type(text) is not str or "=" not in text:
        return text
    return [tuple(_value(part) for part in row.split("=")) for row in text.split(",")]


def _place(broker: pt.PaperBroker, *fields: Any) -> object:
    given = {name: value for name, value in zip(ORDER, fields, strict=False) if value != ""}
    pairs = _pairs(given.get("tags"))
    if type(pairs) is list and all(len(pair) == 2 for pair in pairs):
        with suppress(TypeError):
            given["tags"] = dict(pairs)
    return broker.place_order(**given)


def _depth(broker: pt.PaperBroker, symbol: Any = "", bids: Any = "", asks: Any = "", at: Any = "") -> object:
    return broker.on_depth(symbol, _pairs(bids), _pairs(asks), at=None if at == "" else at)


def _import(broker: pt.PaperBroker, rows: Any = "", command_id: Any = "", note: Any = "") -> object:
    """Rows of ``symbol=quantity=average_price``, with commas between them."""
    positions = _pairs(rows)
    if type(positions) is list:
        positions = [dict(zip(("symbol", "quantity", "average_price", "more"), r, strict=False)) for r in positions]
    return broker.import_positions(positions, command_id=None if command_id == "" else command_id, note=note)


def _clone(broker: pt.PaperBroker, target: Any = "", command_id: Any = "", note: Any = "") -> object:
    key = None if command_id == "" else command_id
    return broker.exchange.clone_account(broker.account_id, target, note=note, command_id=key)


def _keyed(method: str, *names: str) -> Do:
    """A method whose fields come in this order; an empty one is left out unless it has to be there."""

    def do(broker: pt.PaperBroker, *fields: Any) -> object:
        found = {name: value for name, value in zip(names, fields, strict=False) if value != ""}
        return getattr(broker, method)(**{**dict.fromkeys(_NEEDED.get(method, ()), ""), **found})

    return do


_NEEDED = {
    "modify_order": ("order_id",), "cancel_order": ("order_id",), "close_position": ("symbol",),
    "deposit": ("amount",), "withdraw": ("amount",), "reset": ("cash",), "on_quote": ("symbol", "bid", "ask"),
    "on_trade": ("symbol", "price"), "on_price": ("symbol", "price"),
    "on_bar": ("symbol", "open", "high", "low", "close"),
}  # fmt: skip
COMMANDS: dict[str, Do] = {
    "place": _place,
    "request": lambda broker, *fields: broker.place_order(
        pt.OrderRequest(**{"symbol": "", "side": "", **dict(zip(ORDER, fields, strict=False))})
    ),
    "modify": _keyed("modify_order", "order_id", "quantity", "limit_price", "stop_price", "expires_at", "command_id"),
    "cancel": _keyed("cancel_order", "order_id"),
    "close": _keyed("close_position", "symbol", "quantity", "client_order_id"),
    "deposit": _keyed("deposit", "amount", "command_id", "note"),
    "withdraw": _keyed("withdraw", "amount", "command_id", "note"),
    "reset": _keyed("reset", "cash", "command_id", "note"),
    "import": lambda broker, *fields: _import(broker, *fields[:3]),
    "clone": lambda broker, *fields: _clone(broker, *fields[:3]),
    "quote": _keyed("on_quote", "symbol", "bid", "ask", "bid_size", "ask_size", "at", "sequence"),
    "trade": _keyed("on_trade", "symbol", "price", "size", "aggressor", "at", "sequence"),
    "price": _keyed("on_price", "symbol", "price", "at"),
    "bar": _keyed("on_bar", "symbol", "open", "high", "low", "close", "volume", "start", "end"),
    "depth": lambda broker, *fields: _depth(broker, *fields[:4]),
}


def check_commands(data: bytes, seen: Seen) -> None:
    """Give an account the commands of one input; an ``AssertionError`` or any other error is a finding."""
    text = data.decode("utf-8", "surrogateescape")
    clock = pt.ManualClock(START)
    broker = pt.open_paper_broker(cash=100_000, kind="margin" if len(data) % 2 else "cash", clock=clock)
    broker.on_quote("AAPL", "100", "100.02", at=START)
    for line in text.split("\n")[:MOST_COMMANDS]:
        name, *fields = line.split("|")
        do = COMMANDS.get(name)
        if do is None:
            check_text(line)
            continue
        clock.advance(seconds=1)
        _give(broker, name, do, [_value(field) for field in fields], seen)
    for account in map(broker.exchange.account, broker.exchange.accounts()):  # it, and what was copied from it
        events = account.events()
        folded = fold(AccountState(), [decode_event(encode_event(event)) for event in events])
        assert digest(folded) == account.digest(), "the journal folds to another state"
        for event in events:
            seen.events[event.kind] = seen.events.get(event.kind, 0) + 1
        if zlib.crc32(data) % 8 == 0:
            check_account(account)
            seen.checked += 1


def _give(broker: pt.PaperBroker, name: str, do: Do, fields: list[Any], seen: Seen) -> None:

    def marks() -> tuple[str, int, list[str]]:
        return broker.digest(), len(broker.events()), broker.exchange.accounts()

    before, began = marks(), time.perf_counter()
    said = None
    try:
        do(broker, *fields)
    except UsageError as why:
        said = str(why)
    counts = seen.done if said is None else seen.errors
    counts[name] = counts.get(name, 0) + 1
    if said is not None:
        assert marks() == before, f"{name} {fields!r}: an error left a trace"
        assert len(said) < 1_500, f"{name} {fields!r}: an error text of {len(said)} characters"
        assert "\n" not in said, f"{name} {fields!r}: an error text of several lines"
    took = time.perf_counter() - began
    seen.worst = max(seen.worst, took)
    assert took < HANG_S, f"{name} {fields!r}: {took:.1f} s"


def change(data: bytes, seed: int) -> bytes:
    """Other commands: one to three lines or fields added, dropped or taken from good ones."""
    draw = Random(seed)
    lines = data.split(b"\n")
    good = draw.choice(_SEEDS).encode().split(b"\n")
    for _ in range(draw.randrange(1, 4)):
        place, what = draw.randrange(len(lines)), draw.randrange(8)
        if what == 0 and len(lines) < MOST_COMMANDS:
            lines.insert(place, draw.choice(good))
        elif what == 1 and len(lines) > 1:
            del lines[place]
        elif what == 2:
            lines[place] = draw.choice(good)
        else:
            fields = lines[place].split(b"|")
            other = draw.choice(good).split(b"|")
            fields[draw.randrange(len(fields))] = draw.choice((*other[1:], draw.choice(WORDS).encode()))
            lines[place] = b"|".join(fields)
    return b"\n".join(lines)


def seeds() -> list[bytes]:
    """A few good commands of each kind, and the words and spellings that they are made of."""
    return [text.encode() for text in _SEEDS]


_SEEDS = (
    "place|AAPL|buy|10\nplace|AAPL|sell|5|||90.5||gtc\nplace|AAPL|sell|i:1||stop||99|day|||true||k1|a=b,c=d",
    "place|AAPL|buy|3||limit|99.5||gtd|2026-01-06T00:00:00Z|true||n:|key-1\nmodify|main-1|4|99.25\ncancel|main-1",
    "place|AAPL|buy||1000.50\nclose|AAPL|i:2\nclose|AAPL\nrequest|AAPL|sell|1|n:|limit|101|n:|ioc|n:|false|false",
    "quote|MSFT|d:50.01|d:50.03|100|200|2026-01-05T14:30:01Z|i:7\nplace|MSFT|buy|7\ntrade|MSFT|51|5|buy",
    "bar|AAPL|100|101|99|100.5|5000|2026-01-05T14:29:00Z|2026-01-05T14:30:02+00:00\nprice|AAPL|f:100.07",
    "depth|AAPL|99=5,98.5=10|100=5,100.5=i:10\nplace|AAPL|buy|12||stop_limit|103|101|day\ntrade|AAPL|101|5",
    "deposit|1000.25|cmd-1|note é\nwithdraw|50|cmd-2\nwithdraw|999999999\ndeposit|1000.25|cmd-1|note é",
    "123456789012345.123456789\n-0.000000001\n1e5\n１\nmain-1\n2026-01-05T14:30:60.123456789Z\n2026-01-05 15:00+05:30",
    "place|AAPL|buy|20\nplace|AAPL|sell|20||limit|110\nplace|AAPL|sell|20||||95||||true|main-2\nquote|AAPL|94|94.5",
    "quote|AAPL|d:NaN|f:inf|d:1E+999999|f:5e-324|i:-1\nquote|AAPL||101\nquote|AAPL|101|100\ntrade|AAPL|i:0|i:1|x",
    "import|AAPL=2=90,AAPL=i:1=91.5|in-1|live\nclose|AAPL|1\nplace|AAPL|sell|3\nreset|50000|r-1|again\nreset|0",
    "place|AAPL|buy|10\nimport|AAPL=3=99.995\nclone|copy|c-1|a trial\nclone|copy|c-1|a trial\nclone|main\nclone|copy",
)
WORDS = (
    *(f"{name}|" for name in COMMANDS), "AAPL|", "buy|", "sell|", "market", "limit", "stop", "stop_limit", "day", "gtc",
    "gtd", "ioc", "fok", "true", "false", "n:", "i:", "d:", "f:", "NaN", "sNaN", "Infinity", "1E+999999", "main-1",
    "main-2", "|", "\n", "=", ",", "2026-01-05T14:30:00Z", "0.000000001", "999999999999999",
)  # fmt: skip
