"""Every field of every public command and datum, with a judgment of what it can hold, and the scene to try it in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hostile_judges import (
    Judge,
    anything,
    cents,
    exact,
    flag,
    fraction,
    instant,
    key,
    kinds,
    known_order,
    label,
    level,
    levels,
    maybe,
    minutes,
    name,
    never,
    not_negative,
    number,
    only,
    positive,
    tags,
    whole,
    word,
)

import papertrade as pt
from papertrade.errors import UsageError

START = 1_767_623_400_000_000_000


class Field(NamedTuple):
    """``holds`` says whether a value means something there; ``give`` hands it to a scene."""

    holds: Judge
    give: Callable[[Any, Any], object]


# ------------------------------------------------------------------ fields


def _orders() -> dict[str, Field]:
    base: dict[str, Any] = {"symbol": "AAPL", "side": "buy", "quantity": 1}
    resting = {**base, "limit_price": 90}
    table: dict[str, tuple[Judge, dict[str, Any]]] = {
        "symbol": (only("AAPL"), base),
        "side": (word("buy", "sell", "b", "s"), base),
        "quantity": (positive, base),
        "notional": (positive, {"symbol": "AAPL", "side": "buy"}),
        "type": (maybe(word("market")), base),
        "limit_price": (maybe(positive), base),
        "stop_price": (maybe(positive), base),
        "time_in_force": (maybe(word("day", "gtc", "ioc", "fok")), base),
        "expires_at": (instant, {**resting, "time_in_force": "gtd"}),
        "ttl_minutes": (minutes, {**resting, "time_in_force": "ttl"}),
        "extended_hours": (flag, resting),
        "after_market": (flag, resting),
        "post_only": (flag, resting),
        "reduce_only": (flag, base),
        "oco_with": (maybe(known_order), resting),
        "client_order_id": (maybe(key), base),
        "tags": (tags, base),
    }
    found: dict[str, Field] = {}
    for field, (holds, fields) in table.items():
        found[f"place_order.{field}"] = Field(
            holds, lambda s, v, f=field, d=fields: s.broker.place_order(**{**d, f: v})
        )
        found[f"OrderRequest.{field}"] = Field(
            holds,
            lambda s, v, f=field, d=fields: s.broker.place_order(
                pt.OrderRequest(**{**base, "quantity": None, **d, f: v})
            ),
        )
        rest = {name: value for name, value in fields.items() if name not in ("symbol", "side")}
        if field not in ("symbol", "side", "type"):
            found[f"sell.{field}"] = Field(holds, lambda s, v, f=field, d=rest: s.broker.sell("AAPL", **{**d, f: v}))
    found["request with fields"] = Field(
        maybe(never), lambda s, v: s.broker.place_order(pt.OrderRequest(**base), quantity=(v,))
    )
    found["place_order.request"] = Field(never, lambda s, v: s.broker.place_order(v))
    found["preview_order.request"] = Field(never, lambda s, v: s.broker.preview_order(v))
    found["preview_order.quantity"] = Field(
        positive, lambda s, v: s.broker.preview_order(pt.OrderRequest(**{**base, "quantity": v}))
    )
    leg = pt.OrderRequest(**resting)
    found["place_oco.first"] = Field(never, lambda s, v: s.broker.place_oco(v, leg))
    found["place_oco.second"] = Field(never, lambda s, v: s.broker.place_oco(leg, v))
    found["link_orders.one"] = Field(known_order, lambda s, v: s.broker.link_orders(v, "main-2"))
    found["link_orders.two"] = Field(known_order, lambda s, v: s.broker.link_orders("main-2", v))
    return found


def _row(**fields: Any) -> dict[str, Any]:
    return {"symbol": "AAPL", "quantity": 1, "average_price": 90, **fields}


def _whole_lots(value: Any) -> bool:
    return positive(value) and exact(value).denominator == 1 and exact(value) * 90 < 10**15


def _payable(value: Any) -> bool:
    return positive(value)


def _commands() -> dict[str, Field]:
    return {
        "modify_order.order_id": Field(known_order, lambda s, v: s.broker.modify_order(v, quantity=3)),
        "modify_order.quantity": Field(positive, lambda s, v: s.broker.modify_order("main-2", quantity=v)),
        "modify_order.limit_price": Field(positive, lambda s, v: s.broker.modify_order("main-2", limit_price=v)),
        "modify_order.stop_price": Field(positive, lambda s, v: s.broker.modify_order("main-3", stop_price=v)),
        "modify_order.expires_at": Field(instant, lambda s, v: s.broker.modify_order("main-4", expires_at=v)),
        "modify_order.command_id": Field(
            maybe(key), lambda s, v: s.broker.modify_order("main-2", quantity=3, command_id=v)
        ),
        "cancel_order.order_id": Field(known_order, lambda s, v: s.broker.cancel_order(v)),
        "cancel_all_orders.symbol": Field(maybe(only("AAPL")), lambda s, v: s.broker.cancel_all_orders(v)),
        "close_position.symbol": Field(only("AAPL"), lambda s, v: s.broker.close_position(v)),
        "close_position.quantity": Field(maybe(positive), lambda s, v: s.broker.close_position("AAPL", v)),
        "close_position.key": Field(maybe(key), lambda s, v: s.broker.close_position("AAPL", client_order_id=v)),
        "deposit.amount": Field(lambda v: cents(v) and positive(v), lambda s, v: s.broker.deposit(v)),
        "deposit.command_id": Field(maybe(key), lambda s, v: s.broker.deposit(1, command_id=v)),
        "deposit.note": Field(label, lambda s, v: s.broker.deposit(1, note=v)),
        "withdraw.amount": Field(lambda v: cents(v) and positive(v), lambda s, v: s.broker.withdraw(v)),
        "withdraw.command_id": Field(maybe(key), lambda s, v: s.broker.withdraw(1, command_id=v)),
        "withdraw.note": Field(label, lambda s, v: s.broker.withdraw(1, note=v)),
        "reset.cash": Field(lambda v: cents(v) and not_negative(v), lambda s, v: s.broker.reset(v)),
        "reset.command_id": Field(maybe(key), lambda s, v: s.broker.reset(1, command_id=v)),
        "reset.note": Field(label, lambda s, v: s.broker.reset(1, note=v)),
        "import_positions.positions": Field(never, lambda s, v: s.broker.import_positions(v)),
        "import_positions.row": Field(never, lambda s, v: s.broker.import_positions([v])),
        "import_positions.symbol": Field(only("AAPL"), lambda s, v: s.broker.import_positions([_row(symbol=v)])),
        "import_positions.quantity": Field(_whole_lots, lambda s, v: s.broker.import_positions([_row(quantity=v)])),
        "import_positions.average_price": Field(
            _payable, lambda s, v: s.broker.import_positions([_row(average_price=v)])
        ),
        "import_positions.command_id": Field(
            maybe(key), lambda s, v: s.broker.import_positions([_row()], command_id=v)
        ),
        "import_positions.note": Field(label, lambda s, v: s.broker.import_positions([_row()], note=v)),
        "clone_account.source": Field(only("main"), lambda s, v: s.exchange.clone_account(v, "copy")),
        "clone_account.target": Field(
            lambda v: name(v) and v != "main", lambda s, v: s.exchange.clone_account("main", v)
        ),
        "clone_account.note": Field(label, lambda s, v: s.exchange.clone_account("main", "copy", note=v)),
        "clone_account.command_id": Field(
            maybe(key), lambda s, v: s.exchange.clone_account("main", "copy", command_id=v)
        ),
        "reset_limit.limit": Field(never, lambda s, v: s.broker.reset_limit(v)),
        "reset_limit.command_id": Field(maybe(key), lambda s, v: s.broker.reset_limit("kill_switch", command_id=v)),
        "order": Field(known_order, lambda s, v: s.broker.order(v)),
        # It answers None for what is not an order of the account.
        "find_order": Field(anything, lambda s, v: s.broker.find_order(v)),
        "order_history": Field(known_order, lambda s, v: s.broker.order_history(v)),
        "explain": Field(known_order, lambda s, v: s.broker.explain(v)),
        "orders.status": Field(maybe(word("open", "closed", "all")), lambda s, v: s.broker.orders(v)),
        "orders.symbol": Field(maybe(name), lambda s, v: s.broker.orders(symbol=v)),
        "open orders.symbol": Field(maybe(name), lambda s, v: s.broker.orders("open", v)),
        "fills.order_id": Field(maybe(known_order), lambda s, v: s.broker.fills(v)),
        "fills.symbol": Field(maybe(name), lambda s, v: s.broker.fills(symbol=v)),
        "position.symbol": Field(only("AAPL"), lambda s, v: s.broker.position(v)),
        "events.after": Field(whole(), lambda s, v: s.broker.events(v)),
        "events.kinds": Field(kinds, lambda s, v: s.broker.events(0, v)),
        "subscribe.handler": Field(maybe(callable), lambda s, v: s.broker.subscribe(v)),
        "subscribe.kinds": Field(kinds, lambda s, v: s.broker.subscribe(kinds=v)),
        "subscribe.account": Field(maybe(name), lambda s, v: s.exchange.subscribe(account=v)),
        "wait.order_id": Field(known_order, lambda s, v: s.broker.wait(v, 0)),
        "wait.timeout_s": Field(
            lambda v: type(v) in (int, float) and 0 <= v <= 86_400, lambda s, v: s.broker.wait("main-1", v)
        ),
    }


def _data() -> dict[str, Field]:
    aapl, at = only("AAPL"), maybe(instant)
    quote = {"symbol": "AAPL", "bid": "100", "ask": "100.02"}
    trade = {"symbol": "AAPL", "price": "100"}
    bar = {"symbol": "AAPL", "open": "100", "high": "100", "low": "100", "close": "100"}
    depth = {"symbol": "AAPL", "bids": [("1", 1)], "asks": [("2", 1)]}
    price, size, number_ = positive, maybe(positive), maybe(whole())
    table: dict[str, tuple[dict[str, Any], dict[str, Judge]]] = {
        "on_quote": (
            quote,
            {
                "symbol": aapl,
                "bid": size,
                "ask": size,
                "bid_size": size,
                "ask_size": size,
                "at": at,
                "sequence": number_,
            },
        ),
        "on_price": (trade, {"symbol": aapl, "price": price, "at": at}),
        "on_trade": (
            trade,
            {
                "symbol": aapl,
                "price": price,
                "size": size,
                "aggressor": maybe(word("buy", "sell", "b", "s")),
                "at": at,
                "sequence": number_,
            },
        ),
        "on_auction": (
            {"symbol": "HOURS", "price": 100, "size": 5, "auction": "open", "at": None},
            {
                "symbol": only("HOURS"),
                "price": price,
                "size": size,
                "auction": word("open", "close"),
                "at": at,
            },
        ),
        "on_bar": (
            bar,
            {
                "symbol": aapl,
                "open": only(100, 100.0),
                "high": price,
                "low": price,
                "close": only(100),
                "volume": maybe(not_negative),
                "start": at,
                "end": at,
            },
        ),
        "on_depth": (depth, {"symbol": aapl, "bids": levels, "asks": levels, "at": at}),
        "on_halt": ({"symbol": "AAPL"}, {"symbol": aapl}),
        "on_resume": ({"symbol": "AAPL"}, {"symbol": aapl}),
        "market": ({"symbol": "AAPL"}, {"symbol": aapl}),
    }
    found: dict[str, Field] = {}
    for method, (base, judges) in table.items():
        for field, holds in judges.items():
            found[f"{method}.{field}"] = Field(
                holds, lambda s, v, m=method, f=field, b=base: getattr(s.exchange, m)(**{**b, f: v})
            )
    found["on_depth level price"] = Field(price, lambda s, v: s.exchange.on_depth("AAPL", [(v, 1)], []))
    found["on_depth level size"] = Field(price, lambda s, v: s.exchange.on_depth("AAPL", [], [(1, v)]))
    found["on_depth level"] = Field(level, lambda s, v: s.exchange.on_depth("AAPL", [], [v]))
    for field in ("symbol", "bid", "ask_size", "at", "sequence"):
        holds = name if field == "symbol" else maybe({"at": instant, "sequence": whole()}.get(field, positive))
        found[f"first sight.{field}"] = Field(
            holds, lambda s, v, f=field: s.lone.on_quote(**{"symbol": "NEW", "bid": 1, "ask": 2, "at": START, f: v})
        )
    found["data clock.at"] = Field(instant, lambda s, v: s.idle.on_quote("AAPL", 1, 2, at=v))
    found["data clock.advance"] = Field(maybe(instant), lambda s, v: s.idle.advance(v))
    found["advance.to"] = Field(maybe(never), lambda s, v: s.exchange.advance(v))
    found["tape.symbol"] = Field(aapl, lambda s, v: s.exchange.tape(v))
    found["subscribe_market.symbol"] = Field(aapl, lambda s, v: s.exchange.subscribe_market(v, print))
    found["subscribe_market.handler"] = Field(callable, lambda s, v: s.exchange.subscribe_market("AAPL", v))
    ticks = whole_within(10**15)
    for method, arguments in (
        ("quote", (100, 102, 5, 5, START)),
        ("trade", (100, 5, START, 1)),
        ("bar", (100, 100, 100, 100, 5, START)),
    ):
        for place in range(len(arguments)):
            found[f"tape.{method}[{place}]"] = Field(
                lambda v, m=method, p=place: (
                    ticks(v) or (type(v) is int and -1 <= v < 2**63) or (v is None and (m, p) == ("bar", 4))
                ),
                lambda s, v, m=method, p=place, a=arguments: getattr(s.tape, m)(*a[:p], v, *a[p + 1 :]),
            )
    return found


def whole_within(most: int) -> Judge:
    return lambda value: type(value) is int and 0 < value < most


def _things() -> dict[str, Field]:
    model_fields = {"slippage": never, "fill_model": maybe(never)}
    settings: dict[str, Judge] = {
        "name": name,
        "limit_fill": only("through", "touch"),
        "through_ticks": whole(1),
        "gap_fill": only("limit", "open"),
        "intrabar": only("adverse"),
        "bar_entry": only("open", "close"),
        "displayed_size": only("respect"),
        "missing_size": only("full"),
        "participation": fraction,
        "half_spread_bp": not_negative,
        "stop_trigger": only("any"),
        "stop_through": only("reject"),
        "oco_partial": only("reduce"),
        "over_funds": only("refuse"),
        "hold_collar": not_negative,
        "max_quote_age_s": maybe(positive),
        **model_fields,
    }
    found = {f"FillSettings.{f}": Field(j, lambda s, v, f=f: pt.FillSettings(**{f: v})) for f, j in settings.items()}
    found["FillSettings.preset"] = Field(only("strict", "realistic", "lenient"), lambda s, v: pt.FillSettings.preset(v))
    details: dict[str, Judge] = {
        "tick_size": positive,
        "lot_size": positive,
        "multiplier": positive,
        "min_quantity": maybe(lambda v: positive(v) and exact(v) % 1 == 0),
        "max_quantity": maybe(lambda v: positive(v) and exact(v) % 1 == 0),
        "currency": only("USD"),
        "price_band": maybe(
            lambda v: (
                type(v) in (tuple, list) and len(v) == 2 and all(positive(p) for p in v) and exact(v[0]) < exact(v[1])
            )
        ),
    }
    for f, j in details.items():
        found[f"Instrument.{f}"] = Field(j, lambda s, v, f=f: pt.Instrument("X", **{f: v}))
        found[f"add_instrument.{f}"] = Field(j, lambda s, v, f=f: s.exchange.add_instrument("X", **{f: v}))
    found["add_instrument.symbol"] = Field(name, lambda s, v: s.exchange.add_instrument(v))
    found["Currency.code"] = Field(name, lambda s, v: pt.Currency(v, 2))
    found["Currency.decimals"] = Field(lambda v: whole()(v) and v < 10, lambda s, v: pt.Currency("X", v))
    for f in (
        "max_order_quantity",
        "max_order_notional",
        "max_position",
        "max_gross_notional",
        "max_daily_loss",
        "max_drawdown",
    ):
        found[f"RiskLimits.{f}"] = Field(maybe(positive), lambda s, v, f=f: pt.RiskLimits(**{f: v}))
    found["RiskLimits.max_open_orders"] = Field(maybe(whole(1)), lambda s, v: pt.RiskLimits(max_open_orders=v))
    for cls in (pt.PercentFee, pt.PerUnitFee):
        judges = {"rate": number, "minimum": not_negative, "cap": maybe(positive), "kind": name}
        for f, j in judges.items():
            found[f"{cls.__name__}.{f}"] = Field(j, lambda s, v, f=f, c=cls: c(**{"rate": 1, f: v}))
    for f, j in {"maker": number, "taker": number, "kind": name}.items():
        found[f"MakerTakerFee.{f}"] = Field(j, lambda s, v, f=f: pt.MakerTakerFee(**{"maker": 1, "taker": 1, f: v}))
    found["FeeSchedule.lines"] = Field(lambda v: type(v) in (tuple, list) and not v, lambda s, v: pt.FeeSchedule(v))
    found["FeeSchedule line"] = Field(never, lambda s, v: pt.FeeSchedule((v,)))
    found["FlatMargin.initial"] = Field(fraction, lambda s, v: pt.FlatMargin(initial=v, maintenance="0.000000001"))
    found["FlatMargin.maintenance"] = Field(fraction, lambda s, v: pt.FlatMargin(initial=1, maintenance=v))
    found["TickSlippage"] = Field(whole(), lambda s, v: pt.TickSlippage(v))
    found["BasisPointSlippage"] = Field(not_negative, lambda s, v: pt.BasisPointSlippage(v))
    found["SpreadSlippage"] = Field(not_negative, lambda s, v: pt.SpreadSlippage(v))
    found["units"] = Field(number, lambda s, v: pt.units(v))
    return found


def _hosts() -> dict[str, Field]:
    nothing = maybe(never)
    account: dict[str, Judge] = {
        "cash": cents,
        "currency": only("USD"),
        "kind": only("cash", "margin"),
        "margin": nothing,
        "fees": nothing,
        "limits": nothing,
        "fill": only("realistic"),
        "cost_method": only("average", "fifo"),
        "trading_day": maybe(only("UTC")),
    }
    found: dict[str, Field] = {}
    for f, j in account.items():
        on_exchange = maybe(j) if f == "fill" else j
        found[f"open_account.{f}"] = Field(on_exchange, lambda s, v, f=f: s.exchange.open_account("new", **{f: v}))
        found[f"open_paper_broker.{f}"] = Field(j, lambda s, v, f=f: pt.open_paper_broker(**{"cash": 1, f: v}))
    found["open_account.account"] = Field(name, lambda s, v: s.exchange.open_account(v))
    found["open_account.start"] = Field(only("keep", "fresh"), lambda s, v: s.exchange.open_account("new", start=v))
    found["exchange.account"] = Field(only("main"), lambda s, v: s.exchange.account(v))
    for f, j in {
        "account": name,
        "clock": only("system", "data"),
        "store": maybe(only("memory:")),
        "threadsafe": flag,
    }.items():
        found[f"open_paper_broker.{f}"] = Field(j, lambda s, v, f=f: pt.open_paper_broker(**{"cash": 1, f: v}))
    found["open_store"] = Field(only("memory:"), lambda s, v: pt.open_store(v))
    found["clock.now_ns"] = Field(lambda v: type(v) is int and v < 2**63, lambda s, v: s.deposit_at(v))
    found["ManualClock.start"] = Field(instant, lambda s, v: pt.ManualClock(v))
    found["ManualClock.set"] = Field(instant, lambda s, v: pt.ManualClock().set(v))
    for unit, ns in {"days": 86_400 * 10**9, "seconds": 10**9, "milliseconds": 10**6}.items():
        found[f"ManualClock.{unit}"] = Field(
            lambda v, ns=ns: whole()(v) and v * ns < 2**63,
            lambda s, v, u=unit: pt.ManualClock().advance(**{u: v}),
        )
    found["TradingDay.zone"] = Field(lambda v: isinstance(v, ZoneInfo), lambda s, v: pt.TradingDay(v))
    found["TradingDay.starts"] = Field(
        lambda v: (type(v) is time and v.tzinfo is None) or v == "0001", lambda s, v: pt.TradingDay("UTC", v)
    )
    found["TradingDay.of"] = Field(instant, lambda s, v: pt.TradingDay("America/New_York").of(v))
    return found


def fields() -> dict[str, Field]:
    """Every field by name."""
    return {**_orders(), **_commands(), **_data(), **_things(), **_hosts()}


# ------------------------------------------------------------------- scene


class _Told:
    """A clock that says what it was told to say."""

    def __init__(self) -> None:
        self.says: Any = START

    def now_ns(self) -> Any:
        return self.says


class Scene:
    """An account with a position and one open order of each kind; two one-account brokers beside it."""

    def __init__(self) -> None:
        self.exchange = pt.Exchange(clock=pt.ManualClock(START))
        self.exchange.add_instrument("AAPL")
        self.exchange.add_instrument("HOURS", calendar="24x7")
        self.broker = self.exchange.open_account("main", cash=1_000_000)
        self.exchange.on_quote("AAPL", "100.00", "100.02", at=START)
        self.exchange.on_trade("AAPL", "100.01", 5, at=START)
        self.broker.buy("AAPL", 20, client_order_id="first")
        self.broker.buy("AAPL", 5, limit_price=95)
        self.broker.sell("AAPL", 5, stop_price=90)
        self.broker.buy("AAPL", 5, limit_price=94, time_in_force="gtd", expires_at=START + 10**15)
        self.tape = self.exchange.tape("AAPL")
        self.lone = pt.open_paper_broker(cash=100, clock=pt.ManualClock(START))
        self.idle = pt.open_paper_broker(cash=100, clock="data")

    def deposit_at(self, value: Any) -> None:
        clock = _Told()
        broker = pt.open_paper_broker(cash=1, clock=clock)
        before = broker.digest()
        clock.says = value
        try:
            broker.deposit(1)
        except UsageError:
            clock.says = START + 1
            assert broker.digest() == before
            broker.deposit(1)
            raise

    def marks(self) -> list[object]:
        """Everything that a refused call must leave as it was."""
        found: list[object] = []
        for exchange in (self.exchange, self.lone.exchange, self.idle.exchange):
            desk = exchange._desk
            found += [
                desk.clock.now_ns(),
                len(desk.outbox.subscriptions),
                sorted(desk.engine.seats),
                desk.stale,
                desk.stopped,
            ]
            found += [[market_marks(market) for _, market in sorted(desk.engine.markets.items())]]
        return [*found, self.broker.digest(), self.lone.digest(), self.idle.digest()]


def market_marks(market: Any) -> list[object]:
    slots = [
        slot for slot in type(market).__slots__ if slot not in ("index", "instrument", "counts", "sequences", "used")
    ]
    values = [getattr(market, slot) for slot in slots]
    return [*values, dict(market.counts), dict(market.sequences), repr(market.used), sorted(market.index.entries)]
