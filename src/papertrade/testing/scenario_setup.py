"""The lines of a scenario that say what it is played on: clock, instruments, accounts, fees, limits, fill settings.

They come before anything happens. The same account or instrument may be named again: what is said later wins, so that a
scenario changes one thing about what all scenarios of its file share.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

import papertrade as pt
from papertrade.testing.scenario_reader import Calendar, Words

MAIN: Final = "main"

_ACCOUNT: Final = ("cash", "currency", "kind", "margin", "cost", "day", "starts", "fill")
_INSTRUMENT: Final = {
    "tick": "tick_size",
    "lot": "lot_size",
    "multiplier": "multiplier",
    "currency": "currency",
    "min": "min_quantity",
    "max": "max_quantity",
    "band": "price_band",
    "calendar": "calendar",
}
_FILL: Final = tuple(a.name for a in attrs.fields(pt.FillSettings) if a.init and a.name not in ("name", "fill_model"))
_LIMITS: Final = tuple(a.name for a in attrs.fields(pt.RiskLimits) if a.init)
_FEES: Final[dict[str, tuple[Callable[..., object], tuple[str, ...]]]] = {
    "per_unit": (pt.PerUnitFee, ("rate", "minimum", "cap", "kind")),
    "percent": (pt.PercentFee, ("rate", "minimum", "cap", "kind")),
    "maker_taker": (pt.MakerTakerFee, ("maker", "taker", "kind")),
}


class Setup:
    """What has been said so far about the world of a scenario."""

    def __init__(self) -> None:
        self.calendar = Calendar()
        self.clock = "data"
        self.starts = "09:30:00"
        self.accounts: dict[str, dict[str, str]] = {}
        self.instruments: dict[str, dict[str, str]] = {}
        self.fill: tuple[str, dict[str, object]] = ("realistic", {})
        self.fees: list[object] = []
        self.limits: dict[str, object] = {}

    # ------------------------------------------------------------- the lines

    def date(self, words: Words) -> None:
        """``date 2026-01-05 zone=Asia/Kolkata start=09:15``: where times without a date belong."""
        self.calendar.set_day(words.take("a day"), words)
        facts = words.facts(("zone", "start"))
        if "zone" in facts:
            try:
                self.calendar.zone = ZoneInfo(facts["zone"])
            except (ZoneInfoNotFoundError, ValueError):
                raise words.error(f"zone: found {facts['zone']!r}; accepted: an IANA zone name") from None
        self.starts = facts.get("start", self.starts)

    def clock_line(self, words: Words) -> None:
        """``clock data`` (time is the latest datum) or ``clock manual``."""
        self.clock = words.choose("the clock", ("data", "manual"))
        words.end()

    def account(self, words: Words) -> None:
        """``account cash=10000`` or ``account bob kind=margin margin=0.5/0.25``."""
        name = words.take("a name") if words and "=" not in words.peek() else MAIN
        self.accounts.setdefault(name, {}).update(words.facts(_ACCOUNT))

    def instrument(self, words: Words) -> None:
        """``instrument AAPL tick=0.01 lot=1 band=90..110``."""
        symbol = words.take("a symbol")
        self.instruments.setdefault(symbol, {}).update(words.facts(_INSTRUMENT))

    def fill_line(self, words: Words) -> None:
        """``fill realistic limit_fill=touch slippage=2ticks``: a preset and what is changed about it."""
        preset = words.take("a preset")
        facts = words.facts(_FILL)
        self.fill = preset, {name: _setting(name, text, words) for name, text in facts.items()}

    def fees_line(self, words: Words) -> None:
        """``fees percent rate=0.0003 cap=20``; several lines make a schedule, ``fees none`` begins again."""
        kind = words.choose("a fee", ("none", *_FEES))
        if kind == "none":
            self.fees.clear()
            return
        model, known = _FEES[kind]
        self.fees.append(model(**words.facts(known)))

    def limits_line(self, words: Words) -> None:
        """``limits max_order_quantity=100 max_open_orders=2``."""
        for name, text in words.facts(_LIMITS).items():
            self.limits[name] = _count(text, words) if name == "max_open_orders" else text

    # ------------------------------------------------------------- the world

    def open(self, words: Words) -> World:
        """Open the exchange, list the instruments and open the accounts."""
        start = self.calendar.instant(self.starts, datetime(1970, 1, 1, tzinfo=UTC), words)
        clock = pt.ManualClock(start) if self.clock == "manual" else None
        exchange = pt.Exchange(clock=clock or "data", fill=self._settings(*self.fill))
        if clock is None:
            exchange.advance(start)
        world = World(exchange, clock, start)
        currency = next((a["currency"] for a in self.accounts.values() if "currency" in a), "USD")
        for symbol, facts in self.instruments.items():
            details: dict[str, object] = {"currency": currency}
            details.update({_INSTRUMENT[name]: _detail(name, text) for name, text in facts.items()})
            exchange.add_instrument(symbol, **details)
        for name, facts in (self.accounts or {MAIN: {}}).items():
            world.brokers[name] = self._open_account(exchange, name, facts, words)
        return world

    def _settings(self, preset: str, changes: dict[str, object]) -> pt.FillSettings:
        return pt.FillSettings.preset(preset, **changes)

    def _open_account(self, exchange: pt.Exchange, name: str, facts: dict[str, str], words: Words) -> pt.PaperBroker:
        margin = None
        if "margin" in facts:
            initial, slash, maintenance = facts["margin"].partition("/")
            if not slash:
                raise words.error("margin: accepted: initial/maintenance, such as 0.5/0.25")
            margin = pt.FlatMargin(initial=initial, maintenance=maintenance)
        fees: list[object] = self.fees
        return exchange.open_account(
            name,
            cash=facts.get("cash", "100000"),
            currency=facts.get("currency", "USD"),
            kind=facts.get("kind", "cash" if margin is None else "margin"),
            margin=margin,
            fees=pt.FeeSchedule(fees) if fees else None,  # type: ignore[arg-type]  # fee models, made above
            limits=pt.RiskLimits(**self.limits),  # type: ignore[arg-type]  # checked per field
            fill=self._settings(facts["fill"], {}) if "fill" in facts else None,
            cost_method=facts.get("cost", "average"),
            trading_day=pt.TradingDay(facts.get("day", "UTC"), facts.get("starts", "00:00")),
        )


class World:
    """An exchange that is open, its accounts, and how time moves on it."""

    def __init__(self, exchange: pt.Exchange, clock: pt.ManualClock | None, now: datetime) -> None:
        self.exchange = exchange
        self.clock = clock
        self.now = now
        self.brokers: dict[str, pt.PaperBroker] = {}

    def move(self, to: datetime) -> None:
        """Time is at least this now; what was due has happened."""
        self.see(to)
        if self.clock is None:
            self.exchange.advance(to)
        else:
            self.exchange.advance()

    def see(self, at: datetime) -> None:
        """A datum of this instant comes next: it moves a data clock itself, a manual clock has to be moved."""
        if at > self.now:
            self.now = at
            if self.clock is not None:
                self.clock.set(at)


def _setting(name: str, text: str, words: Words) -> object:
    if name == "slippage":
        return _slippage(text, words)
    if name == "through_ticks":
        return _count(text, words)
    return None if text == "none" else text


def _slippage(text: str, words: Words) -> object:
    for ending, model in (("ticks", _ticks), ("bp", pt.BasisPointSlippage), ("spread", pt.SpreadSlippage)):
        if text.endswith(ending) and text != ending:
            return model(text.removesuffix(ending))
    if text == "none":
        return pt.NoSlippage()
    raise words.error(f"slippage: found {text!r}; accepted: none, 2ticks, 5bp, 0.5spread")


def _ticks(text: str) -> pt.TickSlippage:
    return pt.TickSlippage(int(text))


def _count(text: str, words: Words) -> int:
    if not text.isdigit():
        raise words.error(f"found {text!r}; accepted: a whole number")
    return int(text)


def _detail(name: str, text: str) -> object:
    if name == "band":
        low, _, high = text.partition("..")
        return low, high
    return text
