"""One account on the real exchange with the auditor beside it: a journal to lie about, without a world around it."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

from papertrade.codec.events import encode_event
from papertrade.errors import UsageError
from papertrade.testing.chance import draw_setup
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import Driven
from papertrade.testing.oracle import Oracle, vocabulary

from .auditor import Auditor
from .swarm import facts_of


class Audited:
    """An exchange, the oracle that the drawing of commands looks at, and the auditor."""

    def __init__(self, seed: int) -> None:
        rng = Random(seed)
        self.setup = draw_setup(rng)
        self.driven, self.oracle = Driven(self.setup), Oracle(self.setup)
        self.drawer = Drawer(rng, self.setup)
        self.auditor = Auditor(facts_of(self.setup))
        self.process, self.latest = 1, 0
        self.told: list[tuple[Any, ...]] = []  # all calls of saw() and take(), in order
        self.hear()

    def step(self) -> None:
        """One command, and what the auditor thinks of it."""
        command = self.drawer.draw(self.oracle)
        if isinstance(command, vocabulary.Restart):
            self.process += 1
        self.show(command)
        for give in (self.driven.give, self.oracle.give):
            with suppress(UsageError):
                give(command)
        if self.hear():
            self.auditor.after_step(self.driven.broker)

    def show(self, command: Any) -> None:
        """Tell the auditor of a datum that is about to be delivered."""
        for call in self._data(command):
            self.latest = max(self.latest, call[3])
            self.told.append(call)
            self.auditor.saw(*call[:5], stamped=call[5], sequence=call[6])

    def _data(self, command: Any) -> list[tuple[Any, ...]]:
        end = getattr(command, "end", None) if isinstance(command, vocabulary.Bar) else getattr(command, "at", None)
        stamped = end is None
        at = self.driven.exchange._desk.now() if end is None else end
        seen: list[tuple[str, tuple[int | None, ...]]] = []
        if isinstance(command, vocabulary.Quote):
            seen = [("quote", (command.bid, command.ask, command.bid_size, command.ask_size))]
        elif isinstance(command, vocabulary.LastPrice):
            seen = [("price", (command.price,))]
        elif isinstance(command, vocabulary.Print):
            seen = [("trade", (command.price, command.size))]
        elif isinstance(command, vocabulary.Bar):
            seen = [("bar", (command.open, command.high, command.low, command.close, command.volume))]
        elif isinstance(command, vocabulary.Depth):
            seen = [("depth", tuple(n for level in side for n in level)) for side in (command.bids, command.asks)]
        sequence = getattr(command, "sequence", None)
        return [(self.process, command.symbol, kind, at, values, stamped, sequence) for kind, values in seen]

    def hear(self) -> bool:
        """Give the auditor the records that are new; answers whether there were any."""
        events = self.driven.new_events()
        clock = self.driven.exchange._desk.now()
        now = max(clock, self.latest)  # or a datum from a feed that is ahead of it
        for event in events:
            call = (encode_event(event), self.process, now, None, clock)
            self.told.append(call)
            self.auditor.take(*call)
        return bool(events)


def run_seed(seed: int, steps: int, every: int = 50) -> Audited:
    """A seeded run; raises ``BrokenInvariantError`` with the seed in its notes at the first violation."""
    run = Audited(seed)
    try:
        for step in range(1, steps + 1):
            run.step()
            if step % every == 0 or step == steps:
                run.auditor.full(run.driven.broker)
    except AssertionError as why:
        why.add_note(f"seed {seed}")
        raise
    return run
