"""Money that was not there: fills nobody could pay, orders counted as losses, figures that were mended afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from papertrade.domain.orders import Order
from papertrade.engine import change, clockwork, evolve, filling, funds
from papertrade.engine.step import Seat, Step
from papertrade.hosting import account_reading, reading
from papertrade.ledger.chart import CASH as CASH_ACCOUNT
from papertrade.ledger.margin import FlatMargin
from papertrade.testing.oracle import vocabulary as say

from ..reached import counted
from ..world import World
from .scene import MARGIN, Failure, Guard, Script, Turn, amounts, broker_of, order, records, units


class GapFillOverCash(Failure):
    """A cash account's buy stop is jumped over, and what it bought costs more than the account has.

    The peer booked fill and position, found that the cash would not do, and left the balance as it was: shares for
    nothing. Here such a fill is cut to what can be paid and the rest is canceled, in the same step.
    """

    name = "gap_fill_over_cash"
    source = "nautilus_trader #5047"

    def turns(self) -> list[Turn]:
        """A thousand dollars, a stop for ten shares at 95, and an opening at 150."""
        script = Script().quote(1, "89.99", "90.00")
        script.at(2, order(1, "10", stop="95"))
        return script.quote(3, "149.99", "150.00").turns

    def reached(self, world: World) -> None:
        """It filled beyond its stop, in part, and the rest was canceled for want of money."""
        assert amounts(records(world, "order_filled"), "quantity") == ["6"]
        assert amounts(records(world, "order_canceled"), "reason") == ["insufficient_funds"]
        assert counted(world)["stop_hit_on_gap"]

    @staticmethod
    def _pays_what_it_has_not(patch: pytest.MonkeyPatch) -> None:
        """A fill is no longer cut to what the account can pay."""
        patch.setattr(filling, "fit_to_funds", lambda step, instrument, order, piece: (piece, ()))

    @staticmethod
    def _skips_the_balance(patch: pytest.MonkeyPatch) -> None:
        """As the peer did: when the cash would not do, position and fill are booked and the cash stays."""
        lines_of = evolve.postings_of_fill

        def half(event: Any) -> list[tuple[str, int]]:
            lines = lines_of(event)
            return [line for line in lines if line[0] != CASH_ACCOUNT] if event.value_units > units("1000") else lines

        patch.setattr(filling, "fit_to_funds", lambda step, instrument, order, piece: (piece, ()))
        patch.setattr(evolve, "postings_of_fill", half)

    guards: ClassVar[Mapping[str, Guard]] = {"L6": _pays_what_it_has_not, "L1": _skips_the_balance}


class PendingOrderValuation(Failure):
    """While an entry waits for its price, the account looks poorer; when it is called off, something stays held.

    The peer subtracted what was reserved from what the account was worth, and for a time showed less than nothing.
    Here held money is the account's own: it lowers what is available, never the equity.
    """

    name = "pending_order_valuation"
    source = "freqtrade #12993 and pull 2709"

    def turns(self) -> list[Turn]:
        """A position, an entry that waits with most of the cash held, and its end in three ways."""
        script = Script().quote(1, "9.99", "10.00").at(2, order(1, "20"))
        script.at(3, order(1, "50", limit="9.50"), order(1, "20", limit="9.00", symbol="BBB")).quote(4, "9.98", "9.99")
        script.at(5, say.Cancel(2)).at(6, order(1, "50", limit="9.40"))
        script.bar(7, "9.60 9.70 9.30 9.50", "200")
        return script.at(8, say.CancelAll()).turns

    def reached(self, world: World) -> None:
        """There was a waiting entry, beside a position and without one; it was canceled whole and in part."""
        held = [row["hold"] for row in records(world, "order_accepted")]
        assert held == ["0", "475", "180", "470"]
        assert counted(world)["partial_fill_then_cancel"]
        assert broker_of(world).account().held == 0

    @staticmethod
    def _worth_without_holds(patch: pytest.MonkeyPatch) -> None:
        """What is held no longer counts as the account's own."""
        appraise = reading.appraise

        def poorer(state: Any, *rest: Any) -> funds.Appraisal:
            now = appraise(state, *rest)
            return now._replace(equity=now.equity - state.held)

        patch.setattr(reading, "appraise", poorer)

    @staticmethod
    def _keeps_what_was_held(patch: pytest.MonkeyPatch) -> None:
        """An order that ends lets nothing go."""
        for module in (filling, change, clockwork):
            patch.setattr(module, "held_change", lambda hold, sibling, new: new - hold if new else 0)

    @staticmethod
    def _entries_are_positions(patch: pytest.MonkeyPatch) -> None:
        """Whatever is being worked on is shown as held."""

        def everything(seat: Seat, markets: Any, now_ns: int) -> list[Any]:
            shown = sorted(seat.state.positions.items())
            return [reading.position_view(seat, position, markets[symbol], now_ns) for symbol, position in shown]

        patch.setattr(account_reading, "positions_view", everything)

    guards: ClassVar[Mapping[str, Guard]] = {
        "L4": _worth_without_holds,
        "L5": _keeps_what_was_held,
        "A3": _entries_are_positions,
    }


