"""The fill rules one by one, where their words draw a line: at the price, one unit off, nothing left, no such side."""

from __future__ import annotations

from typing import Any

import pytest

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE
from papertrade.domain.words import DataKind, LiquidityRole
from papertrade.matching import rules
from papertrade.matching.auctions import Closing
from papertrade.matching.market import BarData, Market
from papertrade.matching.rules import Proposal
from papertrade.matching.settings import FillSettings

MAKER, TAKER = LiquidityRole.MAKER, LiquidityRole.TAKER
THROUGH, TOUCH = FillSettings(through_ticks=2), FillSettings(limit_fill="touch")
DEFAULT, OPEN = FillSettings(), FillSettings(gap_fill="open")
TICK = 5


def quoted(bid: int | None, ask: int | None, bid_size: int | None = None, ask_size: int | None = None) -> Market:
    market = Market(Instrument("X"))
    market.take_top(DataKind.QUOTE, (bid, ask, bid_size, ask_size), 100)
    return market


def deep() -> Market:
    """Bids 95 × 3, 90 × 4; asks 105 × 3, 110 × 4."""
    market = Market(Instrument("X"))
    levels = (((95, 3), (90, 4)), ((105, 3), (110, 4)))
    market.take_top(DataKind.DEPTH, (95, 105, 3, 3), 100, levels)
    return market


def bar(**fields: int) -> BarData:
    """Open 100, high 120, low 80, close 110."""
    fields = {"open_": 100, "high": 120, "low": 80, "close": 110, **fields}
    return BarData(volume=None, start_ns=1, end_ns=2, **fields)


def test_every_sentence_belongs_to_a_letter_and_a_digit() -> None:
    """A rule is named by what made the fill and by where the order stood; every name has its sentence."""
    assert {rule[0] for rule in rules.RULE_SENTENCES} == set(rules.LETTERS.values())
    assert {rule[1] for rule in rules.RULE_SENTENCES} == set("12345678")
    assert len(rules.RULE_SENTENCES) == 6 * 3 + 4 + 6 + 2 + 5 * 2


@pytest.mark.parametrize(("sign", "worst"), [(1, 9), (-1, 5)])
def test_the_worse_price_is_the_dearer_to_buy_and_the_cheaper_to_sell(sign: int, worst: int) -> None:
    """Where two prices could be had, the trader gets the worse of them."""
    assert rules.worse(sign, 5, 9) == rules.worse(sign, 9, 5) == worst


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_is_kept_to_the_unit(sign: int) -> None:
    """At the limit is within it, one unit worse is not; no limit holds anything."""
    assert [rules.within(sign, 100 + sign * off, 100) for off in (-1, 0, 1)] == [True, True, False]
    assert rules.within(sign, 10**9, None)


def test_a_side_that_is_not_there_gives_nothing() -> None:
    """Without an opposite side, in a crossed or in a halted market, no rule of standing data fills anything."""
    crossed, halted, half = quoted(110, 90), quoted(90, 110), quoted(None, 110)
    halted.halt(True)
    halted.bid_units, halted.ask_units = 90, 110
    for market, sign in ((crossed, 1), (crossed, -1), (halted, 1), (halted, -1), (half, -1)):
        assert not rules.standing(market, sign)
        assert rules.fill_on_standing(market, sign, "1", None, None, 0) == []
        assert rules.fill_resting_limit(market, sign, 10**9 if sign > 0 else 0, 0) == []
    assert rules.standing(half, 1)
    assert rules.standing(quoted(100, 100), 1)


