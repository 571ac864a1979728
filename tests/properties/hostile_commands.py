"""Generated bad commands: any command, any number of its fields hostile, from the list or made up on the spot."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from hostile_fields import START, Scene
from hostile_values import hostile_values

import papertrade as pt
from papertrade.errors import UsageError

VALUES = hostile_values()
_NAMES = tuple(VALUES)
HANG_S = 2.0  # far above any real cost: it finds what does not end, and measures nothing
Fields = dict[str, Any]

# ------------------------------------------------------------------ values

_LETTERS = "0123456789.-+eE_, :/TZabinfNsxuyl'\"\\\n\x00\x7f%{}[]()<>;|=AAPLmain-1２²½٣é😀ß\u200b\u202e\ufeff\xa0\ud800"


def made_up(draw: Random, depth: int = 2) -> Any:
    """A value that is in no list: text, numbers of every size and kind, and containers of such."""
    kind = draw.randrange(8 if depth else 5)
    if kind == 0:
        return "".join(draw.choices(_LETTERS, k=draw.randrange(40)))
    if kind == 1:
        digits = "".join(draw.choices("0123456789", k=draw.randrange(1, 20)))
        return draw.choice(("", "-")) + digits + "." * draw.randrange(2) + digits[: draw.randrange(12)]
    if kind == 2:
        return draw.choice((1, -1)) * draw.getrandbits(draw.choice((1, 8, 40, 50, 53, 64, 100, 400)))
    if kind == 3:
        found: float = struct.unpack("d", draw.randbytes(8))[0]
        return found if draw.randrange(3) else round(draw.uniform(-200, 200), draw.randrange(12))
    if kind == 4:
        digits_of = tuple(draw.choices(range(10), k=draw.randrange(1, 30)))
        exponent = draw.choice((0, -2, -9, -10, 5, 999, -999, 10**6, "n", "F", "N"))
        return Decimal((draw.randrange(2), digits_of, exponent))
    parts = [made_up(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind == 5:
        return parts
    return tuple(parts) if kind == 6 else {repr(part)[:70]: part for part in parts}


def _hostile(draw: Random) -> tuple[str, Any]:
    """A name for the report, and a value of the list or one made up."""
    if draw.randrange(2):
        name = draw.choice(_NAMES)
        return name, VALUES[name]()
    value = made_up(draw)
    return ascii(value)[:80], value


# ------------------------------------------------------------------ commands

_ORDER: Fields = {
    "symbol": "AAPL", "side": "buy", "quantity": 1, "notional": None, "type": None, "limit_price": None,
    "stop_price": None, "time_in_force": None, "expires_at": None,
    "ttl_minutes": None, "extended_hours": False, "after_market": False, "post_only": False, "reduce_only": False,
    "oco_with": None, "client_order_id": None, "tags": None,
}  # fmt: skip
_RESTING: Fields = {**_ORDER, "limit_price": 90}
_LEG = pt.OrderRequest(symbol="AAPL", side="buy", quantity=1, limit_price=90)


def _depth(scene: Scene, **f: Any) -> object:
    return scene.exchange.on_depth(f["symbol"], [(f["p1"], f["s1"]), (f["p2"], 5)], [(f["p3"], f["s3"])], at=f["at"])


def _clone_account(scene: Scene, **fields: Any) -> object:
    return scene.exchange.clone_account(target=f"copy-{len(scene.exchange.accounts())}", **fields)


def _open_account(scene: Scene, **fields: Any) -> object:
    return scene.exchange.open_account(f"new-{len(scene.exchange.accounts())}", **fields)


_COMMANDS: dict[str, tuple[Fields, Callable[..., object]]] = {
    "place_order": (_ORDER, lambda s, **f: s.broker.place_order(**f)),
    "place_order resting": (_RESTING, lambda s, **f: s.broker.place_order(**f)),
    "OrderRequest": (_RESTING, lambda s, **f: s.broker.place_order(pt.OrderRequest(**f))),
    "preview_order": (_RESTING, lambda s, **f: s.broker.preview_order(pt.OrderRequest(**f))),
    "place_oco": (_RESTING, lambda s, **f: s.broker.place_oco(_LEG, pt.OrderRequest(**f))),
    "modify_order": (
        {"order_id": "main-2", "quantity": 3, "limit_price": 95, "stop_price": None, "command_id": None},
        lambda s, **f: s.broker.modify_order(**f),
    ),
    "modify_order stop": (
        {"order_id": "main-3", "stop_price": 89, "expires_at": None},
        lambda s, **f: s.broker.modify_order(**f),
    ),
    "modify_order gtd": (
        {"order_id": "main-4", "expires_at": START + 10**14, "limit_price": None},
        lambda s, **f: s.broker.modify_order(**f),
    ),
    "cancel_order": ({"order_id": "main-4"}, lambda s, **f: s.broker.cancel_order(**f)),
    "link_orders": ({"one": "main-2", "two": "main-4"}, lambda s, one, two: s.broker.link_orders(one, two)),
    "close_position": (
        {"symbol": "AAPL", "quantity": 1, "client_order_id": None},
        lambda s, **f: s.broker.close_position(**f),
    ),
    "deposit": ({"amount": 1, "command_id": None, "note": ""}, lambda s, **f: s.broker.deposit(**f)),
    "reset": ({"cash": 1, "command_id": None, "note": ""}, lambda s, **f: s.broker.reset(**f)),
    "import_positions": (
        {"symbol": "AAPL", "quantity": 1, "average_price": 90},
        lambda s, **f: s.broker.import_positions([f]),
    ),
    "import_positions several": (
        {
            "positions": [
                {"symbol": "AAPL", "quantity": 2, "average_price": 90},
                {"symbol": "AAPL", "quantity": 1, "average_price": "91.5"},
            ],
            "command_id": None, "note": "",
        },
        lambda s, **f: s.broker.import_positions(**f),
    ),
    "clone_account": ({"source": "main", "note": "", "command_id": None}, _clone_account),
    "clone_account into": (
        {"source": "main", "target": "copy", "note": "", "command_id": None},
        lambda s, **f: s.exchange.clone_account(**f),
    ),
    "withdraw": ({"amount": 1, "command_id": None, "note": ""}, lambda s, **f: s.broker.withdraw(**f)),
    "on_quote": (
        {"symbol": "AAPL", "bid": "100", "ask": "100.02", "bid_size": 5, "ask_size": 5, "at": None, "sequence": None},
        lambda s, **f: s.exchange.on_quote(**f),
    ),
    "on_price": ({"symbol": "AAPL", "price": 100, "at": None}, lambda s, **f: s.exchange.on_price(**f)),
    "on_trade": (
        {"symbol": "AAPL", "price": 100, "size": 5, "aggressor": "buy", "at": None, "sequence": None},
        lambda s, **f: s.exchange.on_trade(**f),
    ),
    "on_auction": (
        {"symbol": "HOURS", "price": 100, "size": 5, "auction": "open", "at": None},
        lambda s, **f: s.exchange.on_auction(**f),
    ),
    "on_bar": (
        {
            "symbol": "AAPL", "open": 100, "high": 101, "low": 99, "close": 100, "volume": 5, "start": None,
            "end": None,
        },
        lambda s, **f: s.exchange.on_bar(**f),
    ),
    "on_depth": ({"symbol": "AAPL", "p1": 99, "s1": 5, "p2": 98, "p3": 100, "s3": 5, "at": None}, _depth),
    "first sight": (
        {"symbol": "NEW", "bid": 1, "ask": 2, "bid_size": None, "ask_size": None, "at": None},
        lambda s, **f: s.lone.on_quote(**f),
    ),
    "add_instrument": (
        {"symbol": "X", "tick_size": "0.05", "lot_size": 1, "multiplier": 1, "currency": "USD"},
        lambda s, **f: s.exchange.add_instrument(**f),
    ),
    "open_account": ({"cash": 100, "currency": "USD", "kind": "margin", "cost_method": "fifo"}, _open_account),
}  # fmt: skip


class Bad(NamedTuple):
    """A command ready to be given: ``what`` says it for a report."""

    what: str
    name: str
    fields: Fields

    def give(self, scene: Scene) -> object:
        """Hand it over."""
        return _COMMANDS[self.name][1](scene, **self.fields)


def bad_command(draw: Random) -> Bad:
    """One command with one to all of its fields hostile."""
    name = draw.choice(tuple(_COMMANDS))
    fields, said = dict(_COMMANDS[name][0]), []
    most = len(fields)
    for field in draw.sample(tuple(fields), min(most, draw.choice((1, 1, 1, 2, 2, 3, most)))):
        value_name, fields[field] = _hostile(draw)
        said.append(f"{field} <- {value_name}")
    return Bad(f"{name}: {', '.join(said)}"[:400], name, fields)


class Outcome(NamedTuple):
    """What came of one command: what is wrong about it, if anything, and what it cost."""

    wrong: str | None
    refused: bool
    seconds: float


def judge(scene: Scene, bad: Bad) -> Outcome:
    """Give a command; wrong is another error than ``UsageError``, a trace that one left, or what does not end."""
    before, began, why = scene.marks(), time.process_time(), None
    try:
        bad.give(scene)
    except Exception as raised:
        why = raised
    seconds = time.process_time() - began
    wrong = None
    if seconds > HANG_S:
        wrong = f"took {seconds:.1f} s"
    elif why is not None and not isinstance(why, UsageError):
        wrong = f"raised {type(why).__name__}: {str(why)[:100]}"
    elif why is not None and (len(str(why)) > 1_500 or "\n" in str(why)):
        wrong = f"an error text of {len(str(why))} characters"
    elif why is not None and scene.marks() != before:
        wrong = "raised, and changed something"
    return Outcome(None if wrong is None else f"{bad.what}: {wrong}", why is not None, seconds)
