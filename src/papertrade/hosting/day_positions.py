"""Positions from the trades of the day, and from what the last closing says was carried in."""

from __future__ import annotations

from typing import Any, Final

import attrs

from papertrade.domain.day_positions import DayPosition
from papertrade.domain.events import (
    AccountReset,
    DayClosed,
    DayOpened,
    Event,
    OrderFilled,
    PositionConverted,
    PositionImported,
)
from papertrade.domain.numbers import divide_nearest
from papertrade.domain.position_keys import position_key, split_key
from papertrade.engine.funds import last_price, signed_value
from papertrade.engine.step import Seat
from papertrade.errors import InvalidValueError
from papertrade.hosting.account_reading import AccountReader
from papertrade.hosting.flow import Flow
from papertrade.hosting.reading import mark_is_stale
from papertrade.hosting.searching import Among, of_events
from papertrade.hosting.windows import MAX_LIMIT, parse_window
from papertrade.matching.market import Market

VIEWS: Final = ("net", "day")
_OPENINGS: Final[Among] = [("cause", (DayOpened.kind, AccountReset.kind, DayClosed.kind))]
_IMPORTS: Final[Among] = [("kind", (PositionImported.kind,))]
_ANY: Final[Among] = []


@attrs.define
class _Sums:
    """What was bought and sold of a symbol, and what was carried in."""

    bought: int = 0
    sold: int = 0
    buy_pq: int = 0
    sell_pq: int = 0
    buy_value: int = 0
    sell_value: int = 0
    overnight: int = 0  # signed
    average: int = 0
    cost: int = 0  # signed
    close: int | None = None


def day_positions(reader: AccountReader, view: object = "net") -> Flow[list[DayPosition]]:
    """Every symbol, by product where there are some, that was carried in or traded on the day that is open."""
    if type(view) is not str or view not in VIEWS:
        raise InvalidValueError("view", view, "'net' or 'day'")
    seat = yield from reader.desk.seat(reader.account)
    if seat.state.today is None:
        return []
    sums = yield from _gathered(reader)
    now, markets = reader.desk.now(), reader.desk.engine.markets
    traded = {split_key(key): x for key, x in sums.items() if view == "net" or x.bought or x.sold}
    return [_position(seat, x, markets[what[0]], what[1], now, view) for what, x in sorted(traded.items())]


def _gathered(reader: AccountReader) -> Flow[dict[str, _Sums]]:
    """What was carried into the open day, and what was traded on it."""
    window = parse_window(None, None, None, 2, True)
    last: list[Any] = yield from of_events(reader, "equity_points", _OPENINGS, window, _boundary)
    sums: dict[str, _Sums] = {}
    opened, *before = last
    if isinstance(opened, DayOpened) and before and isinstance(before[0], DayClosed):
        closed, closes = before[0], dict(before[0].marks)
        costs, averages = dict(closed.costs), dict(closed.averages)
        for key, quantity in closed.holdings:
            sums[key] = _Sums(overnight=quantity, average=averages[key], cost=costs[key], close=closes.get(key))
    window = parse_window(None, None, None, MAX_LIMIT, False)._replace(after=(opened.at_ns, opened.version))
    for table, among, wanted in (("fills", _ANY, _fill), ("entries", _IMPORTS, _import)):
        part = window
        while True:
            events: list[Any] = yield from of_events(reader, table, among, part, wanted)
            for event in events[:MAX_LIMIT]:
                _count(sums.setdefault(event.key, _Sums()), event)
            if len(events) <= MAX_LIMIT:
                break
            part = part._replace(after=(events[MAX_LIMIT - 1].at_ns, events[MAX_LIMIT - 1].version))
    if any(split_key(key)[1] for key in sums):  # also in an account that has given its products up since
        yield from _count_conversions(reader, sums, opened.version)
    return sums


