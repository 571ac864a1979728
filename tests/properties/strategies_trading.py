"""Hypothesis vocabulary for trading: small, awkward instruments, settings, orders and data, which shrink well.

Prices are drawn as ticks around a middle and quantities as lots, so a failing example reads like a story.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import NoFees
from papertrade.ledger.margin import CashModel, FlatMargin
from papertrade.matching.models import NoSlippage
from papertrade.matching.settings import FillSettings
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage
from papertrade.risk.limits import RiskLimits
from papertrade.testing.oracle import Setup
from papertrade.testing.oracle import vocabulary as say

SECOND = 1_000_000_000
START = 1_767_603_600 * SECOND
MIDDLE = 1_000  # the price in ticks about which everything is drawn

ticks = st.integers(-8, 8).map(lambda n: MIDDLE + n)
lots = st.integers(1, 12)
sides = st.sampled_from((1, -1))
pauses = st.sampled_from((0, 1, SECOND, 90 * SECOND, 40_000 * SECOND))

TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}


@st.composite
def instruments(draw: st.DrawFn, symbol: str = "X") -> Instrument:
    """An instrument with a tick, a lot and a multiplier that do not divide each other nicely."""
    tick = draw(st.sampled_from(("0.01", "0.05", "1")))
    middle = Decimal(tick) * MIDDLE
    band = draw(st.sampled_from((None, 4, 30)))
    return Instrument(
        symbol,
        tick_size=tick,
        lot_size=draw(st.sampled_from(("1", "10", "0.001"))),
        multiplier=draw(st.sampled_from(("1", "100", "0.1"))),
        price_band=None if band is None else (middle - band * Decimal(tick), middle + band * Decimal(tick)),
    )


fill_settings = st.builds(
    FillSettings,
    limit_fill=st.sampled_from(("through", "touch")),
    through_ticks=st.sampled_from((1, 2)),
    gap_fill=st.sampled_from(("limit", "open")),
    intrabar=st.sampled_from(("adverse", "adaptive", "ohlc", "olhc")),
    bar_entry=st.sampled_from(("open", "close")),
    displayed_size=st.sampled_from(("respect", "ignore")),
    missing_size=st.sampled_from(("full", "refuse")),
    participation=st.sampled_from(("0.1", "1")),
    half_spread_bp=st.sampled_from((0, 5)),
    stop_trigger=st.sampled_from(("any", "last")),
    stop_through=st.sampled_from(("reject", "trigger")),
    oco_partial=st.sampled_from(("reduce", "cancel")),
    over_funds=st.sampled_from(("refuse", "fit")),
    hold_collar=st.sampled_from(("0", "0.05")),
    max_quote_age_s=st.sampled_from((None, 60)),
    slippage=st.sampled_from((NoSlippage(), TickSlippage(1), BasisPointSlippage(3), SpreadSlippage("0.5"))),
)
fees = st.sampled_from(
    (
        NoFees(),
        PerUnitFee("0.05", minimum=1, cap=3),
        PercentFee("0.001", minimum=1),
        MakerTakerFee(maker="-0.0002", taker="0.0005"),
        FeeSchedule((PercentFee("0.0003", cap=20), PerUnitFee("0.001", kind="exchange"))),
    )
)
margins = st.sampled_from((CashModel(), FlatMargin(), FlatMargin(initial="0.1", maintenance="0.09")))
limits = st.sampled_from(
    (
        RiskLimits(),
        RiskLimits(max_order_quantity=50, max_open_orders=3),
        RiskLimits(max_position=80, max_gross_notional=100_000),
        RiskLimits(max_daily_loss=1, max_drawdown="0.5"),
    )
)


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    """An account with one or two instruments and its rules."""
    listed = tuple(draw(instruments(symbol)) for symbol in draw(st.sampled_from((("X",), ("X", "Y")))))
    return Setup(
        instruments=listed,
        cash_units=draw(st.sampled_from((100, 10_000, 10_000_000))) * 10**9,
        margin=draw(margins),
        fees=draw(fees),
        limits=draw(limits),
        fill=draw(fill_settings),
        cost_method=draw(st.sampled_from(("average", "fifo"))),
    )


def market_data(instrument: Instrument, at: int) -> st.SearchStrategy[say.Command]:
    """Any datum of an instrument at an instant."""
    symbol, tick, lot = instrument.symbol, instrument.tick_units, instrument.lot_units
    price = ticks.map(lambda n: n * tick)
    size = st.one_of(st.none(), lots.map(lambda n: n * lot))
    return st.one_of(
        st.builds(
            lambda bid, spread, bs, asz: say.Quote(symbol, bid, bid + spread * tick, bs, asz, at),
            price, st.sampled_from((1, 2, 0, 4, -1)), size, size,
        ),
        st.builds(lambda p, n, one: say.Quote(symbol, *((p, None) if one else (None, p)), None, n, at),
                  price, st.none(), st.booleans()),
        st.builds(lambda p: say.LastPrice(symbol, p, at), price),
        st.builds(lambda p, n, who: say.Print(symbol, p, n, who, at), price, size, st.sampled_from((0, 1, -1))),
        st.builds(
            lambda o, c, up, dn, v, s: say.Bar(
                symbol, o, max(o, c) + up * tick, min(o, c) - dn * tick, c, v, None if s is None else at - s, at
            ),
            price, price, st.integers(0, 6), st.integers(0, 6),
            st.sampled_from((None, 0, 5, 100)).map(lambda n: None if n is None else n * lot),
            st.sampled_from((None, 0, 60 * SECOND)),
        ),
        st.builds(
            lambda top, gap, bids, asks: say.Depth(
                symbol,
                tuple((top - n * tick, size * lot) for n, size in enumerate(bids)),
                tuple((top + (gap + n) * tick, size * lot) for n, size in enumerate(asks)),
                at,
            ),
            price, st.integers(1, 3), st.lists(lots, min_size=1, max_size=3), st.lists(lots, max_size=3),
        ),
    )  # fmt: skip


@st.composite
def order_terms(draw: st.DrawFn, instrument: Instrument, now: int, rests: bool = False, linked: int = 0) -> OrderTerms:
    """An order for an instrument: any type, any time in force, now and then off the tick or by an amount of money."""
    tick, lot = instrument.tick_units, instrument.lot_units
    limit = draw(st.one_of(st.none(), ticks.map(lambda n: n * tick)))
    stop = draw(st.one_of(st.none(), st.none(), ticks.map(lambda n: n * tick)))
    if limit is not None and draw(st.integers(0, 30)) == 30:
        limit += 1
    may = [TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD]
    if not rests:
        may += [TimeInForce.IOC, TimeInForce.FOK]
    tif = draw(st.sampled_from(may))
    kind = TYPES[limit is not None, stop is not None]
    by_money = draw(st.integers(0, 12)) == 12
    quantity = draw(lots) * lot
    return OrderTerms(
        symbol=instrument.symbol,
        sign=draw(sides),
        type=kind,
        quantity_units=0 if by_money else quantity,
        notional_units=quantity * MIDDLE if by_money else None,
        limit_units=limit,
        stop_units=stop,
        tif=tif,
        expires_ns=now + draw(st.sampled_from((60, 0, 100_000))) * SECOND if tif is TimeInForce.GTD else None,
        post_only=kind is OrderType.LIMIT and tif in may[:3] and draw(st.integers(0, 6)) == 6,
        reduce_only=draw(st.integers(0, 6)) == 6,
        oco_with=linked,
        client_order_id=None,
        tags=(),
    )