@pytest.mark.parametrize(("sign", "price", "size"), [(1, 110, 7), (-1, 90, 5)])
def test_an_order_takes_the_opposite_side_and_what_is_left_of_it(sign: int, price: int, size: int) -> None:
    """Q1: the opposite price, up to its size less what was taken; nothing when all was taken; slips without a limit."""
    market = quoted(90, 110, 5, 7)
    for used, left in ((0, size), (2, size - 2), (size - 1, 1)):
        assert rules.fill_on_standing(market, sign, "1", None, None, used) == [
            Proposal("Q1", price, left, TAKER, True, None)
        ]
    for used in (size, size + 1):
        assert rules.fill_on_standing(market, sign, "1", None, None, used) == []
    assert rules.fill_on_standing(quoted(90, 110, 0, 0), sign, "1", None, None, 0) == []
    assert rules.fill_on_standing(quoted(90, 110), sign, "1", None, None, 3) == [
        Proposal("Q1", price, None, TAKER, True, None)
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_takes_at_its_limit_or_better_and_a_stop_never_better_than_its_trigger(sign: int) -> None:
    """Q3 and Q6: at the limit it fills, one unit beyond it does not; the trigger is the best price of a stop."""
    market = quoted(100, 100)
    assert rules.fill_on_standing(market, sign, "3", 100 - sign, None, 0) == []
    for limit in (100, 100 + sign):
        at_limit = rules.fill_on_standing(market, sign, "3", limit, None, 0)
        assert at_limit == [Proposal("Q3", 100, None, TAKER, False, limit)]
    assert rules.fill_on_standing(market, sign, "5", None, 100 + sign, 0)[0].price_units == 100 + sign
    assert rules.fill_on_standing(market, sign, "5", None, 100 - sign, 0)[0].price_units == 100
    assert rules.fill_on_standing(market, sign, "6", 100, 100 + sign, 0) == []


def test_levels_are_swept_best_first_after_what_was_taken() -> None:
    """D1: what was taken counts from the best level on; a level that is used up proposes nothing."""
    def sweep(sign: int, limit: int | None, trigger: int | None, used: int) -> list[tuple[int, int | None]]:
        found = rules.fill_on_standing(deep(), sign, "1", limit, trigger, used)
        assert all(p.rule == "D1" and p.role is TAKER and p.slips is (limit is None) for p in found)
        assert all(p.limit_units == limit for p in found)
        return [(p.price_units, p.size_units) for p in found]

    assert sweep(1, None, None, 0) == [(105, 3), (110, 4)]
    assert sweep(-1, None, None, 0) == [(95, 3), (90, 4)]
    assert sweep(1, None, None, 2) == [(105, 1), (110, 4)]
    assert sweep(1, None, None, 3) == [(110, 4)]
    assert sweep(1, None, None, 5) == [(110, 2)]
    assert sweep(1, None, None, 7) == []
    assert sweep(1, 109, None, 0) == [(105, 3)]
    assert sweep(1, 110, None, 0) == [(105, 3), (110, 4)]
    assert sweep(1, None, 107, 0) == [(107, 3), (110, 4)]
    assert sweep(-1, None, 93, 0) == [(93, 3), (90, 4)]
    assert sweep(1, 106, 107, 0) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_resting_limit_fills_at_itself_within_what_is_displayed(sign: int) -> None:
    """Q4: at or through the limit, at the limit, as maker, up to the size that is left."""
    limit = 100
    for off, fills in ((-1, True), (0, True), (1, False)):
        market = quoted(100 + sign * off, 100 + sign * off, 7, 7)
        expected = [Proposal("Q4", limit, 7, MAKER, False, limit)] if fills else []
        assert rules.fill_resting_limit(market, sign, limit, 0) == expected
    market = quoted(100, 100, 7, 7)
    assert rules.fill_resting_limit(market, sign, limit, 6)[0].size_units == 1
    assert rules.fill_resting_limit(market, sign, limit, 7) == []
    assert rules.fill_resting_limit(quoted(100, 100), sign, limit, 7)[0].size_units is None


def test_a_resting_limit_meets_all_levels_at_or_through_it() -> None:
    """D4: the sizes of every level within the limit together, less what was taken."""
    sizes = [p.size_units for limit in (104, 105, 109, 110) for p in rules.fill_resting_limit(deep(), 1, limit, 0)]
    assert sizes == [3, 3, 7]
    assert rules.fill_resting_limit(deep(), -1, 90, 2) == [Proposal("D4", 90, 5, MAKER, False, 90)]


# ------------------------------------------------------------------ prints


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("settings", "least"), [(THROUGH, 2 * TICK), (TOUCH, 0), (FillSettings(), TICK)])
def test_through_means_so_many_ticks_beyond(sign: int, settings: FillSettings, least: int) -> None:
    """By ``through`` a price has to go the ticks beyond the limit, by ``touch`` only to reach it."""
    for off, fills in ((least - 1, False), (least, True), (least + 1, True)):
        assert rules.goes_through(100 - sign * off, sign, 100, settings, TICK) is fills
        expected = [Proposal("P4", 100, 9, MAKER, False, 100)] if fills else []
        assert rules.fill_limit_on_trade(100 - sign * off, 9, 0, sign, 100, settings, TICK) == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_a_print_at_the_limit_needs_a_trader_of_the_other_side(sign: int) -> None:
    """P4 by touch: at the limit a buyer took from sellers, not from us; beyond it we were passed all the same."""
    def fills(price: int, aggressor: int) -> bool:
        return bool(rules.fill_limit_on_trade(price, None, aggressor, sign, 100, TOUCH, TICK))

    assert [fills(100, who) for who in (sign, -sign, 0)] == [False, True, True]
    assert [fills(100 - sign, who) for who in (sign, -sign, 0)] == [True, True, True]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_print_gives_its_price_or_the_trigger_if_that_is_worse(sign: int) -> None:
    """P2, P5, P6: the print, never better than the trigger, and never beyond the limit."""
    assert rules.fill_on_trade(100, 9, sign, "2", None, None) == [Proposal("P2", 100, 9, TAKER, True, None)]
    assert rules.fill_on_trade(100, 9, sign, "5", None, 100 + sign)[0].price_units == 100 + sign
    assert rules.fill_on_trade(100, 9, sign, "5", None, 100 - sign)[0].price_units == 100
    assert rules.fill_on_trade(100, 9, sign, "6", 100, None) == [Proposal("P6", 100, 9, TAKER, False, 100)]
    assert rules.fill_on_trade(100, 9, sign, "6", 100 - sign, None) == []


