"""More than three hundred values that somebody might pass by mistake or on purpose: name → a function that makes it.

Large values are made once and kept; what is used up by looking at it (generators) is made anew for each use.
"""

from __future__ import annotations

import array
import decimal
import fractions
import itertools
import types
import uuid
from collections import OrderedDict, UserDict, UserList, UserString, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

Make = Callable[[], Any]

# ---------------------------------------------------------- objects that bite


def _bite(*_: Any, **__: Any) -> Any:
    raise RuntimeError("bitten")


_ASKED = (  # noqa: SIM905 - a list would be five times as long
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __str__ __repr__ __format__ __bool__ __len__ __iter__ __next__ "

    "__contains__ __getitem__ __float__ __int__ __index__ __complex__ __round__ __trunc__ __abs__ __neg__ __pos__ "
    "__add__ "
    "__radd__ __sub__ __mul__ __mod__ __floordiv__ __bytes__ __fspath__ __call__ __enter__ __exit__ __reversed__"
).split()


def biting(base: type, *but: str) -> type:
    """A subclass that raises whatever it is asked."""
    return type(f"Biting{base.__name__.title()}", (base,), {name: _bite for name in _ASKED if name not in but})


class LyingTruth:
    """Equal to everything, true, and of any length."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __len__(self) -> int:
        return 2

    def __index__(self) -> int:
        return 5

    __int__ = __index__

    def __float__(self) -> float:
        return 5.0

    def __str__(self) -> str:
        return "5"


class Chameleon(str):
    """A text that reads differently each time."""

    _turn = itertools.count()

    def __str__(self) -> str:
        return f"{next(self._turn)}"

    __repr__ = __str__

    def lower(self) -> str:
        return "buy"


class EndlessMapping(Mapping[str, str]):
    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        return (f"t{n}" for n in itertools.count())


class HugeSequence(Sequence[Any]):
    def __len__(self) -> int:
        return 2**60

    def __getitem__(self, index: Any) -> Any:
        return ("1", "1")


class LyingPair(Sequence[Any]):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: Any) -> Any:
        raise IndexError(index)


class LyingZone(tzinfo):
    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def utcoffset(self, when: Any) -> Any:
        return _bite() if self.answer is None else self.answer


class LateDatetime(datetime):
    def utcoffset(self) -> Any:
        raise RuntimeError("bitten")


class LooksLikeModel:
    """Has every attribute, and each is nonsense."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class OddEnum(Enum):
    BUY = "buy"


class OddIntEnum(IntEnum):
    ONE = 1


# ---------------------------------------------------------------- families

_TEXTS = {
    "empty": "", "space": " ", "newline": "\n", "tab": "\t", "NUL": "\x00", "DEL": "\x7f", "BOM": "\ufeff",
    "ZWSP": "\u200b",
    "ZWJ": "\u200d", "RTL": "\u202e", "NBSP": "\xa0", "surrogate": "\ud800", "surrogate pair": "\ud83d\ude00",
    "emoji": "😀",
    "accent": "é", "combining": "e\u0301", "dotless i": "ı", "sharp s": "ß", "dotted I": "İ", "ligature": "ﬁ",
    "Kelvin": "\u212a",
    "Cyrillic": "ВUУ", "full-width": "ｂｕｙ", "padded": " buy ", "buy NUL": "buy\x00",
    "quote": "'; DROP TABLE orders;--",
    "format": "{0.__class__}", "percent": "%s%n", "template": "${jndi}", "path": "../../etc/passwd",
    "absolute": "/dev/zero",
    "formula": "=cmd()", "html": "<script>", "json": '{"a":1}', "brackets": "[" * 64, "64 chars": "x" * 64,
    "65 chars": "x" * 65,
    "255 chars": "x" * 255, "256 chars": "x" * 256, "1,000 chars": "x" * 1000, "none text": "None", "null text": "null",
    "true text": "True", "yes": "yes", "on": "on", "newline inside": "a\nb", "backslash": "\\", "semicolon": "a;b",
    "comma": "a,b",
    "line separator": "a\u2028b", "private use": "\ue000", "unassigned": "\u0378", "max char": "\U0010ffff",
    "order id": "main-1",
    "order id 0": "main-0", "order id 01": "main-01", "order id -1": "main--1", "order id huge": "main-" + "9" * 90,
    "order id other": "other-1", "order id ２": "main-２", "order id _": "main-1_0", "dash": "-", "key used": "first",
    "symbol case": "aapl", "symbol spaced": "AAPL ", "symbol near": "APPL", "utc": "utc", "zone": "Mars/Base",
    "realistic": "Realistic",
}  # fmt: skip

