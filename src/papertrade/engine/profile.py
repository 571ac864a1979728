"""What an account brings to every decision: its fill settings, fees, margin model, limits and trading day.

It is configuration, given when the account is opened and never stored in its state; what it caused is in the events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.hours import MarketHours
from papertrade.domain.instants import SECOND_NS
from papertrade.domain.words import OutsideHours
from papertrade.ledger.fees import FeeModel, NoFees
from papertrade.ledger.margin import CashModel, MarginModel
from papertrade.matching.settings import FillSettings, assumption_sentences
from papertrade.risk.limits import RiskLimits
from papertrade.risk.squaring_rules import Rules

if TYPE_CHECKING:
    from papertrade.ledger.settlement import Settlement
    from papertrade.risk.products import Product

ON_CHANGE: Final = -1
BOOKENDS: Final = -2
_ALSO: Final = {
    ON_CHANGE: ", and after each step with a fill",
    BOOKENDS: ", and as each regular session opens and a minute after it closes",
}
_OUTSIDE: Final = {
    OutsideHours.QUEUE: "orders wait for the open",
    OutsideHours.REJECT: "orders are refused, unless they are after-market orders",
    OutsideHours.EXTENDED: "limit orders trade before the open and after the close, others wait for the open",
}


@attrs.frozen(kw_only=True)
class AccountProfile:
    """The rules of one account."""

    fill: FillSettings = attrs.field(factory=FillSettings)
    fees: FeeModel = attrs.field(factory=NoFees)
    margin: MarginModel = attrs.field(factory=CashModel)
    limits: RiskLimits = attrs.field(factory=RiskLimits)
    trading_day: TradingDay = attrs.field(factory=TradingDay)
    outside_hours: OutsideHours = OutsideHours.QUEUE
    square_off: Rules = ()
    points_ns: int = 0  # equity is noted this often while something is held; 0 for never, ON_CHANGE, or BOOKENDS
    settlement: Settlement | None = None
    products: tuple[Product, ...] = ()

    # Worked out once, because every order asks.
    charges: bool = attrs.field(init=False, repr=False, eq=False)
    watches: bool = attrs.field(init=False, repr=False, eq=False)
    squares: bool = attrs.field(init=False, repr=False, eq=False)
    long_only: tuple[str, ...] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "charges", not isinstance(self.fees, NoFees))
        object.__setattr__(self, "watches", self.margin.marked_to_market or self.limits.on_losses)
        rules = (self.square_off, *(product.square_off for product in self.products))
        object.__setattr__(self, "squares", any(rules))
        object.__setattr__(self, "long_only", tuple(p.name for p in self.products if p.shorting is False))

    def may_short(self, product: str) -> bool:
        """May it sell what it does not hold, in this product?"""
        return self.margin.may_short and product not in self.long_only

    def square_off_of(self, product: str) -> Rules:
        """The rules by which this product is squared off, by calendar."""
        for one in self.products:
            if one.name == product and one.square_off is not None:
                return one.square_off
        return self.square_off

    def assumptions(self) -> list[str]:
        """Everything that is assumed, in sentences."""
        day = self.trading_day
        closed = "" if day.calendar is None else f"; days without a session of {day.calendar.name} join the next"
        return [
            *assumption_sentences(self.fill),
            f"fees: {self.fees.name}",
            f"margin: {self.margin.name}",
            f"a trading day begins at {day.starts:%H:%M} in {day.zone.key}{closed}",
            f"equity is noted {_noted(self.points_ns)}",
            f"outside market hours: {_OUTSIDE[self.outside_hours]}",
            *self._squared(),
            *([f"products: {', '.join(product.name for product in self.products)}"] if self.products else []),
            f"settlement: {'at once' if self.settlement is None else self.settlement}",
        ]


    def _squared(self) -> list[str]:
        """What is squared off, by which rules: the account, and each product that has its own."""
        apart = [(f"{one.name} is ", one.square_off) for one in self.products if one.square_off]
        found = [("", self.square_off), *apart] if self.square_off else apart
        return [f"{whose}squared off: {'; '.join(map(str, rules))}" for whose, rules in found]


def by_calendar(profile: AccountProfile, hours: MarketHours) -> AccountProfile:
    """The same rules, where a calendar is the one of its name from now on."""
    day = profile.trading_day.with_calendar(hours)
    return profile if day is profile.trading_day else attrs.evolve(profile, trading_day=day)


def _noted(points_ns: int) -> str:
    if points_ns <= 0:
        return f"when a day opens and closes{_ALSO.get(points_ns, '')}"
    return f"when a day opens and closes, and every {points_ns // SECOND_NS} s while something is held"
