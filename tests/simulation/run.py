"""One seeded run from beginning to end, and what is known about it when it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import NamedTuple

from papertrade.testing.oracle import vocabulary as say

from .auditor.broken import BrokenInvariantError
from .closing import close_books, compare_with_oracle, settle
from .reached import counted
from .swarm import Profile, draw_profile
from .table import write_turn
from .turns import EVERY_HOST, Start, Turn
from .workload import Director
from .world import World

CANARY = 666
"""The seed that always fails: whoever does not hear of it hears of nothing."""


class Done(NamedTuple):
    """What a run came to."""

    seed: int
    turns: int
    events: int
    digest: str  # of every byte of every journal
    trail: str  # of every live state that was looked at on the way
    marks: Counter[str]


class RunFailedError(AssertionError):
    """A run found something: the line that repeats it, the invariant, the last events, the difference."""

    def __init__(
        self, seed: int, steps: int, turns: Sequence[Turn], broken: BrokenInvariantError, world: World
    ) -> None:
        self.seed, self.steps, self.turns, self.broken = seed, steps, list(turns), broken
        lines = [
            f"{broken.name} is broken in account {broken.account!r} after turn {len(turns)}",
            f"repeat it: python -m tests.simulation --seed {seed} --runs 1 --steps {steps}",
            f"found:    {broken.found}",
            f"expected: {broken.expected}",
            "the last turns:",
            *(f"  {write_turn(turn)}" for turn in turns[-5:]),
            "the last events:",
            *(f"  {data.decode()}" for data in world.disk.journal(broken.account)[-20:]),
        ]
        super().__init__("\n".join(lines))


def profile_of(seed: int) -> Profile:
    """The profile of a seed."""
    return draw_profile(Random(f"{seed}/profile"))


def run_seed(seed: int, steps: int, *, again: bool = False, thorough: bool = True, notices: bool = True) -> Done:
    """Run a seed; ``again`` runs its turns twice and compares the bytes (E3).

    ``thorough`` also asks the oracle (M10) and has every journal read by a second auditor at the end. Without
    ``notices`` the rare situations that take some looking for are not counted.
    """
    profile = profile_of(seed)
    world, turns = World(profile, notices=notices), []
    try:
        draw_turns(world, Director(seed, profile), steps, turns)
        if thorough and profile.calm:
            compare_with_oracle(world, turns)
        drawn = digest_of(world)
        settle(world)
        close_books(world, thorough)
        if again and digest_of(replayed(profile, turns)) != drawn:
            raise BrokenInvariantError("E3", "every account", "other bytes", "the same bytes from the same turns")
        if seed == CANARY:
            raise BrokenInvariantError("canary", "nobody", "a seed that always fails", "to be reported")
    except BrokenInvariantError as broken:
        raise RunFailedError(seed, steps, turns, broken, world) from broken
    except Exception as why:  # whatever it is, somebody has to be able to see it again
        broken = BrokenInvariantError("A1", "somebody", f"{type(why).__name__}: {why}", "nothing unforeseen")
        raise RunFailedError(seed, steps, turns, broken, world) from why
    events = sum(map(world.disk.head, world.names))
    return Done(seed, world.turns, events, digest_of(world), world.trail.hexdigest(), counted(world))


def draw_turns(world: World, director: Director, steps: int, turns: list[Turn]) -> None:
    """Let a director draw, and write down what it drew."""
    first = [Turn(director.data.now, slot, "", Start()) for slot in range(len(world.hosts))]
    begin = Turn(director.data.now, EVERY_HOST, "", say.Advance(director.data.now))
    # Under the data clock nobody knows the time before it is told; now and then nobody tells.
    for turn in (first[0],) if director.seed % 7 == 0 else (first[0], begin):
        turns.append(turn)
        world.play(turn)
    while len(turns) < steps:
        turn = director.next(world)
        turns.append(turn)
        world.play(turn)


def journals_of(seed: int, steps: int) -> dict[str, list[bytes]]:
    """The journals that a seed makes before its faults stop."""
    profile = profile_of(seed)
    world = World(profile)
    draw_turns(world, Director(seed, profile), steps, [])
    return {name: world.disk.journal(name) for name in world.names}


def replayed(profile: Profile, turns: Sequence[Turn]) -> World:
    """The world after these turns, without a director."""
    world = World(profile)
    for turn in turns:
        world.play(turn)
    return world


def digest_of(world: World) -> str:
    """The hash of every byte of every journal."""
    found = sha256()
    for name in sorted(world.disk.streams):
        found.update(name.encode())
        for data in world.disk.journal(name):
            found.update(data + b"\n")
    return found.hexdigest()
