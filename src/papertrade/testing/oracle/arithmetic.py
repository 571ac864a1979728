"""Money with fractions: each figure is worked out exactly and rounded once, where the docs say so."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from papertrade.domain.instruments import Instrument
from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import FeeModel, NoFees
from papertrade.ledger.margin import CashModel, FlatMargin, MarginModel
from papertrade.matching.models import NoSlippage, SlippageModel
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage

ONE = 10**9  # units in 1.0 of a price, a quantity or a currency

Lines = list[tuple[str, int]]


# --------------------------------------------------------------- roundings


def nearest(exact: Fraction, step: int) -> int:
    """To a whole number of steps, halves away from zero."""
    size = floor(abs(exact) / step + Fraction(1, 2)) * step
    return size if exact >= 0 else -size


def up(exact: Fraction, step: int = 1) -> int:
    """To a whole number of steps, towards +∞."""
    return ceil(exact / step) * step


def down(exact: Fraction, step: int = 1) -> int:
    """To a whole number of steps, towards -∞."""
    return floor(exact / step) * step


def share(amount: int, part: int, whole: int, step: int) -> int:
    """What a part of something carries of its amount: whole steps, cut towards zero; the rest carries the rest."""
    size = floor(Fraction(abs(amount) * part, whole) / step) * step
    return size if amount >= 0 else -size


# ------------------------------------------------------------- instruments


def minor(instrument: Instrument) -> int:
    """Units in the smallest amount of the currency."""
    return int(10 ** (9 - instrument.currency.decimals))


def exact_value(instrument: Instrument, price: int, quantity: int) -> Fraction:
    """price × quantity × multiplier, in units of money."""
    return Fraction(price * quantity, ONE) * Fraction(instrument.multiplier)


def value(instrument: Instrument, price: int, quantity: int) -> int:
    """The same, rounded to the smallest amount of the currency."""
    return nearest(exact_value(instrument, price, quantity), minor(instrument))


def value_up(instrument: Instrument, price: int, quantity: int) -> int:
    """The same, rounded up: for holds."""
    return up(exact_value(instrument, price, quantity), minor(instrument))


def whole_lots(instrument: Instrument, quantity: int) -> int:
    """A quantity without its broken lot."""
    return quantity - quantity % instrument.lot_units


def lots_for(instrument: Instrument, money: int, price: int) -> int:
    """The quantity of whole lots that an amount of money buys."""
    each = exact_value(instrument, price, instrument.lot_units)
    paid = down(Fraction(money), minor(instrument))
    return max(0, floor(paid / each)) * instrument.lot_units


def settled_price(instrument: Instrument, base: int, slipped: int, sign: int) -> int:
    """Slipped no further than the band and no better than without; on the tick against the trader, above zero."""
    price = slipped
    if instrument.band_units is not None and slipped != base:
        lowest, highest = instrument.band_units
        price = max(lowest, min(highest, slipped))
    price = max(price, base) if sign > 0 else min(price, base)
    tick = instrument.tick_units
    price = up(Fraction(price), tick) if sign > 0 else down(Fraction(price), tick)
    return max(price, tick)


# -------------------------------------------------- slippage, fees, margin


def slippage(
    model: SlippageModel, instrument: Instrument, price: int, bid: int | None, ask: int | None
) -> int:
    """How far the price moves against the trader."""
    if isinstance(model, NoSlippage):
        return 0
    if isinstance(model, TickSlippage):
        return model.ticks * instrument.tick_units
    if isinstance(model, BasisPointSlippage):
        return up(price * Fraction(model.basis_points) / 10_000)
    if isinstance(model, SpreadSlippage):
        if bid is None or ask is None or ask < bid:
            return 0
        return up((ask - bid) * Fraction(model.share))
    raise NotImplementedError(f"the oracle knows no slippage model {model.name!r}")


def fees_owed(model: FeeModel, quantity: int, worth: int, made: int, step: int) -> Lines:
    """What an order owes that filled this quantity, worth this much, of which this much as maker."""
    if isinstance(model, NoFees):
        return []
    if isinstance(model, FeeSchedule):
        return [line for part in model.lines for line in fees_owed(part, quantity, worth, made, step)]
    if isinstance(model, MakerTakerFee):
        exact = Fraction(model.maker) * made + Fraction(model.taker) * (worth - made)
        return [(model.kind, nearest(exact, step))]
    if not isinstance(model, (PerUnitFee, PercentFee)):
        raise NotImplementedError(f"the oracle knows no fee model {model.name!r}")
    if not quantity:
        return [(model.kind, 0)]
    # A fee per unit is money per 1.0 of quantity, and both are counted in units of the same size.
    fee = nearest(Fraction(model.rate) * (quantity if isinstance(model, PerUnitFee) else worth), step)
    least = Fraction(model.minimum) * ONE
    if fee < least:
        fee = up(least, step)
    if model.cap is not None and fee > Fraction(model.cap) * ONE:
        fee = down(Fraction(model.cap) * ONE, step)
    return [(model.kind, fee)]


def initial_margin(model: MarginModel, instrument: Instrument, quantity: int, price: int) -> int:
    """What has to be there to open this much at this price."""
    worth = value(instrument, price, abs(quantity))
    if isinstance(model, CashModel):
        return worth
    if isinstance(model, FlatMargin):
        return up(worth * Fraction(model.initial_fraction), minor(instrument))
    raise NotImplementedError(f"the oracle knows no margin model {model.name!r}")


def maintenance_margin(model: MarginModel, instrument: Instrument, quantity: int, price: int) -> int:
    """What has to be there to keep it."""
    if not isinstance(model, FlatMargin):
        return 0
    worth = value(instrument, price, abs(quantity))
    return up(worth * Fraction(model.maintenance_fraction), minor(instrument))