_NUMBER_TEXTS = {
    "one": "1", "one point": "1.", "point one": ".1", "point": ".", "plus": "+1", "minus": "-1", "minus minus": "--1",
    "minus zero": "-0",
    "zero": "0", "many zeros": "0" * 30, "zero point zero": "0.0", "leading zeros": "0001", "sixteen digits": "1" * 16,
    "fifteen digits": "1" * 15, "ten places": "0.0000000001", "nine places": "0.000000001", "twenty-six": "1" * 26,
    "spaced": " 1",
    "trailing space": "1 ", "trailing newline": "1\n", "thousands": "1,000", "underscore": "1_000",
    "apostrophe": "1'000",
    "exponent": "1e3", "huge exponent": "1e999999999", "tiny exponent": "1e-999999999", "hex": "0x10", "octal": "0o7",
    "binary": "0b1",
    "nan": "nan", "NaN": "NaN", "sNaN": "sNaN", "inf": "inf", "-inf": "-inf", "Infinity": "Infinity",
    "full-width digits": "１２",
    "Arabic digits": "٣", "superscript": "²", "fraction": "½", "Roman": "Ⅷ", "Chinese": "三", "true minus": "−1",
    "two points": "1.2.3",
    "currency": "$1", "suffix": "1k", "percent": "1%", "fraction text": "1/2", "NUL digit": "1\x00",
    "digit ZWSP": "1\u200b",
    "complex": "1j", "off grid": "1.000000001", "parens": "(1)", "bytes text": "b'1'",
}  # fmt: skip

_DECIMALS = [

    "NaN", "-NaN", "NaN123", "sNaN", "-sNaN9", "Infinity", "-Infinity", "0", "-0", "0E+999", "0E-999", "-1", "1E+15",
    "-1E+15", "1E+16",

    "1E+99", "1E+999", "1E+999999", "1E-10", "1E-99", "1E-999999", "-1E+999999", "9E+14", "1E-9", "1.0000000001",
    "0.0000000001",
    "999999999999999.9999999999", "1.5", "100.005", "0.001", "123456789012345678901234567890",
]  # fmt: skip
_FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.1 + 0.2, 1e-5, 1e-9, 1e-10, 5e-324, 2.2250738585072014e-308, 1e15, 1e16, 1e22, 1e308,
    -1e308,
    1.7976931348623157e308, float("nan"), float("inf"), float("-inf"), 2.0**53, 100.000000001, 0.30000000000000004,
    1 / 3,
]  # fmt: skip
_INTS = [
    0, -1, 1, 2, 255, 2**31, -(2**31), 2**32, 2**53 - 1, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**15 - 1, 10**15,
    -(10**15),
    10**18, 10**24, 10**30, 10**100, 10**4299, 10**4300, -(10**5000),
]  # fmt: skip


class _Zoned:
    kolkata = ZoneInfo("Asia/Kolkata")


def _self_list() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def _self_dict() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["a"] = loop
    return loop


