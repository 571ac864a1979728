"""One symbol's market: what is news, what stands, what it is marked at, and what a datum proves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from papertrade.domain.events import Evidence
from papertrade.domain.instruments import Instrument
from papertrade.domain.words import DataKind
from papertrade.matching.market import NEVER, BarData, Market
from papertrade.matching.resting import BUY_LIMIT, HIGH_WATCH, LOW_WATCH, SELL_LIMIT

QUOTE, PRICE, DEPTH, TRADE, BAR = (
    DataKind.QUOTE, DataKind.PRICE, DataKind.DEPTH, DataKind.TRADE, DataKind.BAR,
)  # fmt: skip
UNIT = 10**9


@pytest.fixture
def market() -> Market:
    return Market(Instrument("X"))


def bar(close: int = 12, end_ns: int = 5, **other: Any) -> BarData:
    fields = {"open_": 10, "high": 15, "low": 8, "volume": 100, "start_ns": 1, **other}
    return BarData(close=close, end_ns=end_ns, **fields)


def top(market: Market, bid: int | None, ask: int | None, at_ns: int, kind: DataKind = QUOTE, **other: Any) -> bool:
    return market.take_top(kind, (bid, ask, None, None), at_ns, **other)


# ------------------------------------------------------------------ news, and what is none


def test_a_new_market_knows_nothing(market: Market) -> None:
    """Before any datum nothing stands, nothing is marked, and nothing was counted."""
    assert (market.bid, market.ask, market.last, market.mark, market.quoted_at) == (None,) * 5
    assert (market.quoted_ns, market.touch(1), market.touch(-1), market.reference(1)) == (None,) * 4
    assert market.evidence() == Evidence("quote", 0, NEVER, (None,) * 4)
    assert market.counts == {"late": 0, "duplicate": 0, "crossed": 0, "refused": 0}
    assert (market.number, market.marked_ns, market.plain, market.halted, market.crossed) == (0, -1, True, False, False)
    assert market.spread is None
    assert (market.bids, market.asks, market.bar, market.last_size_units, market.printed_units) == (None,) * 5
    assert (market.used, market.bar_used, market.sequences, market.kind) == ({}, {}, {}, QUOTE)
    assert (market.bare_units, market.broken_off) == (None, None)


def test_late_and_repeated_quotes_change_nothing_but_a_counter(market: Market) -> None:
    """Older than the standing quote is late, the same at the same instant is a repetition; other values are news."""
    market.index.add("a", 1, BUY_LIMIT, 50, 1)
    assert market.take_quote(9, 11, 5, 6, 100)
    for late in ((8, 11, 5, 6), (9, 11, 5, 6)):
        assert not market.take_quote(*late, 99)
    assert not market.take_quote(9, 11, 5, 6, 100)
    assert (market.counts["late"], market.counts["duplicate"], market.number) == (2, 1, 1)
    assert (market.bid_units, market.quote_ns) == (9, 100)
    for number, news in enumerate(((8, 11, 5, 6), (8, 12, 5, 6), (8, 12, 4, 6), (8, 12, 4, 7)), start=2):
        assert market.take_quote(*news, 100)
        assert (market.bid_units, market.ask_units, market.bid_size_units, market.ask_size_units) == news
        assert market.number == number
    assert market.take_quote(8, 12, 4, 7, 100, fresh=True)
    assert market.take_quote(8, 12, 4, 7, 101)
    assert market.number == 7
    assert not market.take_quote(8, 12, 4, 7, 100, fresh=True)
    assert (market.counts["late"], market.counts["duplicate"]) == (3, 1)


def test_the_same_top_from_another_kind_of_data_is_news(market: Market) -> None:
    """A quote that says what the last price implied is a quote all the same; depth is compared level by level."""
    assert top(market, 9, 11, 100, PRICE)
    assert not top(market, 9, 11, 100, PRICE)
    assert top(market, 9, 11, 100)
    levels = (((9, 1), (8, 2)), ((11, 1),))
    assert top(market, 9, 11, 100, DEPTH, levels=levels)
    assert (market.bids, market.asks) == levels
    assert not top(market, 9, 11, 100, DEPTH, levels=levels)
    assert top(market, 9, 11, 100, DEPTH, levels=(((9, 1), (8, 3)), ((11, 1),)))
    assert top(market, 9, 11, 100, DEPTH, levels=(((9, 1), (8, 3)), ((11, 1),)), fresh=True)
    assert not top(market, 9, 11, 99, DEPTH, fresh=True)
    assert market.counts == {"late": 1, "duplicate": 2, "crossed": 0, "refused": 0}
    assert top(market, 9, 11, 101)
    assert (market.bids, market.asks) == (None, None)
    assert market.number == 6


def test_prints_are_late_repeated_or_news(market: Market) -> None:
    """A print older than the last is late; the same price and size at the same instant is a repetition."""
    assert market.take_trade(10, 5, 100)
    assert (market.last_units, market.last_size_units, market.last_ns, market.marked_ns) == (10, 5, 100, 100)
    for _ in range(2):
        assert not market.take_trade(11, 5, 99)
        assert not market.take_trade(10, 5, 100)
    assert market.take_trade(11, 5, 100)
    assert market.take_trade(11, 6, 100)
    assert market.take_trade(11, 6, 100, fresh=True)
    assert market.take_trade(11, 6, 101)
    assert (market.counts["late"], market.counts["duplicate"], market.number) == (2, 2, 5)
    assert (market.printed_units, market.kind, market.plain) == (11, TRADE, False)


def test_a_bare_price_between_two_prints_does_not_hide_a_repetition(market: Market) -> None:
    """A print is compared with the last print, whatever bare prices were told in between."""
    market.take_trade(10, 5, 100)
    market.last_units = 12  # as a bare last price sets it
    assert not market.take_trade(10, 5, 100)
    assert market.counts["duplicate"] == 1


def test_bars_are_late_repeated_corrected_or_news(market: Market) -> None:
    """A bar that ends before the last is late, an equal one a repetition, and another at the same end a correction."""
    assert market.take_bar(bar())
    assert (market.number, market.marked_ns, market.kind, market.plain) == (1, 5, BAR, False)
    market.bar_used = {"a": [1, 0]}
    assert not market.take_bar(bar())
    assert not market.take_bar(bar(end_ns=4))
    assert not market.take_bar(bar(close=13, end_ns=4))
    assert (market.counts["late"], market.counts["duplicate"]) == (2, 1)
    assert market.bar_used == {"a": [1, 0]}
    for name in ("open_", "high", "low", "close", "volume"):
        corrected = bar(**{name: 9})
        assert market.take_bar(corrected)
        assert market.bar is corrected
        assert market.bar_used == {}
        assert market.take_bar(bar())
    assert market.number == 11
    assert market.take_bar(bar(end_ns=6))
    assert market.marked_ns == 6


def test_the_start_of_a_bar_does_not_make_it_another(market: Market) -> None:
    """Feeds that repeat a bar do not all repeat its start; values and end say whether it is the same."""
    market.take_bar(bar())
    assert not market.take_bar(bar(start_ns=2))


def test_sequence_numbers_are_seen_once_for_each_kind(market: Market) -> None:
    """A sequence number that is not above the last of its kind is a repetition; none is never one."""
    assert not market.is_repeat(QUOTE, None)
    assert not market.is_repeat(QUOTE, 0)
    assert market.is_repeat(QUOTE, 0)
    assert not market.is_repeat(TRADE, 0)
    assert not market.is_repeat(QUOTE, 5)
    assert market.is_repeat(QUOTE, 4)
    assert market.is_repeat(QUOTE, 5)
    assert not market.is_repeat(QUOTE, 6)
    assert market.counts["duplicate"] == 3


# ------------------------------------------------------------------ what may fire


def test_a_quote_says_whether_anything_may_fire(market: Market) -> None:
    """Prices at a resting price fire; one unit away they do not; a crossed market says so for those who watch."""
    market.index.add("a", 1, BUY_LIMIT, 10, 1)
    market.index.add("a", 2, SELL_LIMIT, 20, 1)
    answers = [market.take_quote(bid, ask, None, None, 100 + i) for i, (bid, ask) in enumerate(
        ((11, 19), (10, 19), (11, 20), (9, 12), (12, 21), (11, 19))
    )]  # fmt: skip
    assert answers == [False, True, True, True, True, False]
    assert market.take_quote(15, 14, None, None, 110)
    assert (market.crossed, market.counts["crossed"], market.plain) == (True, 1, False)
    assert market.take_quote(15, 13, None, None, 111)
    assert market.counts["crossed"] == 2
    assert not market.take_quote(14, 14, None, None, 112)
    assert (market.crossed, market.plain) == (False, True)


def test_new_data_gives_back_what_was_taken(market: Market) -> None:
    """What accounts took from displayed sizes counts until the next update, and a repetition is none."""
    market.take_quote(9, 11, 5, 5, 100)
    market.used = {"a": [3, 0]}
    market.take_quote(9, 11, 5, 5, 100)
    assert market.used == {"a": [3, 0]}
    market.take_quote(9, 11, 5, 5, 101)
    assert market.used == {}
    market.used = {"a": [3, 0]}
    top(market, 9, None, 102)
    assert market.used == {}


@pytest.mark.parametrize(
    ("bid", "ask", "crossed"), [(9, 11, False), (10, 10, False), (11, 10, True), (None, 10, False)]
)
def test_only_a_bid_above_the_ask_crosses(market: Market, bid: int | None, ask: int, crossed: bool) -> None:
    """A locked market trades; a crossed one does not, and is counted."""
    assert top(market, bid, ask, 100)
    assert (market.crossed, market.counts["crossed"]) == (crossed, int(crossed))
    assert market.plain is not crossed


def test_only_uncrossed_quotes_are_plain(market: Market) -> None:
    """After depth, a last price, a print or a bar the next quote needs a second look; after a quote it does not."""
    for take in (
        lambda at: top(market, 9, 11, at, DEPTH, levels=(((9, 1),), ((11, 1),))),
        lambda at: top(market, 9, 11, at, PRICE),
        lambda at: market.take_trade(10, None, at),
        lambda at: market.take_bar(bar(end_ns=at)),
    ):
        at = max(market.quote_ns, market.last_ns, 5) + 1
        assert take(at)
        assert not market.plain
        market.take_quote(9, 11, None, None, at + 1)
        assert market.plain
        assert market.kind is market.standing is QUOTE
        assert market.bids is None


# ------------------------------------------------------------------ halts


def test_a_halt_takes_the_quote_and_keeps_the_mark(market: Market) -> None:
    """While halted no quote stands and orders do not fire; the mark of before stays until new data comes."""
    market.index.add("a", 1, BUY_LIMIT, 10, 1)
    market.index.add("a", 0, LOW_WATCH, 5, 1)
    market.index.add("a", 0, HIGH_WATCH, 30, 1)
    market.take_top(DEPTH, (9, 13, 4, 4), 100, (((9, 4),), ((13, 4),)))
    market.crossed = True
    market.halt(True)
    assert (market.halted, market.plain, market.crossed, market.quoted_ns) == (True, False, False, None)
    assert (market.bid, market.ask, market.bid_size, market.ask_size, market.bids, market.asks) == (None,) * 6
    assert market.mark_units == 11
    assert (market.index.floor, market.index.ceiling) == (5, 30)
    assert market.reference(1) == 11
    market.take_quote(19, 21, None, None, 101)
    assert not market.plain
    market.halt(False)
    assert market.mark_units == 20
    assert (market.halted, market.quoted_ns) == (False, None)
    assert market.index.floor == 10


def test_what_is_older_than_a_halt_stays_late(market: Market) -> None:
    """After a halt a quote from before it is late, at its own instant it is not; a second halt never goes back."""
    market.take_quote(9, 11, None, None, 100)
    market.halt(True)
    market.halt(False)
    assert market.halted_ns == 100
    assert not market.take_quote(9, 11, None, None, 99)
    assert not market.take_quote(9, 11, None, None, 98)
    assert not top(market, 9, None, 99)
    assert market.counts["late"] == 3
    assert market.quoted_ns is None
    assert top(market, 9, None, 100)
    market.halt(True)
    market.take_quote(8, 11, None, None, 100)
    assert (market.bid_units, market.counts["late"]) == (8, 3)


@pytest.mark.parametrize("levels", [None, (((9, 4), (8, 1)), ((13, 4),))])
def test_what_stood_before_a_halt_and_is_sent_again_gives_nothing_back(market: Market, levels: Any) -> None:
    """The same quote or depth after a halt displays no new size; another level, instant or a fresh stamp does."""
    kind = QUOTE if levels is None else DEPTH
    other = (((9, 4), (8, 2)), ((13, 4),))

    def left(at_ns: int, now: Any, fresh: bool = False) -> dict[str, list[int]]:
        again = Market(Instrument("X"))
        again.take_top(kind, (9, 13, 4, 4), 100, levels)
        again.used = {"a": [3, 0]}
        again.halt(True)
        again.halt(False)
        assert again.take_top(kind, (9, 13, 4, 4), at_ns, now, fresh)
        return again.used

    assert left(100, levels) == {"a": [3, 0]}
    assert left(101, levels) == left(100, levels, fresh=True) == {}
    if levels is not None:
        assert left(100, other) == {}


# ------------------------------------------------------------------ marks


def test_the_latest_datum_gives_the_mark(market: Market) -> None:
    """The middle of a quote rounded down, a print or last price, a close: whatever came last."""
    market.take_quote(9, 12, None, None, 100)
    assert market.mark_units == 10
    market.take_trade(15, None, 101)
    assert market.mark_units == 15
    market.take_bar(bar(close=12, end_ns=102))
    assert market.mark_units == 12
    market.last_units = 14
    top(market, 13, 15, 103, PRICE)
    assert market.mark_units == 14
    assert market.marked_ns == 103
    top(market, 20, 22, 104, DEPTH)
    assert market.mark_units == 21


@pytest.mark.parametrize(
    ("bid", "ask", "mark"), [(9, None, 10), (12, None, 12), (None, 9, 9), (None, 12, 10), (None, None, 10)]
)
def test_one_side_alone_never_improves_on_what_can_be_had(
    market: Market, bid: int | None, ask: int | None, mark: int
) -> None:
    """A bid alone carries the last mark up, an ask alone down; a market of nobody keeps it."""
    market.take_quote(9, 11, None, None, 100)
    if bid is None and ask is None:
        market.halt(True)
    else:
        top(market, bid, ask, 101)
        top(market, bid, ask, 102)
    assert market.mark_units == mark


@pytest.mark.parametrize(("bid", "ask", "mark"), [(9, None, 9), (None, 11, 11), (None, None, None)])
def test_one_side_is_the_mark_where_there_was_none(
    market: Market, bid: int | None, ask: int | None, mark: int | None
) -> None:
    """The first thing known of a market is what it is marked at."""
    top(market, bid, ask, 100)
    assert market.mark_units == mark


def test_a_bar_that_was_not_taken_marks_nothing(market: Market) -> None:
    """A market that is told to look at bars before it had one has no mark."""
    market.kind = BAR
    assert market.mark_units is None


# ------------------------------------------------------------------ reading


def test_a_trader_pays_the_ask_and_gets_the_bid(market: Market) -> None:
    """Touch and reference are of the opposite side; where it is missing the mark has to do for a reference."""
    market.take_quote(9, 13, None, None, 100)
    assert (market.touch(1), market.touch(-1)) == (13, 9)
    assert (market.reference(1), market.reference(-1)) == (13, 9)
    top(market, None, 13, 101)
    assert market.touch(-1) is None
    assert market.reference(-1) == 11
    assert market.quoted_ns == 101
    market.quote_ns = 0
    assert (market.quoted_ns, market.reference(1)) == (0, 13)


def test_evidence_is_what_stood(market: Market) -> None:
    """A fill carries the kind, number, instant and values of the standing data, not of the latest print."""
    market.take_quote(9, 13, 4, 5, 100)
    market.take_trade(11, None, 101)
    assert market.evidence() == Evidence("quote", 2, 100, (9, 13, 4, 5))
    top(market, 9, 13, 102, PRICE)
    assert market.evidence().kind == "price"


def test_people_read_decimals_and_a_sentence(market: Market) -> None:
    """A market says its two sides with their sizes, and what is the matter with it."""
    assert repr(market) == "<Market X: bid nobody, ask nobody>"
    market.take_quote(9 * UNIT, 13 * UNIT, 4 * UNIT, None, 100)
    assert repr(market) == "<Market X: bid 9 × 4, ask 13>"
    assert (market.bid, market.ask, market.bid_size, market.spread) == (Decimal(9), Decimal(13), Decimal(4), Decimal(4))
    assert market.quoted_at is not None
    assert market.quoted_at == market.marked_at
    market.take_quote(14 * UNIT, 13 * UNIT, None, 5 * UNIT, 101)
    assert repr(market) == "<Market X crossed: bid 14, ask 13 × 5>"
    top(market, 9 * UNIT, None, 102)
    assert market.spread is None
    top(market, None, 9 * UNIT, 103)
    assert market.spread is None
    market.halt(True)
    assert repr(market) == "<Market X halted: bid nobody, ask nobody>"
