"""Every error says what was found and what is accepted, carries its data, and stays short whatever it is about."""

from __future__ import annotations

import inspect

import pytest

from papertrade import errors as e

SUSPENDED: dict[str, object] = {"account": "main", "why": "why"}
SUSPENDED |= dict.fromkeys(("check", "found", "expected", "version", "digest"))

CASES: list[tuple[e.PaperTradeError, str, dict[str, object]]] = [
    (
        e.InvalidValueError("bid", "x", "a number"),
        "bid: found 'x'; accepted: a number",
        {"field": "bid", "found": "x", "accepted": "a number"},
    ),
    (
        e.NaiveDatetimeError("at", "2026-01-05"),
        "at: '2026-01-05' has no time zone; pass an aware datetime, for example "
        "datetime(2026, 1, 5, 9, 15, tzinfo=ZoneInfo('Asia/Kolkata'))",
        {"field": "at", "found": "2026-01-05"},
    ),
    (
        e.ClockMismatchError("A", "B"),
        "the datum is dated A but the clock says B; to replay recorded data, open the broker "
        'with clock="data", under which time is the latest datum',
        {"at": "A", "now": "B"},
    ),
    (e.ClockBackwardsError("A", "B"), "the clock stands at B and cannot go back to A", {"asked": "A", "now": "B"}),
    (
        e.UnsupportedError("options", ["stocks", "bonds"]),
        "this broker does not support options; it supports stocks, bonds",
        {"what": "options", "accepted": ("stocks", "bonds")},
    ),
    (
        e.CurrencyMismatchError("INFY", "INR", "USD"),
        "INFY is quoted in INR and this account keeps USD; open an account in INR to trade it",
        {"symbol": "INFY", "found": "INR", "accepted": "USD"},
    ),
    (
        e.KeyConflictError("k1", "quantity", 1, 2),
        "'k1' was used before with quantity=1; this call has quantity=2. Repeat the "
        "same call to get the first answer, or choose a new key",
        {"key": "k1", "field": "quantity", "first": 1, "now": 2},
    ),
    (
        e.UnknownSymbolError("APPL", ["AAPL"]),
        "unknown symbol 'APPL'; did you mean 'AAPL'? (list it with add_instrument; symbols match exactly)",
        {"symbol": "APPL", "near": ("AAPL",)},
    ),
    (
        e.UnknownDayError("2026-01-05", "main"),
        "account 'main': no day '2026-01-05'; day_summaries() lists those that there are",
        {"day": "2026-01-05", "account": "main"},
    ),
    (
        e.UnknownOrderError("main-9", "main"),
        "account 'main' has no order 'main-9'; find_order returns None instead",
        {"order_id": "main-9", "account": "main"},
    ),
    (
        e.UnknownCalendarError("NYSX", ["NYSE"], ["24x7", "XNYS"]),
        "no calendar 'NYSX'; did you mean 'NYSE'? (these ship: 24x7, XNYS; make others with Calendar(...))",
        {"name": "NYSX", "near": ("NYSE",), "known": ("24x7", "XNYS")},
    ),
    (
        e.CalendarRangeError("XNYS", "2031-01-01", "2000-01-01", "2030-12-31"),
        "calendar XNYS is known from 2000-01-01 to 2030-12-31 and was asked about 2031-01-01; add what you know "
        "with calendar.with_days({...}, known_through=...), or use a newer release",
        {"calendar": "XNYS", "asked": "2031-01-01", "first": "2000-01-01", "last": "2030-12-31"},
    ),
    (
        e.UnknownAccountError("bpb", ["bob"]),
        "no account 'bpb' on this exchange; did you mean 'bob'?",
        {"account": "bpb", "near": ("bob",)},
    ),
    (
        e.ThreadError(1, 2),
        "this exchange belongs to thread 1 and was called from 2; open it with threadsafe=True to share it",
        {"owner": 1, "caller": 2},
    ),
    (
        e.StoreConflictError("main", 3, 4),
        "stream 'main' is at version 4, this writer expected 3",
        {"stream": "main", "expected": 3, "actual": 4},
    ),
    (
        e.StoreMismatchError("main", "order:k"),
        "commit 'order:k' of stream 'main' was stored before with other content",
        {"stream": "main", "commit_id": "order:k"},
    ),
    (
        e.StoreFencedError("main", 3, 4),
        "stream 'main' was written to with fence 3; its owner's is 4",
        {"stream": "main", "fence": 3, "owner": 4},
    ),
    (
        e.StoreFencedError("main", None, None),
        "stream 'main' was written to with fence none; nobody owns it",
        {"stream": "main", "fence": None, "owner": None},
    ),
    (
        e.StoreHistoryError("main", 3, "their events differ"),
        "the store holds another 'main' than the file, up to version 3: their events differ",
        {"stream": "main", "version": 3, "why": "their events differ"},
    ),
    (
        e.BalanceMismatchError("main", 3, [("total", 5, 6), ("held", 0, 1)]),
        "account 'main' at version 3: total is 6 and not 5; held is 1 and not 0",
        {"account": "main", "version": 3, "differences": (("total", 5, 6), ("held", 0, 1))},
    ),
    (
        e.StoreErasedError("main", "on request"),
        "stream 'main' was erased: on request; its name cannot be used again",
        {"stream": "main", "note": "on request"},
    ),
    (
        e.StoreTrimmedError("main", 3, 7),
        "version 3 of 'main' is archived: this store keeps what came after version 7; "
        "the archive has the rest, and a TieredStore of both answers everything",
        {"stream": "main", "version": 3, "base": 7, "wanted": ""},
    ),
    (
        e.StoreTrimmedError("main", 3, 7, "order 5"),
        "order 5 of 'main' is archived: this store keeps what came after version 7; "
        "the archive has the rest, and a TieredStore of both answers everything",
        {"stream": "main", "version": 3, "base": 7, "wanted": "order 5"},
    ),
    (e.AccountSuspendedError("main", "why"), "account 'main' is suspended: why", SUSPENDED),
    (
        e.AccountSuspendedError("main", "why", check="L1", found=1, expected=0, version=7, digest="a" * 64),
        "account 'main' is suspended: why (last version 7, digest aaaaaaaaaaaaaaaa)",
        {**SUSPENDED, "check": "L1", "found": 1, "expected": 0, "version": 7, "digest": "a" * 64},
    ),
    (
        e.InvariantError("L1", "main", 5, 0),
        "L1 broken in account 'main': found 5, expected 0",
        {"check": "L1", "account": "main", "found": 5, "expected": 0},
    ),
    (
        e.FeedLostError(3, "TimeoutError: line"),
        "the feed failed after 3 data: TimeoutError: line; connect it again and run on",
        {"taken": 3, "why": "TimeoutError: line"},
    ),
    (
        e.FeedDataError(4, {"kind": "quote"}, "no symbol"),
        "datum 4 of the feed, a dict of 1: no symbol",
        {"number": 4, "datum": {"kind": "quote"}, "why": "no symbol"},
    ),
    *(
        (kind("text"), "text", {})
        for kind in (
            e.UsageError,
            e.StoreError,
            e.StoreUnavailableError,
            e.OutcomeUnknownError,
            e.StoreFullError,
            e.StoreCorruptError,
            e.StoreClosedError,
            e.StoreMisconfiguredError,
            e.FeedError,
            e.PaperTradeError,
        )
    ),
]
IDS = [type(case[0]).__name__ for case in CASES]


