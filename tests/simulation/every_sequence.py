"""Every sequence of three commands in a small world, on the exchange and on the oracle, with nothing left to chance.

Most bugs of a matching engine need few orders and few prices, only the right ones in the right order. Seeded runs look
at long histories and find such a constellation when the dice do; here a world small enough to be walked through
completely leaves no constellation out. After every command both sides have to have made the same bytes, and at the end
of every sequence, short ones included, every invariant holds.

``python -m tests.simulation.every_sequence`` walks all of it, which takes the better part of an hour;
``--part 3/20`` walks the third of twenty parts, which together are the whole.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE
from papertrade.ledger.fee_models import PerUnitFee
from papertrade.ledger.margin import FlatMargin
from papertrade.matching.settings import FillSettings
from papertrade.risk.limits import RiskLimits
from papertrade.testing.chance import START
from papertrade.testing.differential import DifferenceError, SideBySide
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command, Setup

from .alphabet import ALPHABET, HIGH, LOW, SHOWN, SMALL, SYMBOL, TICK, Letter, Moment, order

INSTRUMENT = Instrument(SYMBOL, currency="USD", tick_size="1", lot_size="1")

# The two accounts differ in everything that can be set, so that each rule of a pair is walked through in one of them.
# Money is short enough that the second large order is refused, and losses small enough that a limit is reached.
CASH = Setup(
    instruments=(INSTRUMENT,),
    cash_units=700 * SCALE,
    fees=PerUnitFee("0.05", minimum=1),
)
MARGIN = Setup(
    instruments=(INSTRUMENT,),
    cash_units=400 * SCALE,
    margin=FlatMargin(initial="0.5", maintenance="0.25"),
    fees=PerUnitFee("0.05"),
    limits=RiskLimits(max_daily_loss=5, max_open_orders=3),
    fill=FillSettings(
        name="touching",
        limit_fill="touch",
        gap_fill="open",
        intrabar="adaptive",
        stop_through="trigger",
        oco_partial="cancel",
        over_funds="fit",
    ),
    cost_method="fifo",
)

# The deposit dates the journal, so that the time is known after a restart too. What the first datum ever does to an
# order that was placed before any time was known is outside of what the oracle describes.
NOTHING: tuple[Command, ...] = (say.Advance(START), say.Deposit(SCALE))
# A quote stands and two are held: less than the larger quantity, so that selling it closes and flips, or is too much.
HOLDING: tuple[Command, ...] = (say.Quote(SYMBOL, LOW, HIGH, None, None, START), order(1, SHOWN))
# Two exits wait as well, one on each side of the quote, so that three letters are enough to link, fill and go on.
LEAVING: tuple[Command, ...] = (*HOLDING, order(-1, SMALL, HIGH), order(-1, SMALL, None, LOW - TICK))


class World(NamedTuple):
    """An account, and what has happened before the first letter."""

    name: str
    setup: Setup
    before: tuple[Command, ...]

    def begin(self) -> SideBySide:
        """Both sides, ready for the first letter."""
        both = SideBySide(self.setup)
        for command in self.before:
            both.give(command)
        return both


WORLDS: tuple[World, ...] = (
    World("cash, nothing yet", CASH, NOTHING),
    World("cash, holding two", CASH, HOLDING),
    World("cash, with two exits", CASH, LEAVING),
    World("margin, nothing yet", MARGIN, NOTHING),
    World("margin, holding two", MARGIN, HOLDING),
    World("margin, with two exits", MARGIN, LEAVING),
)


class Count(NamedTuple):
    """What was walked through."""

    sequences: int = 0  # given to both sides, compared, and checked at the end
    meaningless: int = 0  # not given: a letter had nothing to point at
    events: int = 0


def sequences(depth: int, part: int = 1, parts: int = 1) -> Iterator[tuple[World, tuple[Letter, ...]]]:
    """The sequences of 1 to ``depth`` letters in every world, or every ``parts``-th of them."""
    place = 0
    for world in WORLDS:
        for length in range(1, depth + 1):
            for letters in product(ALPHABET, repeat=length):
                if place % parts == part - 1:
                    yield world, letters
                place += 1


def walk(world: World, letters: Sequence[Letter]) -> int | None:
    """Give a sequence to both sides; answers how many events it made, or None when a letter has no meaning in it."""
    both = world.begin()
    before = len(both.oracle.events)
    try:
        for letter in letters:
            command = letter.spell(Moment(both.oracle))
            if command is None:
                return None
            both.give(command)
        both.check_state()
    except AssertionError as why:
        named = ", ".join(letter.name for letter in letters)
        raise DifferenceError(f"{world.name}: {named}\n{why}") from why
    return len(both.oracle.events) - before


def walk_all(depth: int, part: int = 1, parts: int = 1) -> Count:
    """Walk through every sequence, or a part of them; raises ``DifferenceError`` at the first that is wrong."""
    walked = meaningless = events = 0
    for world, letters in sequences(depth, part, parts):
        made = walk(world, letters)
        if made is None:
            meaningless += 1
        else:
            walked, events = walked + 1, events + made
    return Count(walked, meaningless, events)


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    found = int(part), int(parts)
    if not 1 <= found[0] <= found[1]:
        raise ValueError(text)
    return found


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.every_sequence", description=__doc__)
    parser.add_argument("--depth", type=int, default=3, help="the most commands in a sequence")
    parser.add_argument("--part", type=_part, default=(1, 1), help="which part of how many, such as 1/20")
    options = parser.parse_args(args)
    began = time.monotonic()
    count = walk_all(options.depth, *options.part)
    spent = time.monotonic() - began
    print(
        f"{count.sequences} sequences of up to {options.depth} commands out of {len(ALPHABET)} in {len(WORLDS)} worlds "
        f"({count.meaningless} more have no meaning), {count.events} events, 0 differences; {spent:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