def _deep(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def _generator() -> Iterator[Any]:
    yield ("1", "1")
    raise RuntimeError("bitten")


_LARGE: dict[str, Make] = {
    "text of 5M": lambda: "x" * 5_000_000,
    "digits of 5M": lambda: "9" * 5_000_000,
    "places of 5M": lambda: "0." + "1" * 5_000_000,
    "bytes of 5M": lambda: b"9" * 5_000_000,
    "int of 5M digits": lambda: 1 << 16_609_640,
    "-int of 5M digits": lambda: -(1 << 16_609_640),
    "Decimal of 1M digits": lambda: Decimal("9" * 1_000_000),
    "Decimal of 1M places": lambda: Decimal("1." + "1" * 1_000_000),
    "NaN of 5M digits": lambda: Decimal("NaN" + "1" * 900_000),
    "Decimal of small coefficient": lambda: Decimal((0, (1,), 999_999_999_999)),
    "Decimal of tiny exponent": lambda: Decimal((0, (1,), -999_999_999_999)),
    "list of 1M": lambda: [0] * 1_000_000,
    "dict of 100k": lambda: {str(n): "x" for n in range(100_000)},
    "pairs of 100k": lambda: [("1", "1")] * 100_000,
    "deep list": lambda: _deep(50_000),
    "list of a huge int": lambda: [10**5_000],
    "tuple of huge ints": lambda: (10**5_000, -(10**5_000)),
    "dict of a huge int": lambda: {"a": 10**5_000},
    "huge range": lambda: range(10**30),
}

_OBJECTS: dict[str, Make] = {
    "None": lambda: None, "True": lambda: True, "False": lambda: False, "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "object": object, "type": lambda: int, "module": lambda: types, "function": lambda: _bite,
    "lambda": lambda: lambda: 1,
    "partial": lambda: partial(int, "1"), "exception": lambda: ValueError("x"), "complex": lambda: 1 + 0j,
    "Fraction": lambda: fractions.Fraction(1, 2),
    "Fraction whole": lambda: fractions.Fraction(5), "uuid": lambda: uuid.UUID(int=1),
    "path": lambda: PurePosixPath("/"),
    "Enum": lambda: OddEnum.BUY, "IntEnum": lambda: OddIntEnum.ONE, "slice": lambda: slice(1),
    "memoryview": lambda: memoryview(b"1"),
    "context": lambda: decimal.Context(), "namespace": lambda: types.SimpleNamespace(name="x"),
    "looks like a model": LooksLikeModel,
    "lying truth": LyingTruth, "chameleon": lambda: Chameleon("buy"), "chameleon number": lambda: Chameleon("5"),
    "biting object": lambda: biting(object)(), "biting object without hash": lambda: biting(object, "__hash__")(),
    "biting str": lambda: biting(str)("buy"), "biting number str": lambda: biting(str)("1"),
    "biting int": lambda: biting(int)(1),
    "biting float": lambda: biting(float)(1.0), "biting Decimal": lambda: biting(Decimal)("1"),
    "biting NaN": lambda: biting(Decimal)("NaN"),
    "biting bytes": lambda: biting(bytes)(b"1"), "biting list": lambda: biting(list)(),
    "biting tuple": lambda: biting(tuple)((1, 1)),
    "biting dict": lambda: biting(dict)(a="b"), "biting set": lambda: biting(frozenset)(),
    "biting datetime": lambda: biting(datetime)(2026, 1, 5, tzinfo=UTC),
    "int subclass": lambda: type("MyInt", (int,), {})(5), "str subclass": lambda: type("MyStr", (str,), {})("5"),
    "buy subclass": lambda: type("MyStr", (str,), {})("buy"),
    "float subclass": lambda: type("MyFloat", (float,), {})(5.0),
    "Decimal subclass": lambda: type("MyDecimal", (Decimal,), {})("5"), "UserString": lambda: UserString("buy"),
    "UserList": lambda: UserList([1]),
}  # fmt: skip

_CONTAINERS: dict[str, Make] = {
    "list": list, "tuple": tuple, "dict": dict, "set": set, "frozenset": frozenset, "deque": deque,
    "array": lambda: array.array("d", [1.0]),
    "list of one": lambda: ["1"], "pair": lambda: ("1", "1"), "list of pairs": lambda: [("1", "1")],
    "pairs of None": lambda: [(None, None)],
    "pairs of 0": lambda: [("0", "0")], "pairs of NaN": lambda: [(float("nan"), 1)],
    "triple": lambda: [("1", "1", "1")],
    "pair of text": lambda: ["12"], "pair of bytes": lambda: [b"12"],
    "unsorted pairs": lambda: [("1", 1), ("2", 1), ("1", 1)],
    "equal pairs": lambda: [("1", 1), ("1", 1)], "list of lists": lambda: [["1", "1"]], "dict of int": lambda: {"a": 1},
    "dict by int": lambda: {1: "a"}, "dict of None": lambda: {"a": None}, "dict of bytes": lambda: {b"a": b"b"},
    "dict with newline": lambda: {"a": "b\n"},
    "dict with surrogate": lambda: {"a": "\ud800"}, "dict of 17": lambda: {f"t{n}": "" for n in range(17)},
    "dict by tuple": lambda: {(): ""},
    "OrderedDict": lambda: OrderedDict(a="b"), "UserDict": lambda: UserDict(a=1),
    "mapping proxy": lambda: types.MappingProxyType({"a": 1}),
    "self list": _self_list, "self dict": _self_dict, "endless mapping": EndlessMapping, "huge sequence": HugeSequence,
    "lying pair": lambda: [LyingPair()], "generator": _generator,
    "endless generator": lambda: itertools.repeat(("1", "1")),
    "endless count": itertools.count, "iterator": lambda: iter([("2", "1"), ("1", "1")]),
    "map": lambda: map(_bite, [1]), "zip": lambda: zip("1", "1", strict=True),
    "range": lambda: range(1, 3), "bytes": lambda: b"buy", "bytes number": lambda: b"1",
    "bytearray": lambda: bytearray(b"1"), "kinds of int": lambda: [1],
    "kinds of lists": lambda: [[]], "kinds unknown": lambda: ["order_filed"],
    "list of biting": lambda: [biting(object)()],
    "tuple of biting": lambda: (biting(object)(), biting(object)()),
}  # fmt: skip

_TIMES: dict[str, Make] = {
    "naive": lambda: datetime(2026, 1, 5), "naive min": lambda: datetime.min,  # noqa: DTZ001, DTZ901
    "naive max": lambda: datetime.max,  # noqa: DTZ901
    "aware min": lambda: datetime.min.replace(tzinfo=UTC), "aware max": lambda: datetime.max.replace(tzinfo=UTC),
    "min east": lambda: datetime.min.replace(tzinfo=timezone(timedelta(hours=23))),
    "max west": lambda: datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    "1969": lambda: datetime(1969, 12, 31, tzinfo=UTC), "2263": lambda: datetime(2263, 1, 1, tzinfo=UTC),
    "aware": lambda: datetime(2026, 1, 5, 15, tzinfo=UTC),
    "fold": lambda: datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=ZoneInfo("America/New_York")),
    "biting zone": lambda: datetime(2026, 1, 5, tzinfo=LyingZone()),
    "zone of text": lambda: datetime(2026, 1, 5, tzinfo=LyingZone("x")),
    "biting datetime zone": lambda: LateDatetime(2026, 1, 5, tzinfo=UTC),
    "date": lambda: date(2026, 1, 5), "time": lambda: time(9, 15), "aware time": lambda: time(9, 15, tzinfo=UTC),
    "timedelta": lambda: timedelta(1),
    "ZoneInfo": lambda: _Zoned.kolkata, "utc": lambda: UTC, "date text": lambda: "2026-01-05",
    "naive text": lambda: "2026-01-05T09:15:00",
    "text Z": lambda: "2026-01-05T15:00:00Z", "text lower": lambda: "2026-01-05t15:00:00z",
    "text 10 places": lambda: "2026-01-05T15:00:00.1234567891Z",
    "text comma": lambda: "2026-01-05T15:00:00,5Z", "text newline": lambda: "2026-01-05\n15:00:00Z",
    "text 2300": lambda: "2300-01-01T00:00:00Z",
    "text 1960": lambda: "1960-01-01T00:00:00Z", "text offset 99": lambda: "2026-01-05T15:00:00+99:00",
    "text Feb 30": lambda: "2026-02-30T00:00:00Z",
    "text :61": lambda: "2026-01-05T15:00:61Z", "text year 0": lambda: "0000-01-01T00:00:00Z",
    "epoch seconds": lambda: 1_767_623_400,
    "epoch float": lambda: 1_767_623_400.5, "time text": lambda: "25:00", "time with zone": lambda: "09:00+05",
}  # fmt: skip


@lru_cache(maxsize=1)
def hostile_values() -> dict[str, Make]:
    """Every value by name."""
    found: dict[str, Make] = {}

    def add(family: str, makes: Mapping[str, Make]) -> None:
        found.update({f"{family}: {name}": make for name, make in makes.items()})

    add("text", {name: partial(str, text) for name, text in _TEXTS.items()})
    add("number text", {name: partial(str, text) for name, text in _NUMBER_TEXTS.items()})
    add("Decimal", {text: partial(Decimal, text) for text in _DECIMALS})
    add("float", {f"{number} {value!r}": partial(float, value) for number, value in enumerate(_FLOATS)})
    add("int", {f"{number} of {value.bit_length()} bits": partial(int, value) for number, value in enumerate(_INTS)})
    add("large", {name: lru_cache(maxsize=1)(make) for name, make in _LARGE.items()})
    add("object", _OBJECTS)
    add("container", _CONTAINERS)
    add("time", _TIMES)
    return found
