"""The house rules of src/papertrade, enforced by reading the source.

The tables come first: who may import whom, which packages, what the core must not touch. Then one short function
per rule, then planted violations, because a rule that cannot report anything guards nothing.

A line in src may carry ``# allowed: <reason>``; it excuses that line from the rules in ``EXCUSABLE``.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "papertrade"
FACADE = "papertrade"

# ------------------------------------------------------------------ the tables

HOSTS = ("exchange", "paper", "tape", "aio", "aio_broker", "aio_feeding", "aio_following", "aio_store", "aio_turns")
HOSTS += ("compose", "feeds", "following", "hosting", "tables")
BELOW_HOSTS = "errors domain calendars matching ledger risk profiles engine codec ports"

# A room is a folder or module directly under src/papertrade. It may import itself and the rooms named here.
ARROWS: dict[str, str] = {
    "errors": "",
    "domain": "errors",
    "calendars": "errors domain",
    "matching": "errors domain",
    "ledger": "errors domain",
    "risk": "errors domain",
    "profiles": "errors domain calendars matching ledger risk",
    "codec": "errors domain",
    "ports": "errors domain",
    "engine": "errors domain calendars matching ledger risk profiles",
    "adapters": "errors domain codec ports",
    **dict.fromkeys(HOSTS, f"{BELOW_HOSTS} {' '.join(HOSTS)}"),
    FACADE: f"{BELOW_HOSTS} {' '.join(HOSTS)}",
    "records": "errors domain codec ledger engine ports",  # works on stores, so it needs no host
    "commands": f"{BELOW_HOSTS} {' '.join(HOSTS)} records",
    "doctor": f"{BELOW_HOSTS} {' '.join(HOSTS)} {FACADE}",  # its version is the facade's
    "__main__": f"{BELOW_HOSTS} {' '.join(HOSTS)} {FACADE} commands testing demo doctor",
}
ANYTHING = {"testing", "demo"}  # tools and shows: they may import every room
# (module, room): one module that has an arrow which its room has not, and why.
SINGLE_ARROWS = {
    ("engine.snapshot", "codec"): "a snapshot and a digest are canonical bytes",
    ("records.history", "hosting"): "the rows that tables should have are computed by what computes them for a host",
    ("compose", "adapters"): "finds adapters by their address scheme, lazily",
    ("adapters.calendar_rows", "calendars"): "what another library knows becomes a calendar of ours",
    ("adapters.exchange_calendars", "calendars"): "what another library knows becomes a calendar of ours",
    ("adapters.pandas_market_calendars", "calendars"): "what another library knows becomes a calendar of ours",
    ("tables", "adapters"): "prints the schema of an adapter by its name, lazily",
}

ONLY_ROOM = {"attr": None, "attrs": None, "tzdata": None, "dateutil": "calendars"}  # package -> only room, if any
# an adapter, with the modules in it -> its one package
ADAPTER_PACKAGES = {"adapters.postgres": "psycopg", "adapters.redis": "redis", "testing.plugin": "pytest"}
ADAPTER_PACKAGES |= {f"adapters.{name}": name for name in ("exchange_calendars", "pandas_market_calendars")}
NETWORK = {"asyncio", "ftplib", "http", "imaplib", "poplib", "select", "selectors", "smtplib"}
NETWORK |= {"socket", "socketserver", "ssl", "urllib", "webbrowser", "wsgiref", "xmlrpc"}
NETWORK_ALLOWED = {
    # asynchronous stores have locks
    "asyncio": {*(host for host in HOSTS if host.startswith("aio")), "ports", "testing", "adapters"},
    "urllib": {"adapters"},  # taking the address of a server apart; no socket is opened by it
}

CORE = {"domain", "calendars", "matching", "ledger", "risk", "engine", "codec"}
AMBIENT = {
    **dict.fromkeys(("time", "datetime.datetime.now", "datetime.datetime.utcnow"), "reads the clock"),
    **dict.fromkeys(("datetime.datetime.today", "datetime.date.today"), "reads the clock"),
    **dict.fromkeys(("random", "uuid", "secrets", "os.urandom"), "draws by chance"),
    **dict.fromkeys(("os.environ", "os.getenv"), "reads the environment"),
    **dict.fromkeys(("threading", "_thread"), "knows threads"),
    **dict.fromkeys(("pickle", "marshal", "shelve"), "stores Python objects instead of canonical bytes"),
    **dict.fromkeys(("decimal.getcontext", "decimal.setcontext", "decimal.localcontext"), "uses the host's context"),
}
AMBIENT_CALLS = {
    "hash": "differs from process to process",
    "id": "differs from process to process",
    "eval": "runs text",
    "exec": "runs text",
}
FLOAT_HOME = "domain.numbers"  # the one parser at the edge

MAX_FILE, MAX_FUNCTION = 400, 50
OVERSIZED: dict[str, str] = {}  # "engine/decide.py" or "engine/decide.py::name" -> why it may stay

BRITISH = re.compile(
    r"cancell(?:ed|ing)|realis(?:e|ing)|analys(?:e[drs]?\b|ing)|modell|labell|signall|fulfil(?!l)"
    r"|(?:normal|serial|initial|author|recogn|organ|summar|synchron|final|util|optim)is(?:e|ing|ation)"
    r"|behaviour|colour|favour|honour|neighbour|centre|licence|defence|whilst|grey(?![a-z])|instalment|artefact",
    re.IGNORECASE,
)
SPELLING_ALIASES = {"domain.words": {"cancelled"}}  # what people may type, and we answer in our own spelling
FOREIGN_NAMES = re.compile(r"CancelledError|\.cancelled\(\)|analyses\b")  # asyncio spells them so; a plural noun
LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|TBD|WIP)\b")
SET_HINT = re.compile(r"(?:\w+\.)*(?:set|frozenset|Set|FrozenSet|AbstractSet|MutableSet)\b")
ORDER_KEEPING = {"list", "tuple", "iter", "enumerate", "map", "zip", "join"}
MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict"}

MARKER = re.compile(r"(?:#|<!--)\s*allowed:\s*(.*?)\s*(?:-->)?\s*$")

# ------------------------------------------------------------------ reading a module


class Source:
    """One module of ours: its room, what it imports, uses and calls, and which of its lines are excused."""

    def __init__(self, module: str, text: str, *, package: bool = False) -> None:
        self.module, self.text, self.package = module, text, package
        self.room = module.split(".")[0] or FACADE
        self.label = (module.replace(".", "/") + ("/__init__" if package else "")).lstrip("/") + ".py"
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.aliases: dict[str, str] = {}  # local name -> what it was imported as
        self.imports = [found for node in self.nodes for found in self._imports(node)]
        self.names = [(n.lineno, self.dotted(n)) for n in self.nodes if isinstance(n, (ast.Name, ast.Attribute))]
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.imports += [found for call in self.calls for found in self._dynamic(call)]
        comments = (t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT)
        self.markers = {t.start[0]: found[1] for t in comments if (found := MARKER.search(t.string))}

    def _imports(self, node: ast.AST) -> Iterator[tuple[int, str, str]]:
        """(line, module, module or the name taken from it); relative imports are resolved."""
        if isinstance(node, ast.Import):
            for item in node.names:
                root = item.name.split(".")[0]
                self.aliases[item.asname or root] = item.name if item.asname else root
                yield node.lineno, item.name, item.name
        elif isinstance(node, ast.ImportFrom):
            here = [FACADE, *filter(None, self.module.split("."))]
            keep = len(here) - node.level + self.package if node.level else 0
            base = ".".join([*here[:keep], *filter(None, [node.module])])
            for item in node.names:
                self.aliases[item.asname or item.name] = f"{base}.{item.name}"
                yield node.lineno, base, f"{base}.{item.name}"

    def _dynamic(self, call: ast.Call) -> Iterator[tuple[int, str, str]]:
        """import_module("...") is an import; of an unknown name it could be any, so it counts as the facade."""
        if self.builtin(call) == "__import__" or self.dotted(call.func) == "importlib.import_module":
            name = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
            if name or self.room != "compose":  # finding adapters by address is what compose is for
                yield call.lineno, str(name or FACADE), str(name or FACADE)

    def dotted(self, node: ast.AST) -> str:
        """``dt.now`` as ``datetime.datetime.now`` where dt was imported so; empty for what was not imported."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return self.aliases.get(node.id, "") if isinstance(node, ast.Name) else ""

    def builtin(self, call: ast.Call) -> str:
        """The bare name that is called, unless it was imported."""
        return call.func.id if isinstance(call.func, ast.Name) and call.func.id not in self.aliases else ""