# ---------------------------------------------------------------- auctions


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("settings", "least"), [(THROUGH, 1), (FillSettings(), 1), (TOUCH, 0)])
def test_an_auction_has_one_price_for_all_who_offer_better(sign: int, settings: FillSettings, least: int) -> None:
    """A2, A4: at that price, as a taker; at the limit itself by touch only, and ``through_ticks`` says nothing."""
    for off in (-1, 0, 1):
        limit = 100 + sign * off
        expected = [Proposal("A4", 100, 9, TAKER, False, limit)] if off >= least else []
        assert rules.fill_in_auction("A4", 100, 9, sign, limit, settings) == expected
    assert rules.fill_in_auction("A2", 100, None, sign, None, settings) == [
        Proposal("A2", 100, None, TAKER, True, None)
    ]


def test_what_stood_at_the_close_gives_its_opposite_side() -> None:
    """Q8: within the limit, without a size; a side on which nobody stood gives nothing."""
    closing = Closing(1, "Q", (105, None), (), (None, 105))
    assert rules.fill_at_last_quote(closing, 1, 105) == [Proposal("Q8", 105, None, TAKER, False, 105)]
    assert rules.fill_at_last_quote(closing, 1, None) == [Proposal("Q8", 105, None, TAKER, True, None)]
    assert rules.fill_at_last_quote(closing, 1, 104) == rules.fill_at_last_quote(closing, -1, None) == []


# ------------------------------------------------------------------ bars


def test_a_share_of_the_volume_in_whole_lots() -> None:
    """One account takes at most its share of a bar, cut to lots; a bar without volume sets no bound."""
    lots = Instrument("X", lot_size=5)
    settings = FillSettings(participation="0.1")
    volume = BarData(1, 1, 1, 1, 99 * SCALE, 1, 2)
    assert rules.bar_budget(volume, lots, settings) == 5 * SCALE
    assert rules.bar_budget(bar(), lots, settings) is None
    assert rules.bar_budget(BarData(1, 1, 1, 1, 0, 1, 2), lots, settings) == 0


def test_a_market_order_fills_at_the_open_or_by_setting_at_the_close() -> None:
    """B2 and B1: as taker, with slippage, without a bound of its own."""
    assert rules.fill_market_on_bar(bar()) == [Proposal("B2", 100, None, TAKER, True, None)]
    assert rules.fill_market_at_close(bar()) == [Proposal("B1", 110, None, TAKER, True, None)]


BUY_LOW: tuple[Any, ...] = (1, {"open_": 100, "low": 80, "high": 200})
SELL_HIGH: tuple[Any, ...] = (-1, {"open_": 100, "high": 120, "low": 1})


