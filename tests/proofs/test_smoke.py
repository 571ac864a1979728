"""The proofs run at all: what they start from passes their checks, their checks bite, and their contracts are true.

The proofs themselves take minutes and tools that the tests do not need; README.md beside this file has the commands.
"""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from papertrade.domain.instruments import Instrument
from papertrade.errors import StoreCorruptError
from papertrade.ledger import fee_models, margin, positions

from . import command_checks, crosshair_money, crosshair_planted, decoder_checks
from .prove_money import MONEY, PLANTED, promises

# ------------------------------------------------------------------ fuzzing


def test_each_reader_takes_what_the_fuzzer_starts_from() -> None:
    """Every golden record is an event, both snapshots restore, and all of it is canonical."""
    seen = decoder_checks.Seen()
    for data in decoder_checks.seeds():
        decoder_checks.check(data, seen)
    assert seen.taken["decode_event"] >= 20
    assert seen.taken["restore"] == 2
    assert seen.taken["from_bytes"] > seen.taken["decode_event"]


def test_changed_records_are_corrupt_or_other_records() -> None:
    """E12: two thousand records with one or two places changed; some of each are still read."""
    seen, records = decoder_checks.Seen(), decoder_checks.seeds()
    for seed in range(2_000):
        decoder_checks.check(decoder_checks.change(records[seed % len(records)], seed), seen)
    assert min(seen.taken.values()) > 10
    assert min(seen.refused.values()) > 20