Found = Iterator[tuple[int, str]]

# ------------------------------------------------------------------ rules about imports


def import_arrow(src: Source) -> Found:
    """Rooms import downwards only; siblings do not import each other; the facade is for users."""
    if src.room in ANYTHING:
        return
    allowed = ARROWS.get(src.room)
    if allowed is None:
        yield 1, f"room {src.room!r} has no row in ARROWS: decide what it may import"
    for line, module, _ in src.imports:
        root, _, rest = module.partition(".")
        room = rest.split(".")[0] or FACADE
        if root != FACADE or room == src.room or room in (allowed or "").split():
            continue
        if (src.module, room) not in SINGLE_ARROWS:
            yield line, f"{src.room} must not import {room}; it may import: {allowed or 'nothing of ours'}"


def third_party(src: Source) -> Found:
    """attrs and tzdata, dateutil in calendars, one package for an adapter; the rest is the standard library."""
    for line, module, _ in src.imports:
        root = module.split(".")[0]
        if root in sys.stdlib_module_names or root == FACADE or ADAPTER_PACKAGES.get(_adapter(src)) == root:
            continue
        if ONLY_ROOM.get(root, "no room") not in (None, src.room):
            yield line, f"{src.room} must not import {root}; it is for {ONLY_ROOM.get(root, 'no room')}"


