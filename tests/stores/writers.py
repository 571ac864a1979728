"""A writing process for the tests of several processes on one store: waits for a word, works, says what came of it.

``python writers.py PLACE NUMBER COUNT``: opens the place when told to and wins COUNT versions of one stream, each time
by reading the head and appending after it. Prints how often it won and how often somebody else was quicker. A place is
the path of an SQLite file, or the address of a server with ``#`` and a schema or prefix behind it.
"""

from __future__ import annotations

import sys

from store_cases import event

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.ports.store import Append, Appended, Conflict, Store


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


def main(place: str, number: int, count: int) -> None:
    """Open, race, report."""
    print("ready", flush=True)
    sys.stdin.readline()
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
    print(won, lost, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
