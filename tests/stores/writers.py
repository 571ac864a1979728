"""Writing processes for the tests of several processes on one store: they work at once and say what came of it.

``python writers.py PLACE WRITERS COUNT``: forks that many writers (to import the store takes longer than to race). Each
opens the place in the same instant and wins COUNT versions of one stream, each time by reading the head and appending
after it, and prints its number, how often it won and how often somebody else was quicker. A place is the path of an
SQLite file, or the address of a server with ``#`` and a schema or prefix behind it.
"""

from __future__ import annotations

import os
import sys
import traceback

from store_cases import event

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.ports.store import Append, Appended, Conflict, Store


def import_drivers(place: str) -> None:
    """What the writers need, before they are forked."""
    if place.startswith("postgresql:"):
        import papertrade.adapters.postgres
    if place.startswith("redis:"):
        import papertrade.adapters.redis  # noqa: F401


def open_place(place: str) -> Store:
    """The store at a place."""
    if place.startswith("postgresql:"):
        from papertrade.adapters.postgres import PostgresStore

        dsn, _, schema = place.rpartition("#")
        return PostgresStore(dsn, schema=schema, durability="memory", wait_s=60, connections=1)
    if place.startswith("redis:"):
        from papertrade.adapters.redis import RedisStore

        url, _, prefix = place.rpartition("#")
        return RedisStore(url, durability="memory", prefix=prefix, timeout_s=60)
    return SQLiteStore(place, durability="memory", wait_s=60)


def write(place: str, number: int, count: int) -> None:
    """Open, race, report."""
    store = open_place(place)
    won = lost = 0
    while won < count:
        head = store.head("main")
        outcome = store.append(Append("main", head, [event(head + 1, amount=number)], f"{number}-{won}"))
        if isinstance(outcome, Appended):
            won += 1
        else:
            assert isinstance(outcome, Conflict), outcome
            lost += 1
    store.close()
    os.write(1, f"{number} {won} {lost}\n".encode())


def main(place: str, writers: int, count: int) -> None:
    """Fork the writers, let all of them loose when the last one is there, and end as they ended."""
    import_drivers(place)
    gate, held = os.pipe()
    children = []
    for number in range(1, writers + 1):
        child = os.fork()
        if not child:
            code = 1
            try:
                os.close(held)
                os.read(gate, 1)  # comes back when nobody holds the gate any more
                write(place, number, count)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    os.close(held)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    sys.exit(f"writers ended with {ends}" if any(ends) else 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