def _adapter(src: Source) -> str:
    """``adapters.x`` for every module of that adapter."""
    return ".".join(src.module.split(".")[:2])


def network(src: Source) -> Found:
    """The library opens no socket."""
    for line, module, _ in src.imports:
        root = module.split(".")[0]
        if root in NETWORK and not {src.room, src.module} & NETWORK_ALLOWED.get(root, set()):
            yield line, f"{src.room} must not import {root}: the library opens no socket"


# ------------------------------------------------------------------ rules about the core


def ambient(src: Source) -> Found:
    """The core reads no clock, chance, environment or thread: all of it is input."""
    if src.room not in CORE:
        return
    for line, name in [*((line, full) for line, _, full in src.imports), *src.names]:
        yield from ((line, f"{name} {why}") for bad, why in AMBIENT.items() if f"{name}.".startswith(f"{bad}."))
    for call in src.calls:
        if (name := src.builtin(call)) in AMBIENT_CALLS:
            yield call.lineno, f"{name}() {AMBIENT_CALLS[name]}"


def no_float(src: Source) -> Found:
    """Numbers in the core are exact integers; ``/`` makes a float, or a Decimal that obeys the host's context."""
    if src.room not in CORE or src.module == FLOAT_HOME:
        return
    for node in src.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            yield node.lineno, f"float literal {node.value}"
        elif isinstance(node, ast.Call) and src.builtin(node) == "float":
            yield node.lineno, "float() call"
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield node.lineno, "true division; use // or a named rounding"


def set_order(src: Source) -> Found:
    """Nothing in the core follows the order of a set, which differs from process to process."""
    if src.room not in CORE:
        return
    bound = [binding for node in src.nodes for binding in _bindings(node)]
    known = {name for name, is_set in bound if is_set} - {name for name, is_set in bound if not is_set}
    for node in src.nodes:
        for walked in _walked_in_order(node):
            if _is_set(walked, known):
                yield walked.lineno, f"walks the set {ast.unparse(walked)} in its own order; sort it"


