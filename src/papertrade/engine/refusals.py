"""Why an order is refused for what it is: its size, its prices, its conditions. Exact division, no tolerance."""

from __future__ import annotations

from papertrade.domain.events import Numbers
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.engine.funds import closable
from papertrade.engine.hours import refuse_hours
from papertrade.engine.step import Step
from papertrade.engine.triggers import arrival_trigger, is_fresh, reaches
from papertrade.matching.market import Market

Refused = tuple[RejectReason, Numbers]
"""A reason and the numbers compared, in units."""


def refuse_size(instrument: Instrument, quantity: int) -> Refused | None:
    """Lots, minimum and maximum, by exact division."""
    if quantity % instrument.lot_units:
        return RejectReason.NOT_A_LOT_MULTIPLE, (("quantity", quantity), ("lot", instrument.lot_units))
    if quantity < instrument.min_units:
        return RejectReason.BELOW_MINIMUM_QUANTITY, (("quantity", quantity), ("minimum", instrument.min_units))
    most = instrument.max_units
    if most is not None and quantity > most:
        return RejectReason.ABOVE_MAXIMUM_QUANTITY, (("quantity", quantity), ("maximum", most))
    return None


def refuse_prices(instrument: Instrument, limit: int | None, stop: int | None) -> Refused | None:
    """Ticks and the day's band, by exact division."""
    tick, band = instrument.tick_units, instrument.band_units
    if limit is not None and limit % tick:
        return RejectReason.LIMIT_PRICE_OFF_TICK, (("limit_price", limit), ("tick", tick))
    if stop is not None and stop % tick:
        return RejectReason.STOP_PRICE_OFF_TICK, (("stop_price", stop), ("tick", tick))
    if band is not None:
        for price in (limit, stop):
            if price is not None and not band[0] <= price <= band[1]:
                return RejectReason.OUTSIDE_PRICE_BAND, (("price", price), ("lowest", band[0]), ("highest", band[1]))
    return None


def refuse_conditions(step: Step, market: Market, terms: OrderTerms) -> Refused | None:
    """Hours, a stop that is through already, an expiry that is past, post-only and reduce-only."""
    if market.hours is not None or terms.after_market:
        refused = refuse_hours(step, market, terms)
        if refused is not None:
            return refused
    sign, stop = terms.sign, terms.stop_units
    if stop is not None and step.profile.fill.stop_through == "reject":
        price = arrival_trigger(step, market, sign)
        if price is not None and reaches(sign, price, stop):
            return RejectReason.STOP_WOULD_TRIGGER, (("stop_price", stop), ("market", price))
    expires = terms.expires_ns
    if expires is not None and expires <= step.now_ns:
        return RejectReason.EXPIRED_ON_ARRIVAL, ()
    if terms.post_only and terms.limit_units is not None:
        touch = market.touch(sign) if is_fresh(step, market) else None
        if touch is not None and sign * (terms.limit_units - touch) >= 0:
            return RejectReason.POST_ONLY_WOULD_TAKE, (("limit_price", terms.limit_units), ("market", touch))
    if terms.reduce_only and not closable(step.state.positions.get(terms.key), sign):
        return RejectReason.NOTHING_TO_REDUCE, (("position", step.state.quantity(terms.key)),)
    return None