def _count_conversions(reader: AccountReader, sums: dict[str, _Sums], version: int) -> Flow[None]:
    """A conversion counts as leaving the one product and coming into the other at its cost. No table has them."""
    events = yield reader.desk.store.load, (reader.account, version + 1, None)
    for event in events:
        if isinstance(event, PositionConverted):
            quantity, cost = abs(event.quantity_units), abs(event.cost_units)
            comes_in = 1 if event.quantity_units > 0 else -1
            pq = event.price_units * quantity
            for product, sign in ((event.from_product, -comes_in), (event.to_product, comes_in)):
                _add(sums.setdefault(position_key(event.symbol, product), _Sums()), sign, quantity, pq, cost)


def _boundary(event: Event) -> Event | None:
    return event if isinstance(event, (DayOpened, AccountReset, DayClosed)) else None


def _fill(event: Event) -> Event | None:
    return event if isinstance(event, OrderFilled) else None


def _import(event: Event) -> Event | None:
    return event if isinstance(event, PositionImported) else None


def _count(sums: _Sums, event: OrderFilled | PositionImported) -> None:
    """Count a trade. What came in without one counts like a trade at its cost."""
    sign = 1 if isinstance(event, PositionImported) and event.quantity_units > 0 else getattr(event, "sign", -1)
    quantity = abs(event.quantity_units)
    value = event.value_units if isinstance(event, OrderFilled) else abs(event.cost_units)
    _add(sums, sign, quantity, event.price_units * quantity, value)


def _add(sums: _Sums, sign: int, quantity: int, pq: int, value: int) -> None:
    if sign > 0:
        sums.bought += quantity
        sums.buy_pq += pq
        sums.buy_value += value
    else:
        sums.sold += quantity
        sums.sell_pq += pq
        sums.sell_value += value


def _position(seat: Seat, sums: _Sums, market: Market, product: str, now_ns: int, view: str) -> DayPosition:
    state, instrument = seat.state, market.instrument
    night = sums.overnight if view == "net" else 0
    size = abs(night)
    long, short = max(night, 0), max(-night, 0)
    bought, sold = sums.bought + long, sums.sold + short
    buy_price = divide_nearest(sums.buy_pq + sums.average * long, bought) if bought else 0
    sell_price = divide_nearest(sums.sell_pq + sums.average * short, sold) if sold else 0
    cost = abs(sums.cost) if night else 0
    carried = cost if sums.close is None else instrument.value(sums.close, size)  # without a close from its cost
    quantity, mark = bought - sold, _mark(seat, market, product)
    worth = 0 if not quantity else None if mark is None else signed_value(instrument, quantity, mark)
    return DayPosition(
        account=state.account,
        symbol=market.symbol,
        product=product,
        view=view,
        day=state.day,
        quantity_units=quantity,
        overnight_quantity_units=night,
        buy_quantity_units=bought,
        buy_price_units=buy_price,
        buy_value_units=sums.buy_value + (cost if long else 0),
        sell_quantity_units=sold,
        sell_price_units=sell_price,
        sell_value_units=sums.sell_value + (cost if short else 0),
        buy_m2m_units=sums.buy_value + (carried if long else 0),
        sell_m2m_units=sums.sell_value + (carried if short else 0),
        average_price_units=buy_price if quantity > 0 else sell_price if quantity < 0 else 0,
        close_price_units=sums.close,
        last_price_units=mark,
        last_is_stale=mark_is_stale(seat, market, now_ns),
        last_value_units=worth,
        total_profit_units=_total(seat, market, product),
    )


def _mark(seat: Seat, market: Market, product: str) -> int | None:
    position = seat.state.positions.get(position_key(market.symbol, product))
    return market.mark_units if position is None else last_price(position, market)


def _total(seat: Seat, market: Market, product: str) -> int | None:
    position = seat.state.positions.get(position_key(market.symbol, product))
    if position is None:
        return 0
    if not position.quantity_units:
        return position.realized_units
    mark = last_price(position, market)
    if mark is None:
        return None
    worth = signed_value(market.instrument, position.quantity_units, mark)
    return position.realized_units + worth - position.cost_units
