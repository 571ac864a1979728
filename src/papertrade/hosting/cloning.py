"""Cloning: a new account that begins as another one stands, in one append."""

from __future__ import annotations

from papertrade.domain.events import AccountCloned
from papertrade.domain.names import parse_name
from papertrade.engine import starting
from papertrade.errors import InvalidValueError, KeyConflictError, StoreMismatchError, UsageError
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.parsing import maybe_key, parse_note
from papertrade.ports.store import Appended


def clone_account(desk: Desk, source: str, target: str, note: str, command_id: str | None) -> Flow[tuple[str, str]]:
    """Open ``target`` with the words, cash and positions of ``source``; answers its name and currency.

    Its key belongs to the new account: the same call again finds what it made.
    """
    first, name = parse_name(source, "source"), parse_name(target, "target")
    said, key = parse_note(note), maybe_key(command_id, "command_id")
    if first == name:
        raise InvalidValueError("target", name, "another name than that of the source")
    commit_id = None if key is None else "clone:" + key
    yield from desk.make_ready(first, desk.now())  # the source as it stands now, with what was due done
    seat = yield from desk.seat(first)
    if name in desk.stale or name in desk.stopped:
        yield from desk.reload(name)
    stored = yield from desk.stored_state(name)
    if stored is None:
        step = desk.engine.new_step(seat.profile, desk.now())
        starting.copy_account(step, name, seat.state, key, said)
        desk.engine.end(step)  # what is called for a margin that is not there is called for by its copy as well
        try:
            yield from desk.begin_account(step, commit_id)
            desk.engine.look_soon(name)
        except StoreMismatchError:  # another process made it with this key, at another moment, since we looked
            stored = yield from desk.stored_state(name)
    if stored is not None:
        yield from _check_repeated(desk, name, commit_id, first, said)
        if name not in desk.engine.seats:
            yield from desk.begun_before(stored, seat.profile)
    return name, seat.state.currency


def _check_repeated(desk: Desk, name: str, commit_id: str | None, source: str, note: str) -> Flow[None]:
    """The account is there: fine if this very command made it."""
    found: Appended | None = None
    if commit_id is not None:
        found = yield desk.store.find, (name, commit_id)
    if found is None or commit_id is None:
        raise UsageError(f"account {name!r} has a history; clone into a name that has none")
    key = commit_id.removeprefix("clone:")
    events = yield desk.store.load, (name, found.first, found.last)
    for event in events:
        if isinstance(event, AccountCloned) and event.source_account != source:
            raise KeyConflictError(key, "source", event.source_account, source)
        if isinstance(event, AccountCloned) and event.note != note:
            raise KeyConflictError(key, "note", event.note, note)
