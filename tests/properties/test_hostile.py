"""A1, A2: every hostile value in every field is a typed error that changed nothing, or has a meaning there; soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hostile_commands import HANG_S, bad_command
from hostile_commands import judge as judge_command
from hostile_fields import Field, Scene, fields
from hostile_values import hostile_values

from papertrade.errors import UsageError
from papertrade.testing.invariants import check_account

FIELDS = fields()
VALUES = hostile_values()

_worst: dict[str, tuple[float, str]] = {"": (0.0, "")}


@pytest.fixture(scope="module", autouse=True)
def report(request: pytest.FixtureRequest) -> Iterator[None]:
    """Say afterwards what took longest; no assertion depends on it."""
    yield
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for seconds, what in sorted(_worst.values(), reverse=True)[:3]:
            terminal.write_line(f"\n{seconds * 1000:.1f} ms of process time: {what}")


def give(scene: Scene, field: Field, value: Any, what: str) -> tuple[BaseException | None, float]:
    """Hand one value over; answers what was raised and the process time it took."""
    began, why = time.process_time(), None
    try:
        field.give(scene, value)
    except Exception as raised:
        why = raised
    took = time.process_time() - began
    if took > _worst.get(what.split(" <- ")[0], (0.0, ""))[0]:
        _worst[what.split(" <- ")[0]] = took, what
    return why, took


def judge(scene: Scene, field: Field, value: Any, what: str) -> tuple[str | None, bool]:
    """What is wrong about the outcome, None when nothing is; and whether the value was refused. Traces come later."""
    why, took = give(scene, field, value, what)
    if took > HANG_S:
        return f"{what}: took {took:.1f} s", False
    if why is None:
        return None if field.holds(value) else f"{what}: was taken, and means nothing there", False
    if not isinstance(why, UsageError):
        return f"{what}: raised {type(why).__name__}: {str(why)[:100]}", False
    if len(str(why)) > 1_500 or "\n" in str(why):
        return f"{what}: an error text of {len(str(why))} characters", False
    return None, True


def traces(name: str, field: Field, refused: list[str]) -> list[str]:
    """Which of these values leaves a trace in a scene of its own, though it is refused there."""
    found = []
    for value_name in refused:
        scene = Scene()
        before, (_, again) = scene.marks(), judge(scene, field, VALUES[value_name](), value_name)
        if not again or scene.marks() != before:
            found.append(f"{name} <- {value_name}: raised, and changed something")
    return found or [f"{name}: refusing {', '.join(refused)} one after another changed something"]


def wrong_in(name: str, field: Field) -> list[str]:
    """What is wrong about the outcomes of a field.

    Many are refused in a row, and then one look shows whether any of them left a trace; only if one did is each looked
    at alone. What was refused before a value that was taken is refused once more where nothing else happens.
    """
    scene, fresh = Scene(), Scene().marks()
    wrong: list[str] = []
    refused: list[str] = []

    def nothing_is_left() -> None:
        if scene.marks() != fresh:
            wrong.extend(traces(name, field, refused))

    for value_name, make in VALUES.items():
        found, was_refused = judge(scene, field, make(), f"{name} <- {value_name}")
        if was_refused:
            refused.append(value_name)
        elif found is not None or scene.marks() != fresh:
            if found is not None:
                wrong.append(found)
            scene = Scene()
            if refused:
                for again in refused:
                    give(scene, field, VALUES[again](), f"{name} <- {again}")
                nothing_is_left()
                scene, refused = Scene(), []
    nothing_is_left()
    return wrong


def test_there_are_enough_values() -> None:
    """Three hundred values and more, in more than two hundred fields."""
    assert len(VALUES) >= 300
    assert len(FIELDS) >= 200


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_value_in_every_field(name: str) -> None:
    """Each value is refused with a UsageError that left no trace, or it means something in that field."""
    wrong = wrong_in(name, FIELDS[name])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("guilty", ["text: NUL", "object: complex"])
def test_a_trace_is_named(guilty: str) -> None:
    """The control: a command that changes something before it refuses one value is named, with that value alone."""
    found = VALUES[guilty]()

    def deposits(scene: Scene, value: Any) -> None:
        if type(value) is type(found) and value == found:
            scene.broker.deposit(1)
        if value is not None:  # one is taken, so that a run of refusals ends before the last of them
            raise UsageError("refused")
        scene.broker.deposit(2)

    wrong = wrong_in("planted", Field(lambda value: value is None, deposits))
    assert f"planted <- {guilty}: raised, and changed something" in wrong
    assert len(wrong) < 5


@pytest.mark.parametrize("seed", range(20))
def test_generated_bad_commands(seed: int) -> None:
    """Two thousand commands with several hostile fields each, one after another on one exchange that must survive."""
    draw, scene = Random(seed), Scene()
    names, values, before = list(FIELDS), list(VALUES), scene.marks()
    for number in range(100):
        name, value_name = draw.choice(names), draw.choice(values)
        what = f"{name} <- {value_name} (seed {seed}, number {number})"
        found, refused = judge(scene, FIELDS[name], VALUES[value_name](), what)
        after = scene.marks()
        assert found is None
        assert not refused or after == before, f"{what}: raised, and changed something"
        before = after


@pytest.mark.parametrize("seed", range(20))
def test_commands_with_several_bad_fields(seed: int) -> None:
    """Two thousand made-up commands in which any field may be bad: UsageError and no trace, or it means something.

    ``python -m tests.proofs.bad_commands`` gives twenty thousand of them.
    """
    draw, scene = Random(f"several {seed}"), Scene()
    outcomes = [judge_command(scene, bad_command(draw)) for _ in range(100)]
    assert [outcome.wrong for outcome in outcomes if outcome.wrong] == []
    assert sum(outcome.refused for outcome in outcomes) > 20
    assert scene.broker.buy("AAPL", 1).id  # it still trades
    check_account(scene.broker)
