"""Processes that came back: with fills made twice, with another history, or with a market they were never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from papertrade.domain.hours import MarketHours
from papertrade.domain.instruments import Instrument
from papertrade.domain.positions import Lot
from papertrade.engine import engine, filling, snapshot
from papertrade.engine.match import match_standing
from papertrade.engine.state import AccountState
from papertrade.engine.step import Seat, Step
from papertrade.hosting import desk
from papertrade.hosting.account import AccountDesk
from papertrade.matching.market import NEVER, Market
from papertrade.testing.oracle import vocabulary as say

from ..auditor.money import Money
from ..reached import counted
from ..store_sim import Fault
from ..swarm import DAY
from ..turns import ReadAll, Snapshot
from ..world import World
from .scene import MARGIN, Failure, Guard, Script, Turn, amounts, order, records, terms

FIFO = attrs.evolve(MARGIN, cost_method="fifo")


class RestartWithFlip(Failure):
    """A fill turns a long position into a short one, the process dies before it is told, and the next one starts.

    At the peer the flip was two fills with one id, so that loading them again failed, or they were applied once more.
    Here a flip is one fill with a closing and an opening part, and an order asked for again is the order it was.
    """

    name = "restart_with_flip"
    source = "nautilus_trader #1205, #3046, #3081"
    setup = FIFO
    faults = True

    def turns(self) -> list[Turn]:
        """Bought in two lots, turned round in one fill whose answer is lost, asked again after a restart, and back."""
        script = Script().quote(1, "99.99", "100.00").at(2, order(1, "4", key="one")).quote(3, "101.00", "101.01")
        script.at(3, order(1, "6", key="two"), Snapshot())
        script.at(4, order(-1, "25", key="three"), fault=Fault("cut after", 2)).restart(5)
        script.at(6, order(-1, "25", key="three")).quote(7, "100.50", "100.51")
        script.at(8, order(1, "31", key="four"), order(-1, "25", key="three"), Snapshot()).restart(9)
        return script.quote(10, "100.60", "100.61").at(11, order(1, "31", key="four"), order(-1, "2")).turns

    def reached(self, world: World) -> None:
        """Two fills crossed zero; the process died between the first of them and its answer."""
        found = counted(world)
        assert (found["position_flip"], found["fault met: cut after"], found["restart from a snapshot"]) == (2, 1, 2)
        assert amounts(records(world, "order_filled"), "closed") == ["0", "0", "10", "15", "2"]

    @staticmethod
    def _keys_are_forgotten(patch: pytest.MonkeyPatch) -> None:
        """Neither the library nor the store looks whether a key has been used."""
        batch_of = desk.batch_of

        def looks_away(self: AccountDesk, key: str, commit_id: str, terms: Any) -> Any:
            yield self.desk.store.find, (self.account, commit_id)

        patch.setattr(AccountDesk, "_first_order", looks_away)
        patch.setattr(desk, "batch_of", lambda step, commit_id: batch_of(step, None))

    @staticmethod
    def _fills_are_numbered_anew(patch: pytest.MonkeyPatch) -> None:
        """What was loaded from a snapshot begins again with the first fill id."""
        restored = snapshot._restored

        def anew(record: dict[str, Any]) -> AccountState:
            state = restored(record)
            state.next_fill = 1
            return state

        patch.setattr(snapshot, "_restored", anew)

    @staticmethod
    def _a_flip_only_opens(patch: pytest.MonkeyPatch) -> None:
        """A fill that crosses zero is not split into what it closes and what it opens."""
        split = filling.split_fill

        def whole(position: Any, instrument: Any, sign: int, quantity: int, price: int, value: int) -> Any:
            if abs(position.quantity_units) < quantity:
                return 0, value, 0, 0, 0
            return split(position, instrument, sign, quantity, price, value)

        patch.setattr(filling, "split_fill", whole)

    guards: ClassVar[Mapping[str, Guard]] = {
        "K1": _keys_are_forgotten,
        "E4": _fills_are_numbered_anew,
        "P3": _a_flip_only_opens,
    }


class WarmRestartEquivalence(Failure):
    """A process starts over a store that is not empty, and is not what the one before it was.

    The peer's restart invented orders to explain what it found, closed positions, or came to something else each time.
    Here a restart decides nothing: the state is the fold of the journal, with or without a snapshot.
    """

    name = "warm_restart_equivalence"
    source = "nautilus_trader #3176, #4736, #3878"
    setup = FIFO

    def turns(self) -> list[Turn]:
        """Two queues, a linked pair, a partly filled order, lots and a latch, over several restarts."""
        script = Script().quote(1, "49.99", "50.00").at(2, order(1, "10", key="one")).quote(3, "50.09", "50.10")
        script.at(3, order(1, "5"), order(1, "8", limit="49.50"), order(1, "8", limit="49.50")).restart(4)
        script.quote(5, "50.04", "50.05").at(5, say.PlacePair(terms(-1, "15", limit="52"), terms(-1, "15", stop="48")))
        script.at(6, Snapshot()).quote(7, "49.40", "49.45", "3").restart(8).quote(9, "49.48", "49.50", "7").restart(10)
        script.at(11, say.Kill(), Snapshot(), ReadAll()).restart(12).quote(13, "52.10", "52.20", "6").restart(14)
        return script.quote(15, "52.20", "52.30").turns

    def reached(self, world: World) -> None:
        """Every restart found something to lose, and the orders at one price filled in their order."""
        found = counted(world)
        for what in ("a position", "a linked pair", "a partly filled order", "a latch"):
            assert found[f"restart with {what}"], what
        for what in ("restart from a snapshot", "oco_reduced", "kill_switch"):
            assert found[what], what
        assert [row["number"] for row in records(world, "order_filled")] == [1, 2, 3, 3, 4, 5, 5]

    @staticmethod
    def _queues_begin_anew(patch: pytest.MonkeyPatch) -> None:
        """Whoever waited goes to the end of the queue when a process starts."""
        adopt = engine.Engine.adopt

        def last_come(self: engine.Engine, state: AccountState, profile: Any) -> Seat:
            for found in state.orders.values():
                found.priority += 100
            return adopt(self, state, profile)

        patch.setattr(engine.Engine, "adopt", last_come)

    @staticmethod
    def _lots_become_one(patch: pytest.MonkeyPatch) -> None:
        """A snapshot keeps what a position is, and forgets how it came about."""
        restored = snapshot._restored

        def pooled(record: dict[str, Any]) -> AccountState:
            state = restored(record)
            for position in state.positions.values():
                if len(position.lots) > 1:
                    first = position.lots[0].opened_ns
                    position.lots = (Lot(position.quantity_units, position.pq, position.cost_units, first),)
            return state

        patch.setattr(snapshot, "_restored", pooled)

    guards: ClassVar[Mapping[str, Guard]] = {"E2": _queues_begin_anew, "E4": _lots_become_one}


class RestartNoNewMarket(Failure):
    """A process starts, and a stop that the market never reached closes the position.

    The peer compared the stop with a price that it did not have. Here there is no market after a restart until there
    is one: nothing fills, nothing triggers, however much time passes.
    """

    name = "restart_no_new_market"
    source = "freqtrade #8328"
    setup = FIFO

    def turns(self) -> list[Turn]:
        """A position with a stop, a restart, days without a datum, an order that has to wait, and a datum."""
        script = Script().at(0, order(1, "1", key="early")).quote(1, "19.99", "20.00").at(2, order(1, "10"))
        script.at(3, order(-1, "10", stop="18")).restart(4).at(5, say.Advance(script.turns[0].at_ns + 2 * DAY))
        script.at(2 * 86_400 + 1, order(-1, "3", reduce_only=True), ReadAll()).restart(2 * 86_400 + 2)
        script.at(3 * 86_400, say.Advance(script.turns[0].at_ns + 3 * DAY))
        return script.quote(3 * 86_400 + 5, "21.99", "22.00").turns

    def reached(self, world: World) -> None:
        """Two restarts with a stop and a position, two new days, and the only later fill came with the quote."""
        found = counted(world)
        assert found["restart with a waiting stop"] == found["restart with a position"] == 2
        assert found["day_rolled"] >= 2
        assert amounts(records(world, "order_filled"), "rule") == ["Q1", "Q2"]
        assert not records(world, "order_triggered")

    @staticmethod
    def _stops_meet_what_is_not_there(patch: pytest.MonkeyPatch) -> None:
        """Without a market the clock compares stops with nothing, which is below all of them."""
        run_clock = engine.run_clock

        def looks_for_work(step: Step) -> None:
            run_clock(step)
            for symbol in tuple(step.state.holdings):
                market = step.markets[symbol]
                if market.quote_ns == NEVER:
                    tick = market.instrument.tick_units
                    market.take_quote(tick, tick, None, None, step.now_ns)
                    match_standing(step, market, sorted(step.state.orders))

        patch.setattr(engine, "run_clock", looks_for_work)

    @staticmethod
    def _prices_outlive_the_process(patch: pytest.MonkeyPatch) -> None:
        """The last mark is kept where the next process finds it.

        The auditor knows what a process was shown and would say so first; here it looks away, so that what is left to
        notice it is a second run of the same turns.
        """
        kept: dict[str, int | None] = {}
        begin, take = Market.__init__, Market.take_quote

        def begins(self: Market, instrument: Instrument, hours: MarketHours | None = None) -> None:
            begin(self, instrument, hours)
            self.kept_mark_units = kept.get(self.symbol)

        def takes(self: Market, *datum: Any) -> bool:
            news = take(self, *datum)
            kept[self.symbol] = self.mark_units
            return news

        def looks_away(self: Money, fields: dict[str, Any]) -> None:
            self.books.at_cost = []

        def believes(self: Money, fields: dict[str, Any], marks: dict[str, int] | None) -> tuple[list[str], list[str]]:
            return sorted(symbol for symbol, held in self.books.holdings.items() if held.quantity), fields["unmarked"]

        patch.setattr(Money, "_unmarked", looks_away)
        patch.setattr(Money, "_seen_marks", believes)
        patch.setattr(Market, "__init__", begins)
        patch.setattr(Market, "take_quote", takes)

    guards: ClassVar[Mapping[str, Guard]] = {"M7": _stops_meet_what_is_not_there, "E3": _prices_outlive_the_process}


RESTARTS: tuple[type[Failure], ...] = (RestartWithFlip, WarmRestartEquivalence, RestartNoNewMarket)