def test_a_reader_that_guesses_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check bites: a reader that repairs what it reads, and one that raises something else."""

    def guesses(data: bytes) -> object:
        return decoder_checks.from_bytes(data.strip())

    def raises(data: bytes) -> object:
        raise KeyError("kind")

    monkeypatch.setitem(decoder_checks.READERS, "from_bytes", (guesses, decoder_checks.to_bytes))
    with pytest.raises(AssertionError, match="written again as"):
        decoder_checks.check(b"{} ", decoder_checks.Seen())
    monkeypatch.setitem(decoder_checks.READERS, "from_bytes", (raises, decoder_checks.to_bytes))
    with pytest.raises(KeyError):
        decoder_checks.check(b"{}", decoder_checks.Seen())
    with pytest.raises(StoreCorruptError):
        decoder_checks.decode_event(b"{}")


def test_the_command_fuzzer_starts_from_commands_that_work() -> None:
    """Each kind of command is done at least once, and most kinds of order events happen."""
    seen = command_checks.Seen()
    for data in command_checks.seeds():
        command_checks.check_commands(data, seen)
    assert set(seen.done) == set(command_checks.COMMANDS)
    assert {"order_filled", "order_rejected", "order_modified", "order_canceled", "order_triggered"} <= set(seen.events)
    assert seen.errors


def test_spliced_commands_leave_no_trace_when_they_fail() -> None:
    """A2: five hundred texts of good and bad pieces, seeded."""
    seen, texts = command_checks.Seen(), command_checks.seeds()
    for seed in range(500):
        texts.append(command_checks.change(texts[seed], seed))
        command_checks.check_commands(texts[-1], seen)
    assert sum(seen.errors.values()) > 300
    assert sum(seen.done.values()) > 300
    assert seen.checked > 20


# ------------------------------------------------------------------ contracts


def numbers(draw: Random) -> int:
    """Small, round, huge and in between, of both signs."""
    size = draw.choice((draw.randrange(20), 10 ** draw.randrange(20), draw.randrange(10 ** draw.randrange(1, 22))))
    return draw.choice((1, 1, 1, -1)) * (size + draw.choice((0, 0, 1, -1, 5, 5_000_000)))


def _preconditions(function: Callable[..., None]) -> range:
    """The lines of the asserts that a function begins with."""
    source, first = inspect.getsourcelines(function)
    body = ast.parse("".join(source)).body[0].body[1:]  # type: ignore[attr-defined]  # a function
    count = next((n for n, node in enumerate(body) if not isinstance(node, ast.Assert)), len(body))
    # Where nothing stands between, the last assert is the promise.
    count = count if count < len(body) else len(body) - 1
    return range(first, first + body[count].lineno - 1)


def holds(function: Callable[..., None], tries: int) -> str | None:
    """The first numbers that break a contract, of this many that it is about; None when there are none."""
    draw, tried = Random(function.__name__), 0
    skipped, names = _preconditions(function), list(inspect.signature(function).parameters)
    for _ in range(tries * 200):
        given = {name: numbers(draw) for name in names}
        try:
            function(**given)
        except AssertionError as why:
            frame = traceback.extract_tb(why.__traceback__)[-1]
            if frame.name == function.__name__ and frame.lineno in skipped:
                continue
            return f"{function.__name__}({given})"
        tried += 1
        if tried == tries:
            return None
    raise RuntimeError(f"{function.__name__} is about {tried} of the numbers drawn: draw others")


@pytest.mark.parametrize("name", promises(MONEY))
def test_each_promise_holds_for_drawn_numbers(name: str) -> None:
    """L9: what CrossHair looks for, on three hundred draws."""
    assert holds(getattr(crosshair_money, name), 300) is None


def test_there_are_promises_to_prove() -> None:
    """Every function with parameters and a docstring in the file is a promise; none is left out by its form."""
    public = [n for n, f in vars(crosshair_money).items() if inspect.isfunction(f) and n[0] != "_"]
    own = [n for n in public if getattr(crosshair_money, n).__module__ == crosshair_money.__name__]
    assert promises(MONEY) == own
    assert len(own) >= 26
    assert len(promises(PLANTED)) == 2


@pytest.mark.parametrize("name", promises(PLANTED))
def test_planted_mistakes_break_their_promise(name: str) -> None:
    """The control: drawn numbers find what CrossHair has to find."""
    assert holds(getattr(crosshair_planted, name), 300) is not None


def _floor(numerator: int, denominator: int) -> int:
    return numerator // denominator


def _nearest_share(amount: int, part: int, whole: int, step: int = 1) -> int:
    return (2 * amount * part + whole) // (2 * whole)


WRONG: dict[str, tuple[Any, str, Any, str]] = {
    "nearest is a floor": (crosshair_money, "divide_nearest", _floor, "nearest_is_at_most_half_away"),
    "nearest takes sides": (crosshair_money, "divide_nearest", _floor, "nearest_knows_no_side"),
    "up is a floor": (crosshair_money, "divide_up", _floor, "up_is_the_ceiling"),
    "buyers are favored": (
        crosshair_money, "round_to_step", lambda u, s, sign: u // s * s, "a_buyer_pays_the_step_above",
    ),
    "sellers are favored": (
        crosshair_money, "round_to_step", lambda u, s, sign: -(-u // s) * s, "a_seller_gets_the_step_below",
    ),
    "shares to the nearest": (crosshair_money, "share_down", _nearest_share, "a_share_is_never_more"),
    "closes to the nearest": (positions, "share_down", _nearest_share, "the_last_close_takes_the_rest"),
    "values cut": (
        Instrument, "value", lambda self, p, q: p * q // (10**16) * 10**7, "stock_value_is_the_nearest_cent",
    ),
    "multiplier forgotten": (
        Instrument, "value", lambda self, p, q: (2 * p * q + 10**16) // (2 * 10**16) * 10**7,
        "contract_value_is_the_nearest_cent",
    ),
    "holds to the nearest": (Instrument, "value_up", Instrument.value, "a_hold_is_never_short"),
    "percent fees cut": (fee_models, "divide_nearest", _floor, "a_percent_fee_is_the_nearest_cent_in_bounds"),
    "unit fees cut": (fee_models, "divide_nearest", _floor, "a_unit_fee_is_the_nearest_cent"),
    "maker-taker fees cut": (fee_models, "divide_nearest", _floor, "a_maker_taker_fee_is_the_nearest_cent"),
    "margin cut": (margin, "divide_up", _floor, "initial_margin_is_never_short"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", list(WRONG))
def test_each_kind_of_promise_bites(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rounding in the wrong direction breaks the promise that is about it."""
    where, name, wrong, promise = WRONG[mistake]
    monkeypatch.setattr(where, name, wrong)
    assert holds(getattr(crosshair_money, promise), 300) is not None