def _bindings(node: ast.AST) -> list[tuple[str, bool]]:
    """(name or attribute, whether it is bound to a set here) for an argument or an assignment."""
    if isinstance(node, (ast.arg, ast.AnnAssign)):
        is_set = bool(SET_HINT.match(ast.unparse(node.annotation))) if node.annotation else False
        names = [ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else node.arg]
    elif isinstance(node, ast.Assign):
        is_set, names = _is_set(node.value, set()), [ast.unparse(target) for target in node.targets]
    else:
        return []
    return [(name.rpartition(".")[2], is_set) for name in names]


def _walked_in_order(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return [node.iter]
    if isinstance(node, ast.Call):
        return node.args if ast.unparse(node.func).rpartition(".")[2] in ORDER_KEEPING else []
    return [node.value] if isinstance(node, ast.Starred) else []


def _is_set(node: ast.AST, known: set[str]) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, known) or _is_set(node.right, known)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    if isinstance(node, (ast.Name, ast.Attribute)):
        return ast.unparse(node).rpartition(".")[2] in known
    return isinstance(node, (ast.Set, ast.SetComp))


# ------------------------------------------------------------------ rules about every module


def no_assert(src: Source) -> Found:
    """``python -O`` removes assert statements, so none of them may guard anything."""
    yield from ((n.lineno, "assert; raise InvariantError instead") for n in src.nodes if isinstance(n, ast.Assert))


def module_state(src: Source) -> Found:
    """The library keeps no global: module-level containers are constants, and say so."""
    yield from ((n.lineno, f"global {', '.join(n.names)}") for n in src.nodes if isinstance(n, ast.Global))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    open_nodes = [node for node in src.tree.body if not isinstance(node, functions)]
    for node in [inner for outer in open_nodes for inner in ast.walk(outer)]:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not _is_mutable(node.value):
            continue
        final = isinstance(node, ast.AnnAssign) and "Final" in ast.unparse(node.annotation)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = ast.unparse(target)
            if not final and not re.fullmatch(r"_*[A-Z][A-Z0-9_]*|__\w+__", name):
                yield node.lineno, f"{name} is mutable module state; ALL_CAPS, Final or MappingProxyType if constant"


def _is_mutable(value: ast.AST | None) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def size(src: Source) -> Found:
    """A file that outgrows a sitting, or a function that outgrows a screen, is two things."""
    found = [(1, "", src.text.count("\n"), MAX_FILE)]
    for node in src.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = (ast.get_docstring(node, clean=False) or "").count("\n") + 1 if ast.get_docstring(node) else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
            found.append((node.lineno, f"::{node.name}", lines, MAX_FUNCTION))
    for line, name, lines, most in found:
        if lines > most and src.label + name not in OVERSIZED:
            yield line, f"{src.label}{name} has {lines} lines, the most is {most}; split it, or list it in OVERSIZED"


def spelling(src: Source) -> Found:
    """American spelling, in names as in prose."""
    aliases = SPELLING_ALIASES.get(src.module, set())
    yield from ((line, f"{word!r} is not American") for line, word in british(src.text) if word not in aliases)


