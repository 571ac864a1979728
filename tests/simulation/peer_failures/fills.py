"""Fills that no market gave: outside their bar, from the future, at prices below zero, and twice from one datum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import round_to_step
from papertrade.domain.orders import OrderTerms
from papertrade.engine import barpath, filling, sizing
from papertrade.engine.step import Step
from papertrade.matching.market import BarData, Market
from papertrade.matching.rules import MAKER, Proposal, fill_market_on_bar, worse
from papertrade.matching.settings import FillSettings
from papertrade.matching.slippage import TickSlippage
from papertrade.testing.oracle import vocabulary as say

from ..reached import counted
from ..world import World
from .scene import CASH, MARGIN, Failure, Guard, Script, Turn, amounts, moment, order, records, units


class FillOutsideBar(Failure):
    """Limit orders fill above the highest price of the minute they filled in.

    At the peer the limit itself was taken for the price. Here a bar fills what it reached, at a price it can have had.
    (A resting limit that the open jumped over pays its own limit unless ``gap_fill="open"`` asks for the open; that is
    documented pessimism, so this scenario asks for the open.)
    """

    name = "fill_outside_bar"
    source = "alpacahq/Alpaca-API #105"
    setup = attrs.evolve(CASH, cash_units=units("100000"), fill=FillSettings.preset("realistic", gap_fill="open"))

    def turns(self) -> list[Turn]:
        """One buyer far above the bar, one inside it and one below it, and the same for sellers."""
        script = Script().bar(1, "100 101 99 100").at(1, order(1, "30")).bar(2, "100 100 100 100")
        script.at(3, order(1, "10", limit="105"), order(1, "10", limit="97.5"), order(1, "10", limit="95"))
        script.bar(4, "98 99 97 98.5").at(5, say.CancelAll())
        script.at(6, order(-1, "5", limit="90"), order(-1, "5", limit="98.4"), order(-1, "5", limit="110"))
        return script.bar(7, "98 99 97 98.5").turns

    def reached(self, world: World) -> None:
        """What the bar jumped over filled at its open, what it went through at the limit, and the rest not at all."""
        fills = records(world, "order_filled")
        assert amounts(fills, "rule") == ["B2", "B3", "B4", "B3", "B4"]
        assert amounts(fills, "price") == ["100", "98", "97.5", "98", "98.4"]

    @staticmethod
    def _limits_are_prices(patch: pytest.MonkeyPatch) -> None:
        """A limit order fills at its limit, whatever the bar was."""

        def at_the_limit(bar: BarData, sign: int, limit: int, *rest: Any) -> list[Proposal]:
            return [Proposal("B4", limit, None, MAKER, False, limit)]

        patch.setattr(barpath, "fill_limit_on_bar", at_the_limit)

    guards: ClassVar[Mapping[str, Guard]] = {"M1": _limits_are_prices}


class SparseDataFill(Failure):
    """A symbol trades once every few hours, and an order in between fills on a bar that has not been seen yet.

    The peer took the next row of its table, however far away it was. Here an order waits for a datum that is given
    to the process, and the fill is of that moment.
    """

    name = "sparse_data_fill"
    source = "Lumiwealth/lumibot pull 991"
    later = 3 * 3_600

    def turns(self) -> list[Turn]:
        """A busy symbol, a quiet one, and an order in the quiet one three hours before its next bar."""
        script = Script().bar(1, "10 11 9 10", symbol="BBB").quote(2, "5.00", "5.01")
        script.at(3, order(1, "10", symbol="BBB"))
        for hour in (1, 2):
            script.quote(hour * 3_600, "5.00", f"5.0{hour}").at(hour * 3_600, order(1, "1"))
        return script.bar(self.later, "12 13 11 12", symbol="BBB").turns

    def reached(self, world: World) -> None:
        """It waited three hours and filled at the open of the bar that then came."""
        fills = [row for row in records(world, "order_filled") if row["symbol"] == "BBB"]
        assert [(row["rule"], row["price"], row["at"]) for row in fills] == [("B2", "12", "2026-01-05T12:00:00Z")]
        assert records(world, "order_accepted")[0]["at"] == "2026-01-05T09:00:02Z"

    @classmethod
    def _looks_ahead(cls, patch: pytest.MonkeyPatch, honest: bool) -> None:
        take = sizing.take_on_arrival

        def from_the_table(step: Step, market: Market, terms: OrderTerms, quantity: int) -> list[filling.Slice]:
            if market.symbol != "BBB":
                return take(step, market, terms, quantity)
            end = moment(cls.later) if honest else step.now_ns
            prices = [units(text) for text in ("12", "13", "11", "12")]
            market.bar = BarData(*prices, units("1000"), end, end)
            return sizing.slices(step, market, terms, fill_market_on_bar(market.bar), quantity)

        patch.setattr(sizing, "take_on_arrival", from_the_table)

    @staticmethod
    def _takes_the_next_row(patch: pytest.MonkeyPatch) -> None:
        """An order fills on the next bar of the table at once."""
        SparseDataFill._looks_ahead(patch, honest=True)

    @staticmethod
    def _dates_it_back(patch: pytest.MonkeyPatch) -> None:
        """The same, and the fill claims that the bar was there."""
        SparseDataFill._looks_ahead(patch, honest=False)

    guards: ClassVar[Mapping[str, Guard]] = {"M2": _takes_the_next_row, "M7": _dates_it_back}


class SlippageBelowZero(Failure):
    """Five ticks of slippage on something that costs three: the seller pays to be rid of it.

    The peer subtracted and was content. Here a price is at least one tick, whatever a model said.
    """

    name = "slippage_below_zero"
    source = "Kaoruha/GinkGO #5497"
    setup = attrs.evolve(CASH, fill=FillSettings.preset("realistic", slippage=TickSlippage(5)))

    def turns(self) -> list[Turn]:
        """Bought at a few cents, sold at the market, by a stop, and the rest when nobody wants it."""
        script = Script().quote(1, "0.03", "0.04").at(2, order(1, "100"), order(-1, "40"))
        script.at(3, order(-1, "40", stop="0.02")).quote(4, "0.02", "0.03").quote(5, "0.01", "0.02")
        return script.at(6, say.CloseAll()).turns

    def reached(self, world: World) -> None:
        """Every sale would have been below zero, and was at the last tick."""
        assert amounts(records(world, "order_filled"), "base") == ["0.04", "0.03", "0.02", "0.01"]
        assert amounts(records(world, "order_filled"), "price") == ["0.09", "0.01", "0.01", "0.01"]

    @staticmethod
    def _no_floor(patch: pytest.MonkeyPatch) -> None:
        """A price is what slippage left of it."""

        def anything(base: int, slipped: int, sign: int, instrument: Instrument) -> int:
            return round_to_step(worse(sign, base, slipped), instrument.tick_units, sign)

        patch.setattr(filling, "settle_price", anything)

    guards: ClassVar[Mapping[str, Guard]] = {"M5": _no_floor}


class RedeliveredFill(Failure):
    """A fill that turned the position round is delivered again, and turns it further.

    At the peer it was an exchange's message. Here fills are made and not received; what can come twice is the datum
    that made them, and it acts once, by its sequence number or by being the same as before.
    """

    name = "redelivered_fill"
    source = "BYTEX-TRADE/bytex #16"
    setup = MARGIN

    def turns(self) -> list[Turn]:
        """Long ten, an order to sell thirty, a print that fills half of it, three times over, and then another one."""
        script = Script().quote(1, "99.99", "100.00").at(2, order(1, "10"), order(-1, "30", limit="101"))
        print_ = say.Print("AAA", units("101.02"), units("15"), 1, moment(3), 7)
        bar = say.Bar("AAA", *map(units, ("101", "103", "101", "102")), units("50"), moment(5), moment(6))
        script.at(3, print_, print_).at(4, print_).at(6, bar, bar).at(7, bar)
        return script.at(8, print_._replace(at=moment(8), sequence=8)).turns

    def reached(self, world: World) -> None:
        """The first crossed zero; of the repetitions none did anything."""
        assert amounts(records(world, "order_filled"), "quantity") == ["10", "15", "5", "10"]
        assert amounts(records(world, "order_filled"), "closed") == ["0", "10", "0", "0"]
        found = counted(world)
        assert (found["position_flip"], found["datum delivered again"]) == (1, 4)

    @staticmethod
    def _forgets_what_came(patch: pytest.MonkeyPatch) -> None:
        """A sequence number is not compared with those that were seen."""
        patch.setattr(Market, "is_repeat", lambda self, kind, sequence: False)

    @staticmethod
    def _nets_as_before(patch: pytest.MonkeyPatch) -> None:
        """What a fill closes is worked out from the position as it was when the order filled first."""
        split, first = filling.split_fill, dict[int, Any]()

        def remembered(position: Any, instrument: Instrument, sign: int, *rest: int) -> Any:
            return first.setdefault(sign, split(position, instrument, sign, *rest))

        patch.setattr(filling, "split_fill", remembered)

    guards: ClassVar[Mapping[str, Guard]] = {"K6": _forgets_what_came, "P3": _nets_as_before}


FILLS: tuple[type[Failure], ...] = (FillOutsideBar, SparseDataFill, SlippageBelowZero, RedeliveredFill)
