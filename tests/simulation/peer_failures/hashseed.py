"""``python -m tests.simulation.peer_failures.hashseed``: digests of a run, as the sets of this process make them.

A line for the run untouched and one without each guard: the digest of every journal's bytes, and of the final state.
"""

from __future__ import annotations

import pytest

from ..run import digest_of, replayed
from .scene import broker_of
from .sets import HashseedMatrix


def main() -> None:
    """Play the run and print its digests."""
    failure = HashseedMatrix()
    for without in ("nothing", *failure.guards):
        with pytest.MonkeyPatch.context() as patch:
            if without != "nothing":
                failure.guards[without](patch)
            world = replayed(failure.profile(), failure.turns())
            print(without, digest_of(world), broker_of(world).digest())


if __name__ == "__main__":
    main()
