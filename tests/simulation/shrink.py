"""Making a failing run short: turns are left out as long as the same invariant still breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .auditor.broken import BrokenInvariantError
from .closing import close_books, compare_with_oracle, settle
from .swarm import Profile
from .turns import Turn
from .world import World

MOST_RUNS = 3_000


def breaks(profile: Profile, turns: Sequence[Turn]) -> str | None:
    """Which invariant these turns break, the closing checks included; None when they break none.

    Everything is looked at after every turn, so that a break is seen where it happens and the turns after it can go.
    """
    world = World(profile, full_every=1)
    try:
        for turn in turns:
            world.play(turn)
        if profile.calm:
            compare_with_oracle(world, turns)
        settle(world)
        close_books(world)
    except BrokenInvariantError as broken:
        return broken.name
    except Exception:
        return "A1"
    return None


def shrunk(turns: Sequence[Turn], fails: Callable[[Sequence[Turn]], bool]) -> list[Turn]:
    """The turns without what can be left out: whole stretches first, single turns last, until nothing more goes."""
    kept, size, runs = list(turns), max(1, len(turns) // 2), 0
    while runs < MOST_RUNS:
        before, at = len(kept), 0
        while at < len(kept) and runs < MOST_RUNS:
            shorter = kept[:at] + kept[at + size :]
            runs += 1
            if fails(shorter):
                kept = shorter
            else:
                at += size
        if size > 1:
            size //= 2
        elif len(kept) == before:
            break
    return kept
