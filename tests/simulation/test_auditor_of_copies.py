"""A copy of an account begins with what its source has, and goes on as any other: the auditor finds nothing wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import attrs
import pytest

from papertrade.codec.events import encode_event
from papertrade.domain.events import AccountCloned, CashDeposited, Event, PositionImported

from .audited import Audited
from .auditor import Auditor, BrokenInvariantError
from .swarm import facts_of

SEEDS = range(12)
BEFORE, AFTER = 80, 80


def begun(seed: int, told: Callable[[Event], Event] = lambda event: event) -> Audited:
    """A seeded account, and then a copy of it in its place, with an auditor that is told of the copy."""
    done = Audited(seed)
    for _ in range(BEFORE):
        done.step()
    copy = done.driven.exchange.clone_account(done.setup.account, "copy", command_id="copied")
    done.hear()  # what was due for the source is done before it is copied
    auditor = Auditor(attrs.evolve(facts_of(done.setup), account="copy", start_cash_units=0))
    auditor.begins_as(done.auditor)
    clock = done.driven.exchange._desk.now()
    events = list(copy.events())
    for event in events:
        auditor.take(encode_event(told(event)), done.process, max(clock, done.latest), "clone:copied", clock)
    auditor.after_step(copy)
    done.auditor, done.driven.broker, done.driven._seen = auditor, copy, len(events)
    done.driven.setup = attrs.evolve(done.setup, account="copy")
    return done


@cache
def run(seed: int) -> Audited:
    """A copy that went on for a while."""
    done = begun(seed)
    for _ in range(AFTER):
        done.step()
    return done


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_wrong_with_a_copy(seed: int) -> None:
    """It begins with the money and the lots of its source, and trades on by the same rules."""
    done = run(seed)
    done.auditor.full(done.driven.broker)
    done.auditor.read_again()


def test_copies_have_something() -> None:
    """Several begin with positions, and several trade."""
    reached: Counter[str] = sum((run(seed).auditor.reached() for seed in SEEDS), Counter())
    assert reached["copied_with_positions"] >= 3
    assert sum(1 for seed in SEEDS if run(seed).driven.broker.fills()) >= 6


def other(kind: type[Any], **change: Any) -> Callable[[Event], Event]:
    """Events as they were, but for one field of one kind."""
    return lambda event: event._replace(**change) if isinstance(event, kind) else event  # type: ignore[attr-defined]


LIES = {
    "more cash": other(CashDeposited, amount_units=10**9),
    "another source": other(AccountCloned, source_account="nobody"),
    "another version": other(AccountCloned, source_version=1),
    "another cost": other(PositionImported, cost_units=5 * 10**9),
    "another price": other(PositionImported, price_units=10**6),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_copy_of_something_else_is_named(lie: str) -> None:
    """Whatever the copy does not have from its source."""
    seed = next(s for s in SEEDS if run(s).auditor.reached()["copied_with_positions"])
    with pytest.raises(BrokenInvariantError, match="P8 is broken in account 'copy'"):
        begun(seed, LIES[lie])
