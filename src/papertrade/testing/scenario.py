"""Scenarios that a trader can read: market data, orders and what is expected of them, one line each.

A scenario file is plain text. ``scenario <title>`` begins each scenario, ``#`` a comment; lines before the first title
are shared by all scenarios of the file::

    account cash=10000
    instrument AAPL tick=0.01 lot=1

    scenario Q4 buy: a resting limit fills at its limit when the opposite quote is at or through it
    at 09:30:00 quote AAPL 100.00 x 300 / 100.04 x 200
    buy AAPL 50 limit 99.95                              -> accepted
    at 09:30:01 quote AAPL 99.90 x 300 / 99.95 x 20
    expect fill 20 @ 99.95 Q4 maker
    expect position AAPL 20 @ 99.95
    expect account cash=8001 held=2998.50 equity=9999.50
    expect order 1 partially_filled remaining=30

Every fill has to be expected by some line, in the order in which it happened, so that a scenario cannot overlook one. A
datum without ``at`` comes a second after what was before it. What follows ``->`` is about the order of that line. With
several accounts a line begins with the account's name and a colon. What comes and goes without a trade::

    deposit 1000 key=d-1
    withdraw 500
    import AAPL 10 @ 98.50, MSFT -5 @ 40 key=in-1
    reset 50000
    clone bob
    bob: sell AAPL 10

``tests/scenarios`` of the papertrade sources holds scenarios for every fill rule; the methods of ``Setup``, ``Actions``
and ``Checks`` describe each line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import papertrade as pt
from papertrade.domain.events import Event
from papertrade.errors import UsageError
from papertrade.testing.scenario_actions import Actions
from papertrade.testing.scenario_checks import Checks, Unmet
from papertrade.testing.scenario_reader import ARROW, Block, Line, ScenarioError, Words, read_blocks, words_of
from papertrade.testing.scenario_setup import Setup, World

__all__ = ["Played", "Scenario", "ScenarioError", "ScenarioFailure", "Unmet", "load_scenarios", "run_scenario"]


class ScenarioFailure(AssertionError):  # noqa: N818 - a failed test, not an error of the caller
    """Something that a scenario expects was not so: file, line, what was expected, what was found."""

    def __init__(self, title: str, unmet: tuple[Unmet, ...]) -> None:
        self.title, self.unmet = title, unmet
        super().__init__(f"scenario {title!r}\n" + "\n".join(map(str, unmet)))


class Played(NamedTuple):
    """What a scenario did, once everything it expects was so."""

    title: str
    fills: tuple[pt.Fill, ...]
    events: tuple[Event, ...]


class Scenario:
    """One scenario: its title, the file it was read from, and ``run()``."""

    def __init__(self, block: Block, where: str) -> None:
        self.title = block.title
        self.where = where
        self._lines = block.lines

    def run(self) -> Played:
        """Play it; raises ``ScenarioFailure`` with everything that was not as expected."""
        return _Player(self.title).play(self._lines, self.where)

    def __repr__(self) -> str:
        return f"<Scenario {self.title!r} of {self.where}>"


def load_scenarios(path: str | Path) -> list[Scenario]:
    """The scenarios of a file, or of every ``*.txt`` file of a folder."""
    start = Path(path)
    files = sorted(start.glob("*.txt")) if start.is_dir() else [start]
    if not files:
        raise UsageError(f"no scenario file (*.txt) in {start}")
    return [
        Scenario(block, str(file))
        for file in files
        for block in read_blocks(file.read_text(encoding="utf-8"), str(file))
    ]


def run_scenario(text: str, name: str = "scenario") -> Played:
    """Play the one scenario of a text; ``name`` stands for the file in what is reported."""
    blocks = read_blocks(text, name)
    if len(blocks) != 1:
        raise UsageError(f"{name}: found {len(blocks)} scenarios; accepted: one (load_scenarios reads several)")
    return Scenario(blocks[0], name).run()


# ------------------------------------------------------------------ playing


class _Player:
    """Plays the lines of one scenario: first what it is played on, then what happens and what is expected."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.setup = Setup()
        self.prepare: Final = {
            "date": self.setup.date,
            "clock": self.setup.clock_line,
            "account": self.setup.account,
            "instrument": self.setup.instrument,
            "fill": self.setup.fill_line,
            "fees": self.setup.fees_line,
            "limits": self.setup.limits_line,
        }
        self.world: World | None = None
        self.unmet: list[Unmet] = []

    def play(self, lines: tuple[Line, ...], where: str) -> Played:
        """All lines; then no fill may be left that nobody expected."""
        for line in lines:
            try:
                self._line(line)
            except ScenarioError:
                raise
            except UsageError as misuse:
                raise line.error(str(misuse)) from misuse
        if self.world is None:
            raise ScenarioError(where, lines[-1].number if lines else 1, f"nothing happens in {self.title!r}")
        for account in self.world.brokers:
            left = self.checks.unclaimed(account)
            if left:
                found = tuple(f"nobody expected {fill!r} of order {fill.order_id}" for fill in left)
                self.unmet.append(Unmet(lines[-1]._replace(text="(the end of the scenario)"), found))
        if self.unmet:
            raise ScenarioFailure(self.title, tuple(self.unmet))
        brokers = self.world.brokers.values()
        return Played(
            self.title,
            tuple(fill for broker in brokers for fill in broker.fills()),
            tuple(event for broker in brokers for event in broker.events()),
        )

    def _line(self, line: Line) -> None:
        words = words_of(line)
        if words.peek() in self.prepare:
            if self.world is not None:
                raise words.error(f"{words.peek()!r} comes too late: something has happened already")
            self.prepare[words.take("a word")](words)
            return
        if self.world is None:
            self.world = self.setup.open(words)
            self.actions = Actions(self.world, self.setup.calendar)
            self.checks = Checks(self.actions)
        self._address(words)
        if words.skip("expect"):
            self._note(line, self.checks.expect(words))
            return
        self._happen(line, words)

    def _address(self, words: Words) -> None:
        """Whose line it is, and when."""
        actions = self.actions
        actions.account = next(iter(actions.world.brokers))
        if words.peek().endswith(":"):
            actions.account = words.choose("an account", [f"{name}:" for name in actions.world.brokers])[:-1]
        actions.at = None
        if words.skip("at"):
            actions.at = self.setup.calendar.instant(words.take("a time"), actions.world.now, words)

    def _happen(self, line: Line, words: Words) -> None:
        doing, *outcome = words.split(ARROW)
        if len(outcome) > 1:
            raise words.error(f"found {ARROW!r} twice; accepted: once, with ';' between what is expected")
        if outcome and outcome[0].skip("misuse"):
            self._note(line, self._misuse(doing, outcome[0].rest()))
            return
        orders = self.actions.play(doing)
        if outcome:
            self._note(line, self.checks.outcome(outcome[0], orders))

    def _misuse(self, doing: Words, said: str) -> list[str]:
        """``-> misuse post_only``: the call is an error that says this, and leaves no trace."""
        try:
            orders = self.actions.play(doing)
        except ScenarioError:
            raise
        except UsageError as misuse:
            text = re.sub(r"\s+", " ", str(misuse))
            return [] if said in text else [f"misuse: expected {said!r} in it, found {text!r}"]
        return [f"misuse: expected {said!r}, found {orders!r}"]

    def _note(self, line: Line, differences: list[str]) -> None:
        if differences:
            self.unmet.append(Unmet(line, tuple(differences)))
