"""Setups and commands drawn by a seeded ``random.Random``: the same seed gives the same run, for ever.

A draw looks at the oracle to stay within what makes sense (it cancels orders that exist, links orders that can be
linked), and otherwise leans on what is awkward: sizes that run out, prices on each other's heels, late data, halts.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random

import attrs

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import CURRENCIES, Currency
from papertrade.domain.numbers import to_decimal
from papertrade.domain.words import OutsideHours
from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import FeeModel, NoFees
from papertrade.ledger.margin import CashModel, FlatMargin, MarginModel
from papertrade.ledger.settlement import Settlement
from papertrade.matching.models import NoSlippage
from papertrade.matching.settings import FillSettings
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage
from papertrade.risk.limits import RiskLimits
from papertrade.risk.products import Product
from papertrade.risk.square_off import SquareOff
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.vocabulary import Setup
from papertrade.testing.short_hours import ShortHours

SECOND = 1_000_000_000
START = 1_767_603_600 * SECOND  # 2026-01-05T09:00Z, a Monday


def draw_setup(rng: Random) -> Setup:
    """An account with its rules, and one to three instruments."""
    currency = CURRENCIES[rng.choice(("USD", "USD", "JPY", "USDT"))]
    count = rng.choice((1, 1, 2, 3))
    instruments = tuple(_instrument(rng, f"S{number}", currency) for number in range(count))
    return _rules(rng, instruments, currency)


def with_hours(rng: Random, setup: Setup) -> Setup:
    """The same, with instruments that open and close many times a day; now and then one never closes."""
    hours = ShortHours()
    instruments = tuple(
        attrs.evolve(instrument, calendar=hours.name) if rng.random() < 0.8 else instrument
        for instrument in setup.instruments
    )
    policy = rng.choice(list(OutsideHours))
    fill = attrs.evolve(setup.fill, auction_price=rng.choice(("any", "any", "official")))
    rule = None
    if rng.random() < 0.4:
        minutes = rng.choice((1, 3, 8))
        before = rng.choice((0, 2, 5))
        warned = before + rng.choice((0, 4))
        rule = SquareOff(minutes_before_close=minutes, reduce_only_minutes=before, warn_minutes=warned)
    # By a chance of its own: what else is drawn stays what it was.
    points = "session" if Random(setup.cash_units + 1).random() < 0.4 else setup.equity_points
    changed = attrs.evolve(setup, instruments=instruments, hours=hours, fill=fill, equity_points=points)
    return attrs.evolve(changed, outside_hours=policy, square_off=rule)


def with_products(rng: Random, setup: Setup) -> Setup:
    """The same account with two or three products, some of them long only, some squared off by rules of their own."""
    products = []
    for name in rng.sample(("CNC", "MIS", "NRML"), rng.choice((2, 3))):
        rule: tuple[SquareOff, ...] | None = None
        if setup.hours is not None and rng.random() < 0.5:
            minutes, warned = rng.choice((3, 8)), rng.choice((2, 9))
            rule = (SquareOff(minutes_before_close=minutes, reduce_only_minutes=2, warn_minutes=warned),)
            if warned == 9:  # of several the first that is for the calendar
                elsewhere = SquareOff(minutes_before_close=1, calendars="ELSEWHERE")
                rule = (elsewhere, *rule, SquareOff(minutes_before_close=5))
        products.append(Product(name, shorting=rng.choice((None, None, False)), square_off=rule))
    return attrs.evolve(setup, products=tuple(products))


def with_settlement(rng: Random, setup: Setup) -> Setup:
    """The same, with trades that settle later; what has not settled may be used, or not."""
    shorter, longer = {"0001-01-01": "T+2", "2026-01-06": "T+1"}, {"0001-01-01": 0, "2026-01-07": 3}
    cycles = ("T+1", "T+1", "T+2", "T+0", shorter, longer)
    rule = Settlement(
        rng.choice(cycles),
        unsettled_cash=rng.choice(("use", "use", "use", "refuse")),
        unsettled_shares=rng.choice(("sell", "sell", "sell", "refuse")),
        on_violation=rng.choice(("note", "restrict")),
        most_violations=rng.choice((1, 3)),
        restricted_days=rng.choice((1, 3)),
        calendars=rng.choice((None, None, ShortHours.name)),
    )
    if rng.random() < 0.3:
        return attrs.evolve(setup, settlement=rule)
    # Mostly a cash account that has no more than it can spend: its sales pay for what it buys.
    step = setup.currency.minor_units
    cash = setup.cash_units // rng.choice((2, 5, 10)) // step * step
    return attrs.evolve(setup, settlement=rule, margin=CashModel(), cash_units=cash)


def draw_neighbor(rng: Random, setup: Setup, account: str) -> Setup:
    """Another account on the same exchange: the same markets and clock, rules of its own."""
    other = _rules(rng, setup.instruments, setup.currency)
    fill = attrs.evolve(other.fill, half_spread_bp=setup.fill.half_spread_bp)
    return attrs.evolve(other, account=account, fill=fill, data_clock=setup.data_clock, start_ns=setup.start_ns)


def _rules(rng: Random, instruments: tuple[Instrument, ...], currency: Currency) -> Setup:
    worth = max(currency.minor_units, *(money.value(i, middle(i), i.lot_units) for i in instruments))
    margin = _margin(rng)
    # A margin account is drawn poor, so that it gets into trouble now and then.
    cash = worth * rng.choice((1, 3, 8, 20) if margin.marked_to_market else (0, 8, 30, 60, 500))
    return Setup(
        instruments=instruments,
        cash_units=min(cash, 10**23),
        currency=currency,
        margin=margin,
        fees=_fees(rng),
        limits=_limits(rng, instruments[0], worth),
        fill=_fill(rng),
        cost_method=rng.choice(("average", "fifo")),
        trading_day=rng.choice(
            (TradingDay(), TradingDay("Asia/Kolkata"), TradingDay("America/New_York", "17:00"))
        ),
        data_clock=rng.random() < 0.7,
        start_ns=0,
        equity_points=Random(cash).choice(("off", "off", "on change", "1m", "1h")),
    )


def middle(instrument: Instrument) -> int:
    """The price about which an instrument is drawn to trade."""
    if instrument.band_units is not None:
        lowest, highest = instrument.band_units
        return (lowest + highest) // 2 // instrument.tick_units * instrument.tick_units
    return 1_000 * instrument.tick_units


def _instrument(rng: Random, symbol: str, currency: Currency) -> Instrument:
    tick = rng.choice(("0.01", "0.05", "0.5", "1"))
    lot = rng.choice(("1", "1", "10", "0.1", "0.001"))
    units, size = Fraction(tick) * money.ONE, Fraction(lot) * money.ONE
    middle_ticks = 1_000
    banded = rng.random() < 0.25
    width = rng.choice((5, 20, 100))
    band = (int(units * (middle_ticks - width)), int(units * (middle_ticks + width)))
    return Instrument(
        symbol,
        currency=currency,
        tick_size=tick,
        lot_size=lot,
        multiplier=rng.choice(("1", "1", "1", "100", "0.1")),
        min_quantity=to_decimal(int(size * 2)) if rng.random() < 0.15 else None,
        max_quantity=to_decimal(int(size * 25)) if rng.random() < 0.15 else None,
        price_band=(to_decimal(band[0]), to_decimal(band[1])) if banded else None,
    )


def _margin(rng: Random) -> MarginModel:
    if rng.random() < 0.45:
        return CashModel()
    initial, maintenance = rng.choice((("0.5", "0.25"), ("0.2", "0.1"), ("1", "1"), ("0.1", "0.09")))
    return FlatMargin(initial=initial, maintenance=maintenance)


def _fees(rng: Random) -> FeeModel:
    kinds: list[FeeModel] = [
        NoFees(),
        PerUnitFee("0.05", minimum=rng.choice((0, 1)), cap=rng.choice((None, 3))),
        PercentFee("0.001", minimum=rng.choice((0, 2)), cap=rng.choice((None, 5))),
        MakerTakerFee(maker="-0.0002", taker="0.0005"),
        FeeSchedule((PercentFee("0.0003", cap=20), PerUnitFee("0.001", kind="exchange"))),
    ]
    return rng.choice(kinds)


def _limits(rng: Random, instrument: Instrument, worth: int) -> RiskLimits:
    if rng.random() < 0.5:
        return RiskLimits()

    def maybe(chance: float, units: int) -> Decimal | None:
        return to_decimal(units) if rng.random() < chance else None

    lot = instrument.lot_units
    return RiskLimits(
        max_order_quantity=maybe(0.2, 15 * lot),
        max_order_notional=maybe(0.2, 12 * worth),
        max_open_orders=4 if rng.random() < 0.2 else None,
        max_position=maybe(0.2, 25 * lot),
        max_gross_notional=maybe(0.2, 40 * worth),
        max_daily_loss=maybe(0.4, max(worth // rng.choice((1, 10, 100)), 1)),
        max_drawdown=maybe(0.4, max(worth // rng.choice((1, 10, 100)), 1)),
    )


def _fill(rng: Random) -> FillSettings:
    if rng.random() < 0.25:
        return FillSettings.preset(rng.choice(("strict", "realistic", "lenient")))

    def flip(*words: str) -> str:
        return rng.choice(words)

    return FillSettings(
        name="drawn",
        limit_fill=flip("through", "touch"),
        through_ticks=rng.choice((1, 2)),
        gap_fill=flip("limit", "open"),
        intrabar=flip("adverse", "adaptive", "ohlc", "olhc"),
        bar_entry=flip("open", "close"),
        displayed_size=flip("respect", "respect", "ignore"),
        missing_size=flip("full", "full", "refuse"),
        participation=rng.choice(("0.1", "0.5", "1")),
        half_spread_bp=rng.choice((0, 5, 25)),
        stop_trigger=flip("any", "last"),
        stop_through=flip("reject", "trigger"),
        oco_partial=flip("reduce", "cancel"),
        over_funds=flip("refuse", "fit"),
        hold_collar=rng.choice(("0", "0.05", "0.333")),
        max_quote_age_s=rng.choice((None, None, "0.5", 60)),
        slippage=rng.choice((NoSlippage(), TickSlippage(2), BasisPointSlippage(7), SpreadSlippage("0.5"))),
    )