class NoRepairNeeded(Failure):
    """Margin and holds drift from what the orders need, and a job at night puts them right again.

    The peer shipped the job. Here there is nothing to repair with: what is held is what open orders need after every
    event, margin is worked out anew whenever somebody asks, and a difference stops the account instead of going away.
    """

    name = "no_repair_needed"
    source = "OpenAlgo sandbox, its margin auto-fix job"
    setup = attrs.evolve(MARGIN, cost_method="fifo")

    def turns(self) -> list[Turn]:
        """Odd sizes and prices, filled in parts, turned round, changed, linked and called off."""
        script = Script().quote(1, "33.31", "33.33").at(2, order(1, "7"), order(-1, "3", limit="34.07"))
        script.at(3, order(1, "11", limit="33.01")).quote(4, "32.98", "33.01", "5").quote(5, "32.97", "33.00", "4")
        script.at(6, say.Modify(3, quantity=units("23"), limit=units("33.02"))).quote(7, "32.95", "32.99", "3")
        script.at(8, say.PlacePair(order(-1, "13", limit="35").terms, order(-1, "13", stop="31").terms))
        script.quote(60, "35.01", "35.05", "5").at(61, order(-1, "40", limit="33.05")).at(62, say.CancelAll())
        return script.at(63, say.CloseAll()).quote(64, "33.00", "33.05").turns

    def reached(self, world: World) -> None:
        """Holds were captured in parts, released and changed, and at the end nothing is held."""
        assert counted(world)["partial_fills_3"]
        for kind in ("order_filled", "order_modified", "order_reduced"):
            assert records(world, kind), kind
        assert broker_of(world).account().held == 0

    @staticmethod
    def _holds_stay(patch: pytest.MonkeyPatch) -> None:
        """A part that fills leaves the whole hold behind, for somebody to clean up."""

        def after(step: Step, order: Order, gone: int) -> int:
            return 0 if gone == order.remaining_units else order.hold_units

        patch.setattr(filling, "hold_after", after)

    @staticmethod
    def _margin_rounds_down(patch: pytest.MonkeyPatch) -> None:
        """Margin loses the last cent, which adds up until somebody repairs it."""
        part = FlatMargin._part

        def down(self: FlatMargin, fraction: int, instrument: Any, quantity_units: int, price_units: int) -> int:
            found = part(self, fraction, instrument, quantity_units, price_units)
            return max(found - instrument.minor_units, 0)

        patch.setattr(FlatMargin, "_part", down)

    guards: ClassVar[Mapping[str, Guard]] = {"L5": _holds_stay, "R1": _margin_rounds_down}


MONEY: tuple[type[Failure], ...] = (GapFillOverCash, PendingOrderValuation, NoRepairNeeded)
