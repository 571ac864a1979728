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


def judge(scene: Scene, field: Field, value: Any, what: str, before: list[object]) -> tuple[str | None, bool]:
    """What is wrong about the outcome, None when nothing is; and whether the value was refused without a trace."""
    why, took = give(scene, field, value, what)
    if took > HANG_S:
        return f"{what}: took {took:.1f} s", False
    if why is None:
        return None if field.holds(value) else f"{what}: was taken, and means nothing there", False
    if not isinstance(why, UsageError):
        return f"{what}: raised {type(why).__name__}: {str(why)[:100]}", False
    if len(str(why)) > 1_500 or "\n" in str(why):
        return f"{what}: an error text of {len(str(why))} characters", False
    changed = scene.marks() != before
    return f"{what}: raised, and changed something" if changed else None, not changed


def test_there_are_enough_values() -> None:
    """Three hundred values and more, in more than two hundred fields."""
    assert len(VALUES) >= 300
    assert len(FIELDS) >= 200


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_value_in_every_field(name: str) -> None:
    """Each value is refused with a UsageError that left no trace, or it means something in that field."""
    field, scene = FIELDS[name], Scene()
    before, wrong = scene.marks(), []
    for value_name, make in VALUES.items():
        found, refused = judge(scene, field, make(), f"{name} <- {value_name}", before)
        if found is not None:
            wrong.append(found)
        if found is not None or (not refused and scene.marks() != before):
            scene = Scene()
            before = scene.marks()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", range(20))
def test_generated_bad_commands(seed: int) -> None:
    """Two thousand commands with several hostile fields each, one after another on one exchange that must survive."""
    draw, scene = Random(seed), Scene()
    names, values = list(FIELDS), list(VALUES)
    for number in range(100):
        name, value_name = draw.choice(names), draw.choice(values)
        before = scene.marks()
        what = f"{name} <- {value_name} (seed {seed}, number {number})"
        assert judge(scene, FIELDS[name], VALUES[value_name](), what, before)[0] is None


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
