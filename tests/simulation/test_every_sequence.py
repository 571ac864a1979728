"""A slice of every sequence: nothing differs in it, and it is wide enough to notice a bug."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from papertrade.engine import budgets, filling
from papertrade.errors import InvariantError
from papertrade.matching import rules
from papertrade.testing.differential import DifferenceError

from .alphabet import ALPHABET
from .every_sequence import WORLDS, main, sequences, walk, walk_all

DEPTH, PARTS = 3, 499  # a prime, so that a part is not a comb that misses a letter in a place


def test_the_slice_has_every_letter_in_every_place() -> None:
    """A part of the sequences is a fair one: each letter is first, second and last in it, in every world."""
    found = {
        (world.name, place, letter.name)
        for world, letters in sequences(DEPTH, 1, PARTS)
        for place, letter in enumerate(letters)
        if len(letters) == DEPTH
    }
    assert len(found) == len(WORLDS) * DEPTH * len(ALPHABET)


def test_letters_have_one_name_each() -> None:
    """A sequence is reported by the names of its letters."""
    assert len({letter.name for letter in ALPHABET}) == len(ALPHABET)


def test_the_parts_are_the_whole() -> None:
    """Walking all parts, as several machines would, walks every sequence once."""
    whole = [(world.name, letters) for world, letters in sequences(2)]
    parts = [(world.name, letters) for part in (1, 2, 3) for world, letters in sequences(2, part, 3)]
    names = sorted((world, *(letter.name for letter in letters)) for world, letters in whole)
    assert names == sorted((world, *(letter.name for letter in letters)) for world, letters in parts)
    assert len(set(names)) == len(names) == len(WORLDS) * (len(ALPHABET) + len(ALPHABET) ** 2)


def test_no_sequence_of_the_slice_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """M10 and every invariant: exchange and oracle make the same bytes of every sequence."""
    assert main(["--depth", str(DEPTH), "--part", f"1/{PARTS}"]) == 0
    assert "0 differences" in capsys.readouterr().out


def test_an_order_for_the_day_after_a_restart_waits_for_the_time() -> None:
    """After a restart no time is known until a datum says it, so an order for the day is misuse, to both sides."""
    letters = {letter.name: letter for letter in ALPHABET}
    restart, for_the_day = letters["restart"], letters["buy 1 day limit 100"]
    for world in WORLDS:
        assert walk(world, (restart, for_the_day)) == 0
        assert walk(world, (restart, letters["quote between the prices"], for_the_day)) != 0


# ------------------------------------------------------------------ it can fail


def _everywhere(patch: pytest.MonkeyPatch, name: str, true: Any, wrong: Any) -> None:
    for module in [m for n, m in sys.modules.items() if n.startswith("papertrade.") and ".testing" not in n]:
        if getattr(module, name, None) is true:
            patch.setattr(module, name, wrong)


def fills_on_a_touch(patch: pytest.MonkeyPatch) -> None:
    """A print at the limit fills it, as if nobody stood in the queue."""
    _everywhere(patch, "goes_through", rules.goes_through, lambda p, sign, limit, s, tick: sign * (limit - p) >= 0)


def sells_the_displayed_size_again(patch: pytest.MonkeyPatch) -> None:
    """What was taken from a quote is forgotten at once."""
    _everywhere(patch, "used_up", budgets.used_up, lambda market, account, sign: 0)


def leaves_the_linked_order_alone(patch: pytest.MonkeyPatch) -> None:
    """Of two linked orders both fill."""
    patch.setattr(filling, "_settle_linked", lambda step, order, quantity: None)


def forgets_reduce_only(patch: pytest.MonkeyPatch) -> None:
    """An order that may only reduce fills whole."""
    _everywhere(patch, "fillable", filling.fillable, lambda step, order: (order.remaining_units, None))


BUGS: list[Callable[[pytest.MonkeyPatch], None]] = [
    fills_on_a_touch,
    sells_the_displayed_size_again,
    leaves_the_linked_order_alone,
    forgets_reduce_only,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the engine is met within the slice."""
    bug(monkeypatch)
    with pytest.raises((DifferenceError, InvariantError)) as found:
        walk_all(DEPTH, 1, PARTS)
    assert "TypeError" not in str(found.value), "the bug was planted wrongly"
