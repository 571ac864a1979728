"""How a run ends: faults stop and everything must be answered; then the books are closed, and the run is run again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from papertrade.codec.events import encode_event
from papertrade.testing.oracle import Oracle
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.copying import copied

from .audit import is_stage
from .auditor.broken import BrokenInvariantError
from .hosts import Host
from .looks import look, need_equal
from .store_sim import SimStore
from .swarm import SECOND
from .turns import EVERY_HOST, Clone, Deed, Die, Snapshot, Start, Take, Turn
from .world import DATA, World

TRIES = 4
CLOCKWORK = (
    "day_opened", "day_closed", "order_expired", "limit_latched", "margin_called", "margin_call_cleared",
    "equity_marked",
)
ASKED_AGAIN = 8


def settle(world: World) -> None:
    """G23, liveness: with no more faults every question is answered and every wait has a reason."""
    for slot, host in enumerate(world.hosts):
        if host is None:
            world.play(Turn(world.true_ns, slot, "", Start()))
    for market in world.profile.setups[0].instruments:
        world.play(Turn(world.true_ns, EVERY_HOST, "", say.Halt(market.symbol, False)))
    for name in world.names:
        _answer_everything(world, name)
    world.play(Turn(world.true_ns + SECOND, EVERY_HOST, "", say.Advance(world.true_ns + SECOND)))
    world.look()
    for name in world.names:
        for host in _hosts(world):
            if host.is_current(name):
                look(world, host, name)
        _release_everything(world, name)


def _hosts(world: World) -> list[Host]:
    return [host for host in world.hosts if host is not None]


def _take(world: World, slot: int, name: str) -> None:
    """Where accounts are owned, whoever is asked takes it first."""
    if world.profile.exclusive:
        world.play(Turn(world.true_ns, slot, name, Take()))


def _answer_everything(world: World, name: str) -> None:
    client = world.clients[name]
    for key in list(client.waiting):
        for attempt in range(TRIES):
            if key not in client.waiting:
                break
            slot = (world.turns + attempt) % len(world.hosts)
            _take(world, slot, name)
            world.play(Turn(world.true_ns, slot, name, client.keyed[key]))
            world.marks["answered after the faults"] += key not in client.waiting
        if key in client.waiting:
            raise BrokenInvariantError("K5", name, f"{key} has no answer after {TRIES} tries", "an answer")


def _release_everything(world: World, name: str) -> None:
    """L5, E2: with every order canceled nothing is held, and a new process finds what the old ones left."""
    for slot in range(len(world.hosts)):
        # Whoever has fallen behind learns of it by writing: his deposit meets a conflict, and then comes last.
        _take(world, slot, name)
        world.play(Turn(world.true_ns, slot, name, say.Deposit(10**9, f"last-{slot}")))
        world.play(Turn(world.true_ns, slot, name, say.CancelAll()))
        host = world.hosts[slot]
        state = None if host is None else host.live(name)
        if host is None or state is None or not host.is_current(name):
            raise BrokenInvariantError("E2", name, f"process {slot} is not current", "the end of its journal")
        need_equal("L5", name, state.held, 0)
    last = world.hosts[-1]
    assert last is not None
    before = last.broker(name).digest()
    world.play(Turn(world.true_ns, last.slot, name, Snapshot()))
    for deed in (Die(), Start()):
        world.play(Turn(world.true_ns, last.slot, "", deed))
    again = world.hosts[-1]
    need_equal("E4", name, None if again is None else again.broker(name).digest(), before)
    _ask_again(world, name, last.slot)


def _ask_again(world: World, name: str, slot: int) -> None:
    """K4: a process that has just started knows the keys of those before it; asking again changes nothing."""
    client = world.clients[name]
    for key in list(client.keyed)[-ASKED_AGAIN:]:
        head = world.disk.head(name)
        try:
            world.play(Turn(world.true_ns, slot, name, client.keyed[key]))
        except BrokenInvariantError as why:
            raise BrokenInvariantError("K4", name, f"{key} after a restart: {why}", "the first answer") from why
        need_equal("K4", name, (key, world.disk.head(name)), (key, head))


def close_books(world: World, twice: bool = True) -> None:
    """E1, E5: the chain worked out from the bytes is the one that was kept, and every record is kept.

    ``twice`` has every journal read by a second auditor, who has to come to the same books.
    """
    for name in world.names:
        if twice:
            world.auditors[name].read_again()
        stream = world.disk.streams.get(name)
        if stream is None:
            continue
        found = SimStore(world.disk, 0, lambda: 0, lambda: 0).verify(name)
        need_equal("E5", name, found.chain, stream.chain[-1])
        need_equal("E1", name, (found.version, stream.synced), (len(stream.records), len(stream.records)))


def compare_with_oracle(world: World, turns: Sequence[Turn]) -> None:
    """M10: in a calm run the slow oracle makes the same bytes of the same commands, account by account."""
    oracles = {
        # An account without a journal is one that nobody was ever up to open.
        setup.account: Oracle(setup) for setup in world.profile.setups if setup.account in world.disk.streams
    }
    for number, turn in enumerate(turns, 1):
        for oracle in list(oracles.values()):
            if not oracle.setup.data_clock and turn.at_ns > oracle.read:
                oracle.give(say.MoveClock(turn.at_ns))
            mine = turn.account == oracle.name or isinstance(turn.deed, (*DATA, say.Advance))
            if mine and number not in world.misused:
                _tell(oracles, oracle, turn.deed)
    for name, oracle in oracles.items():
        _compare(world, name, [encode_event(event) for event in oracle.events])


def _tell(oracles: dict[str, Oracle], oracle: Oracle, deed: Deed) -> None:
    """What was said to an account is said to its oracle. Asked for a copy again, it has made one."""
    if isinstance(deed, Clone):
        if deed.target not in oracles:
            oracles[deed.target] = copied(oracle, *deed)
    elif type(deed).__module__ == say.__name__:
        with suppress(ValueError, LookupError):  # misuse: both refuse it
            oracle.give(deed)  # type: ignore[arg-type]


def _compare(world: World, name: str, expected: list[bytes]) -> None:
    journal = world.disk.journal(name)
    for version, (found, wanted) in enumerate(zip(journal, expected, strict=False), 1):
        if found != wanted:
            raise BrokenInvariantError("M10", name, f"{version}: {found.decode()}", wanted.decode())
    # What the clock does may have been done already on one side: the other hears of the time later.
    for left in without_stages((*journal[len(expected) :], *expected[len(journal) :])):
        if not any(f'"kind":"{kind}"'.encode() in left for kind in CLOCKWORK):
            raise BrokenInvariantError("M10", name, f"{left.decode()} on one side", "on both")


def without_stages(records: Sequence[bytes]) -> list[bytes]:
    """These records without what the clock began at an instant of its own, and what belongs to it."""
    at = [json.loads(record)["data"]["at"] for record in records]
    stages = {when for when, record in zip(at, records, strict=True) if is_stage(record)}
    return [record for when, record in zip(at, records, strict=True) if when not in stages]