def british(text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((number, word) for word in BRITISH.findall(FOREIGN_NAMES.sub("", line)))


def leftovers(src: Source) -> Found:
    """What is not finished is not in the tree."""
    lines = enumerate(src.text.splitlines(), 1)
    yield from ((number, f"leftover marker {found[0]}") for number, line in lines if (found := LEFTOVER.search(line)))


def marker_reason(src: Source) -> Found:
    """An excuse gives its reason."""
    yield from ((line, "'# allowed:' without a reason") for line, reason in src.markers.items() if not reason)


EXCUSABLE: dict[str, Callable[[Source], Found]] = {
    "ambient": ambient,
    "no float": no_float,
    "set order": set_order,
    "no assert": no_assert,
    "module state": module_state,
    "spelling": spelling,
    "leftovers": leftovers,
}
RULES: dict[str, Callable[[Source], Found]] = {
    "import arrow": import_arrow,
    "third party": third_party,
    "network": network,
    "size": size,
    "marker reason": marker_reason,
    **EXCUSABLE,
}


def findings(rule: str, src: Source) -> list[str]:
    excused = {line for line, reason in src.markers.items() if reason} if rule in EXCUSABLE else set()
    found = sorted({hit for hit in RULES[rule](src) if hit[0] not in excused})
    return [f"{src.label}:{line}: [{rule}] {what}" for line, what in found]


# ------------------------------------------------------------------ the tests


@functools.cache
def sources() -> list[Source]:
    found = []
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        found.append(Source(name, path.read_text(encoding="utf-8"), package=package))
    return found


def test_there_is_source_to_check() -> None:
    assert sources(), f"no module under {SRC}: the rules would pass on nothing"


@pytest.mark.parametrize("rule", RULES)
def test_source_keeps_the_rule(rule: str) -> None:
    broken = [line for src in sources() for line in findings(rule, src)]
    assert not broken, f"{RULES[rule].__doc__}\n" + "\n".join(broken)


def test_oversized_table_names_only_what_is_oversized(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = set(OVERSIZED)
    monkeypatch.setattr(sys.modules[__name__], "OVERSIZED", {})
    needed = {what.split(" ")[0] for src in sources() for _, what in size(src)}
    assert listed <= needed, f"strike these from OVERSIZED: {sorted(listed - needed)}"


def test_pages_use_american_spelling() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        text = "\n".join("" if (m := MARKER.search(line)) and m[1] else line for line in lines)
        broken += [f"{page.relative_to(ROOT)}:{line}: {word!r} is not American" for line, word in british(text)]
    assert not broken, "\n".join(broken)


PLANTED = [  # (rule, module, text that breaks this rule and no other)
    ("import arrow", "errors", "from papertrade.domain import numbers"),
    ("import arrow", "domain.orders", "import papertrade.ledger.holds"),
    ("import arrow", "matching.rules", "from papertrade.ledger import holds"),
    ("import arrow", "matching.rules", "from ..risk import gate"),
    ("import arrow", "engine.machine", "from papertrade.ports import clock"),
    ("import arrow", "engine.decide", "from papertrade.codec import canonical"),
    ("import arrow", "engine.decide", "def f():\n    from papertrade.exchange import Exchange"),
    ("import arrow", "ledger.fees", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import papertrade.risk"),
    ("import arrow", "paper", "from papertrade.adapters.memory import MemoryStore"),
    ("import arrow", "", "import papertrade.adapters.sqlite"),
    ("import arrow", "adapters.sqlite", "from papertrade.engine import machine"),
    ("import arrow", "exchange", "import papertrade.testing"),
    ("import arrow", "exchange", "from papertrade import Order"),
    ("import arrow", "paper", "import papertrade as pt"),
    ("import arrow", "aio", "import importlib\nimportlib.import_module('papertrade.adapters.sqlite')"),
    ("import arrow", "aio", "from importlib import import_module as load\ndef f(x): load(x)"),
    ("import arrow", "attic", "x = 1"),
    ("import arrow", "engine.decide", "import papertrade.records"),
    ("import arrow", "records.lines", "from papertrade.exchange import Exchange"),
    ("third party", "domain.orders", "import numpy"),
    ("third party", "domain.orders", "from dateutil.rrule import rrule"),
    ("third party", "adapters.sqlite", "import sqlalchemy"),
    ("third party", "adapters.sqlite.store", "import psycopg"),
    ("third party", "compose", "__import__('requests')"),
    ("network", "exchange", "import asyncio"),
    ("network", "compose", "from urllib.request import urlopen"),
    ("network", "aio", "import socket"),
    ("ambient", "engine.machine", "import time"),
    ("ambient", "engine.machine", "from datetime import datetime as d\nx = d.now()"),
    ("ambient", "engine.machine", "import datetime\nx = datetime.date.today()"),
    ("ambient", "matching.rules", "from random import choice"),
    ("ambient", "domain.ids", "from uuid import uuid4"),
    ("ambient", "risk.gate", "import os\nx = os.environ.get('A')"),
    ("ambient", "codec.events", "import pickle"),
    ("ambient", "codec.events", "def f(x): return hash(x)"),
    ("ambient", "ledger.lots", "def f(x): return id(x)"),
    ("ambient", "ledger.lots", "from decimal import localcontext"),
    ("ambient", "ledger.lots", "import time  # allowed elsewhere, which is no marker"),
    ("no float", "ledger.fees", "RATE = 0.1"),
    ("no float", "ledger.fees", "def f(x): return float(x)"),
    ("no float", "ledger.fees", "def f(a, b): return a / b"),
    ("set order", "engine.decide", "for x in {1, 2}: print(x)"),
    ("set order", "engine.decide", "def f(xs): return [x for x in set(xs) | xs]"),
    ("set order", "engine.decide", "def f(xs: set[int]): return list(xs)"),
    ("set order", "engine.state", "class A:\n    def f(self):\n        self.b = set()\n        return [*self.b]"),
    ("no assert", "exchange", "def f(x):\n    assert x"),
    ("module state", "paper", "cache = {}"),
    ("module state", "paper", "if True:\n    seen: list[int] = list()"),
    ("module state", "paper", "X = 1\ndef f():\n    global X"),
    ("size", "paper", "pass\n" * (MAX_FILE + 1)),
    ("size", "paper", "def f():\n" + "    pass\n" * MAX_FUNCTION),
    ("size", "paper", "class A:\n    async def f(self):\n        'doc'\n" + "        pass\n" * MAX_FUNCTION),
    ("spelling", "domain.orders", "is_cancelled = True"),
    ("spelling", "domain.orders", "class UnrealisedProfit: pass"),
    ("spelling", "domain.orders", "'The behaviour of an order.'"),
    ("leftovers", "domain.orders", "x = 1  # TODO later"),
    ("marker reason", "domain.orders", "x = 1  # allowed:"),
]


@pytest.mark.parametrize(("rule", "module", "text"), PLANTED)
def test_planted_violation_is_reported(rule: str, module: str, text: str) -> None:
    src = Source(module, text, package=not module)
    assert {name for name in RULES if findings(name, src)} == {rule}


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("engine.snapshot", "from papertrade.codec import canonical"),
        ("compose", "import importlib, papertrade.adapters.memory\ndef f(x): return importlib.import_module(x)"),
        ("testing.kit", "import asyncio, papertrade as pt\nfrom papertrade.adapters import memory"),
        ("calendars.expiry", "from dateutil.rrule import rrule\nfrom attrs import frozen"),
        ("domain.orders", "from . import numbers\nfrom ..errors import UsageError"),
        ("domain.numbers", "def f(x): return float(x)"),
        ("domain.clock", "from datetime import datetime, time\ndef f(now): return time(9), datetime.fromtimestamp"),
        ("ledger.lots", "def f(xs: set[int], y): return sorted(xs), len(xs), y in xs, y // 2"),
        ("ledger.lots", "def f(k): return hash(k)  # allowed: equality of keys, never stored"),
        ("ledger.lots", "__all__ = ['f']\n_TABLE = {}\ntable: Final = {}\ndef f():\n    found = []"),
        ("domain.words", "ALIASES = {'cancelled': 'canceled'}"),
        ("aio", "import asyncio\ndef f(e): return isinstance(e, asyncio.CancelledError)"),
        ("paper", "def f():\n    '''" + "long\n" * 40 + "'''\n" + "    pass\n" * (MAX_FUNCTION - 1)),
    ],
)
def test_what_is_allowed_is_not_reported(module: str, text: str) -> None:
    src = Source(module, text)
    assert [line for rule in RULES for line in findings(rule, src)] == []
