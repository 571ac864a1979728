"""Reading: what people see of committed state, built when asked."""

from __future__ import annotations

from papertrade.domain.orders import Order
from papertrade.domain.position_keys import position_key
from papertrade.domain.positions import Account, Lot, Position
from papertrade.engine.funds import appraise, last_price, signed_value, withheld_cash
from papertrade.engine.state import AccountState
from papertrade.engine.step import Seat
from papertrade.ledger.positions import PositionState
from papertrade.ledger.settling import shares_of
from papertrade.matching.market import NEVER, Market


def account_view(seat: Seat, markets: dict[str, Market], now_ns: int) -> Account:
    """The money of an account at this instant."""
    state, profile = seat.state, seat.profile
    now = appraise(state, profile, markets)
    if profile.margin.marked_to_market:
        free = now.equity - now.initial - state.held
    else:
        free = state.cash - withheld_cash(state, profile, now_ns)
    cost = sum(p.cost_units for p in state.positions.values())
    opening = day_profit = None
    if state.day and not state.unvalued:  # what is counted at cost says nothing about the day
        opening = state.day_equity_units
        day_profit = now.equity - opening - state.day_deposits_units
    return Account(
        state.account,
        state.currency,
        str(state.account_kind),
        profile.margin.name,
        now_ns,
        state.version,
        state.total,
        state.held,
        free,
        now.equity,
        now.market_value,
        state.realized,
        now.market_value - cost,
        state.fees,
        state.net_deposits,
        now.initial,
        now.maintenance,
        state.margin_call,
        state.day,
        opening,
        state.day_deposits_units,
        day_profit,
        _stale(seat, markets, now_ns),
        now.unknown,
        len(state.orders),
        state.latches,
        state.unsettled_cash,
    )


def _stale(seat: Seat, markets: dict[str, Market], now_ns: int) -> int:
    return sum(
        1
        for position in seat.state.holdings.values()
        if mark_is_stale(seat, markets[position.symbol], now_ns)
    )


def mark_is_stale(seat: Seat, market: Market, now_ns: int) -> bool:
    """Is the mark missing, from before this process, or older than the settings allow?"""
    most = seat.profile.fill.max_age_ns
    if market.mark_units is None:
        return True
    return most is not None and now_ns - market.marked_ns > most


def position_view(seat: Seat, position: PositionState, market: Market, now_ns: int) -> Position:
    """One position with its mark."""
    quantity, mark = position.quantity_units, last_price(position, market)
    value = None if mark is None else signed_value(market.instrument, quantity, mark)
    return Position(
        seat.state.account,
        position.symbol,
        position.product,
        quantity,
        position.pq,
        position.cost_units,
        position.realized_units,
        position.fees_units,
        position.working_sell_units if not seat.profile.may_short(position.product) else 0,
        mark,
        position.marked_ns if market.mark_units is None or market.marked_ns == NEVER else market.marked_ns,
        bool(quantity) and mark_is_stale(seat, market, now_ns),
        value,
        position.opened_ns,
        _lots(position),
        shares_of(seat.state.settling, position_key(position.symbol, position.product)),
    )


def _lots(position: PositionState) -> tuple[Lot, ...]:
    if position.lots or not position.quantity_units:
        return position.lots
    return (Lot(position.quantity_units, position.pq, position.cost_units, position.opened_ns or 0),)


def positions_view(seat: Seat, markets: dict[str, Market], now_ns: int) -> list[Position]:
    """Every position that is not flat, by symbol and product."""
    held = sorted(seat.state.holdings.values(), key=lambda position: (position.symbol, position.product))
    return [position_view(seat, position, markets[position.symbol], now_ns) for position in held]


def open_orders(state: AccountState, symbol: str | None) -> list[Order]:
    """Open orders, oldest first."""
    return [o.copy() for _, o in sorted(state.orders.items()) if symbol is None or o.terms.symbol == symbol]
