"""The exchange and the oracle under the same random commands, with every invariant checked after every step.

Many more of them: ``HYPOTHESIS_PROFILE=long pytest tests/properties/test_state_machine.py``.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from strategies_trading import SECOND, START, lots, market_data, order_terms, pauses, setups, ticks

from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.testing.differential import SideBySide
from papertrade.testing.oracle import Setup
from papertrade.testing.oracle import vocabulary as say

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


class TradingMachine(RuleBasedStateMachine):
    """One account, driven by whatever Hypothesis thinks of; a shrunk failure is a short story of commands."""

    both: SideBySide

    @initialize(setup=setups())
    def open(self, setup: Setup) -> None:
        self.both = SideBySide(setup)
        self.now = START
        self.both.give(say.Advance(START))

    # ------------------------------------------------------------- helpers

    def instrument(self, data: st.DataObject):
        return data.draw(st.sampled_from(self.both.setup.instruments))

    def open_numbers(self, free: bool = False, symbol: str | None = None) -> list[int]:
        return [o.number for o in self.both.oracle.open_orders(symbol) if not (free and o.oco)]

    # ---------------------------------------------------------------- data

    @rule(data=st.data(), pause=pauses)
    def datum(self, data: st.DataObject, pause: int) -> None:
        self.now += pause
        self.both.give(data.draw(market_data(self.instrument(data), self.now)))

    @rule(data=st.data(), late=st.sampled_from((1, SECOND, 90 * SECOND)))
    def late_datum(self, data: st.DataObject, late: int) -> None:
        self.both.give(data.draw(market_data(self.instrument(data), max(self.now - late, START))))

    @precondition(lambda self: self.both.commands)
    @rule(back=st.integers(1, 3))
    def datum_again(self, back: int) -> None:
        data = (say.Quote, say.LastPrice, say.Print, say.Bar, say.Depth)
        sent = [command for command in self.both.commands if isinstance(command, data)]
        if len(sent) >= back:
            self.both.give(sent[-back])

    @rule(data=st.data(), halted=st.booleans())
    def halt(self, data: st.DataObject, halted: bool) -> None:
        self.both.give(say.Halt(self.instrument(data).symbol, halted))

    @rule(pause=st.sampled_from((SECOND, 3_600 * SECOND, 200_000 * SECOND)))
    def advance(self, pause: int) -> None:
        self.now += pause
        self.both.give(say.Advance(self.now))

    # --------------------------------------------------------------- orders

    @rule(data=st.data())
    def place(self, data: st.DataObject) -> None:
        self.both.give(say.Place(data.draw(order_terms(self.instrument(data), self.now))))

    @rule(data=st.data())
    def place_linked(self, data: st.DataObject) -> None:
        instrument = self.instrument(data)
        free = self.open_numbers(free=True, symbol=instrument.symbol)
        linked = data.draw(st.sampled_from(free)) if free else 0
        terms = data.draw(order_terms(instrument, self.now, rests=True, linked=linked))
        self.both.give(say.Place(terms))

    @rule(data=st.data())
    def place_pair(self, data: st.DataObject) -> None:
        instrument = self.instrument(data)
        first, second = (data.draw(order_terms(instrument, self.now, rests=True)) for _ in range(2))
        self.both.give(say.PlacePair(first, second))

    @precondition(lambda self: len(self.both.oracle.open_orders()) > 1)
    @rule(data=st.data())
    def link(self, data: st.DataObject) -> None:
        free = self.open_numbers(free=True, symbol=self.instrument(data).symbol)
        if len(free) > 1:
            self.both.give(say.Link(*data.draw(st.permutations(free))[:2]))

    @precondition(lambda self: self.both.oracle.orders)
    @rule(data=st.data(), quantity=st.one_of(st.none(), lots), limit=ticks, stop=ticks)
    def modify(self, data: st.DataObject, quantity: int | None, limit: int, stop: int) -> None:
        oracle = self.both.oracle
        order = oracle.orders[data.draw(st.sampled_from(sorted(oracle.orders)))]
        instrument = oracle.markets[order.symbol].instrument
        change = say.Modify(
            order.number,
            None if quantity is None else quantity * instrument.lot_units,
            limit * instrument.tick_units if order.terms.limit_units is not None else None,
            stop * instrument.tick_units if order.terms.stop_units is not None else None,
        )
        if change[1:4] != (None, None, None):
            self.both.give(change)

    @precondition(lambda self: self.both.oracle.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.both.give(say.Cancel(data.draw(st.sampled_from(sorted(self.both.oracle.orders)))))

    @precondition(lambda self: self.both.oracle.held_keys())
    @rule(data=st.data(), part=st.one_of(st.none(), lots))
    def close(self, data: st.DataObject, part: int | None) -> None:
        oracle = self.both.oracle
        symbol = data.draw(st.sampled_from(oracle.held_keys()))
        lot = oracle.markets[symbol].instrument.lot_units
        self.both.give(say.Close(symbol, None if part is None else part * lot))

    @rule(everything=st.booleans())
    def clear(self, everything: bool) -> None:
        self.both.give(say.CloseAll() if everything else say.CancelAll())

    # ------------------------------------------------- money, limits, restarts

    @rule(amount=st.sampled_from((10**9, 10**12)), comes=st.booleans())
    def cash(self, amount: int, comes: bool) -> None:
        self.both.give(say.Deposit(amount) if comes else say.Withdraw(amount))

    @rule()
    def kill(self) -> None:
        self.both.give(say.Kill())

    @rule(limit=st.sampled_from(("kill_switch", "max_daily_loss", "max_drawdown")))
    def reset(self, limit: str) -> None:
        self.both.give(say.ResetLimit(limit))

    @rule()
    def restart(self) -> None:
        self.both.give(say.Restart())
        self.both.give(say.Advance(self.now))

    # ----------------------------------------------------------- after each step

    @invariant()
    def every_invariant_holds(self) -> None:
        if hasattr(self, "both"):
            self.both.check_state()

    @invariant()
    def state_is_fold_is_snapshot(self) -> None:
        if hasattr(self, "both"):
            live = self.both.driven.broker.digest()
            state = fold(AccountState(), self.both.driven.store.load(self.both.setup.account))
            assert digest(state) == live, "the live state is not the fold of its journal"
            assert digest(restore(snapshot(state))) == live, "a snapshot does not give the state back"


TestTradingMachine = TradingMachine.TestCase
TestTradingMachine.settings = settings(
    max_examples=400 if LONG else 24,
    stateful_step_count=100 if LONG else 40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