@pytest.mark.parametrize(("error", "text", "data"), CASES, ids=IDS)
def test_text_and_attributes(error: e.PaperTradeError, text: str, data: dict[str, object]) -> None:
    """The text is the whole story, and the same facts are attributes."""
    assert str(error) == text
    assert vars(error) == data
    assert type(error).__doc__


def test_every_class_is_here() -> None:
    """A new error class needs a row above."""
    public = {kind for name, kind in vars(e).items() if inspect.isclass(kind) and issubclass(kind, e.PaperTradeError)}
    assert {kind for kind in public if not kind.__name__.startswith("_")} == {type(case[0]) for case in CASES}


USAGE = {
    "InvalidValueError",
    "NaiveDatetimeError",
    "ClockMismatchError",
    "ClockBackwardsError",
    "UnsupportedError",
    "CurrencyMismatchError",
    "KeyConflictError",
    "BalanceMismatchError",
    "ThreadError",
    "UsageError",
}
LOOKUP = {
    "UnknownCalendarError",
    "CalendarRangeError",
    "UnknownSymbolError",
    "UnknownDayError",
    "UnknownOrderError",
    "UnknownAccountError",
}
STORE = {
    "StoreError",
    "StoreUnavailableError",
    "OutcomeUnknownError",
    "StoreConflictError",
    "StoreMismatchError",
    "StoreHistoryError",
    "StoreFullError",
    "StoreCorruptError",
    "StoreFencedError",
    "StoreErasedError",
    "StoreTrimmedError",
    "StoreClosedError",
    "StoreMisconfiguredError",
    "AccountSuspendedError",
}


@pytest.mark.parametrize("error", [case[0] for case in CASES], ids=IDS)
def test_families(error: e.PaperTradeError) -> None:
    """Misuse is also ValueError, an unknown name also LookupError; the outside and our own faults are neither."""
    name = type(error).__name__
    assert isinstance(error, e.UsageError) == isinstance(error, ValueError) == (name in USAGE | LOOKUP)
    assert isinstance(error, LookupError) == (name in LOOKUP)
    assert isinstance(error, e.StoreError) == (name in STORE)
    assert not (isinstance(error, e.InvariantError) and isinstance(error, (ValueError, e.StoreError)))


class Evil:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


class NotText:
    def __repr__(self) -> str:
        return 5  # type: ignore[return-value]


class Lines:
    def __repr__(self) -> str:
        return "one\n2026-01-05 CRITICAL two\x00"


class Flood:
    def __repr__(self) -> str:
        return "flood " * 1_000_000


def hostile() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    many = {n: n for n in range(1_000_000)}
    big = 10**5_000
    return [
        "x" * 5_000_000,
        b"x" * 5_000_000,
        bytearray(5_000_000),
        1 << 16_000_000,
        -(1 << 16_000_000),
        loop,
        many,
        (loop,) * 8,
        [big],
        (big, big),
        {"a": big},
        list(range(1_000_000)),
        Evil(),
        [Evil()],
        NotText(),
        Lines(),
        Flood(),
        [Flood()] * 8,
        ("x" * 5_000_000,) * 8,
        type("T" * 100_000, (), {})(),
        "\ud800",
        float("nan"),
        None,
        deep,
    ]


@pytest.mark.parametrize("value", hostile(), ids=lambda v: type(v).__name__[:10])
def test_texts_stay_short(value: object) -> None:
    """A hostile value can neither flood a log, nor raise from within the error about it, nor put a newline in it."""
    for error in (
        e.InvalidValueError("f", value, "a number"),
        e.NaiveDatetimeError("f", value),
        e.UnknownOrderError(value, "main"),
        e.KeyConflictError("k", "f", value, value),
    ):
        assert len(str(error)) < 1_000
        assert "\n" not in str(error)