@pytest.mark.parametrize(("sign", "fields"), [BUY_LOW, SELL_HIGH])
def test_a_resting_limit_on_a_bar(sign: int, fields: dict[str, int]) -> None:
    """B3 where the open jumped over it, B4 where the extreme went through it, and nothing where it was only touched."""
    seen = bar(**fields)

    def fill(limit: int, post_only: bool = False, settings: FillSettings = DEFAULT) -> list[Proposal]:
        return rules.fill_limit_on_bar(seen, sign, limit, post_only, settings, TICK)

    jumped, extreme = 100 + sign * TICK, 100 - sign * 20
    assert fill(jumped) == fill(jumped, True, OPEN) == [Proposal("B3", jumped, None, MAKER, False, jumped)]
    assert fill(jumped, False, OPEN) == [Proposal("B3", 100, None, TAKER, False, jumped)]
    passed = extreme + sign * TICK
    assert fill(jumped - sign) == [Proposal("B4", jumped - sign, None, MAKER, False, jumped - sign)]
    assert fill(passed, False, OPEN) == [Proposal("B4", passed, None, MAKER, False, passed)]
    assert fill(passed - sign) == []
    assert fill(extreme, settings=TOUCH) == [Proposal("B4", extreme, None, MAKER, False, extreme)]


@pytest.mark.parametrize(("sign", "extreme"), [(1, 120), (-1, 80)])
def test_a_stop_on_a_bar(sign: int, extreme: int) -> None:
    """B5: a touch of the extreme is enough; at the trigger, or at an open that is at or beyond it."""
    assert [rules.bar_reaches_stop(bar(), sign, extreme + sign * off) for off in (-1, 0, 1)] == [True, True, False]
    assert [rules.opens_beyond(bar(), sign, 100 + sign * off) for off in (-1, 0, 1)] == [True, True, False]
    at = {off: rules.fill_stop_on_bar(bar(), sign, 100 + sign * off) for off in (-5, 0, 5)}
    assert at == {
        -5: [Proposal("B5", 100, None, TAKER, True, None)],
        0: [Proposal("B5", 100, None, TAKER, True, None)],
        5: [Proposal("B5", 100 + sign * 5, None, TAKER, True, None)],
    }


@pytest.mark.parametrize("sign", [1, -1])
def test_a_stop_limit_on_a_bar(sign: int) -> None:
    """B6: at the trigger or a gapped open within the limit; else at the limit, on what surely follows the trigger."""
    far, close = 100 - sign * 20, 100 + sign * 10
    seen = bar(high=120, low=80, close=close)

    def fill(trigger: int, limit: int, settings: FillSettings = DEFAULT) -> list[Proposal]:
        return rules.fill_stop_limit_on_bar(seen, sign, trigger, limit, settings, TICK)

    trigger = 100 + sign * 15
    assert fill(trigger, trigger) == [Proposal("B6", trigger, None, TAKER, False, trigger)]
    # Gapped: the whole bar follows the trigger, so the far end may reach a limit that the open missed.
    assert fill(100 - sign * 2, 100) == [Proposal("B6", 100, None, TAKER, False, 100)]
    gapped = 100 - sign * 2
    assert fill(gapped, gapped) == [Proposal("B6", gapped, None, MAKER, False, gapped)]
    assert fill(gapped, far + sign * TICK) == [Proposal("B6", far + sign * TICK, None, MAKER, False, far + sign * TICK)]
    assert fill(gapped, far + sign * (TICK - 1)) == []
    # Not gapped: only the close surely follows.
    below = close + sign * TICK
    assert fill(below + sign, below) == [Proposal("B6", below, None, MAKER, False, below)]
    assert fill(below + sign, below - sign) == []
    assert fill(below + sign, close, TOUCH) == [Proposal("B6", close, None, MAKER, False, close)]


def test_the_band_ends_where_nobody_is_on_the_other_side() -> None:
    """At the upper end of the day's band a buyer finds no seller, at the lower end a seller no buyer."""
    banded = Instrument("X", price_band=("90", "110"))
    top, bottom = 110 * SCALE, 90 * SCALE
    assert [rules.at_band(price, 1, banded) for price in (top - 1, top, top + 1, bottom)] == [False, True, True, False]
    assert [rules.at_band(price, -1, banded) for price in (bottom + 1, bottom, bottom - 1, top)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not rules.at_band(top, 1, Instrument("X"))
