"""Kill processes that trade on a store: ``python -m tests.proofs.kills --kills 5000 [--seed 1] [--journal rollback]``.

Each child opens the store, repeats what nobody heard an answer to, trades on for two accounts, and is killed by
SIGKILL. After each kill what is stored is held against what was heard: nothing acknowledged is missing, no key acted
twice, no batch is half there, both accounts are what their journals say. The first finding ends the run and is printed.

``--store postgres`` starts a PostgreSQL server for it. With ``--harms 10`` its backends are ended ten times, killed ten
times, and the server is stopped at once and killed ten times each, while a child trades on and has to go on by itself.
``--store redis`` starts a Redis server; its one harm is that it is killed, and started again from its append-only file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from killing import Killer, Tally

from papertrade.adapters.sqlite import JOURNALS, SQLiteStore

HARMS = ("backend ended", "backend killed", "server stopped", "server killed")


def on_a_file(kills: int, seed: int, folder: Path | None, journal: str) -> list[Tally]:
    """SQLite."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "paper.db"
        return [Killer(path, seed, lambda path: SQLiteStore(path, journal=journal)).run(kills)]


def on_a_server(kills: int, seed: int, harms: int) -> list[Tally]:
    """PostgreSQL: clients first, then what their server runs on."""
    from killing_postgres import Schema
    from servers_postgres import PostgresServer

    server = PostgresServer()
    try:
        found = [Killer(Schema(server), seed).run(kills)]
        for number, harm in enumerate(HARMS if harms else (), 1):
            found.append(Killer(Schema(server, (harm,)), seed + number, harmful=True).run(harms))
        return found
    finally:
        server.remove()


def on_redis(kills: int, seed: int, harms: int, folder: Path | None) -> list[Tally]:
    """Redis: clients first, then the server."""
    from killing_redis import Prefix
    from servers_redis import DURABLE, redis_server

    with tempfile.TemporaryDirectory(dir=folder) as made, redis_server(Path(made), *DURABLE) as server:
        found = [Killer(Prefix(server), seed).run(kills)] if kills else []
        return found + ([Killer(Prefix(server), seed + 1, harmful=True).run(harms)] if harms else [])


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres", "redis"], default="sqlite")
    parser.add_argument("--kills", type=int, default=5000)
    parser.add_argument("--harms", type=int, default=0, help="of each kind, with a server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the file is; a temporary folder by default")
    parser.add_argument("--journal", choices=JOURNALS, default="write-ahead", help="of the file")
    asked = parser.parse_args()
    if asked.store == "sqlite":
        tallies = on_a_file(asked.kills, asked.seed, asked.folder, asked.journal)
    elif asked.store == "redis":
        tallies = on_redis(asked.kills, asked.seed, asked.harms, asked.folder)
    else:
        tallies = on_a_server(asked.kills, asked.seed, asked.harms)
    for tally in tallies:
        kinds = ", ".join(f"{count} at {kind}" for kind, count in sorted(tally.at.items()))
        print(f"{tally.kills} kills ({kinds}) on {tally.files} places; {tally.heard} commands acknowledged;")
        print(f"{tally.unheard} times a command was stored and its answer not heard; {len(tally.broken)} findings")
        for broken in tally.broken:
            print(f"  {broken.what}: {broken.detail}")
    return 1 if any(tally.broken for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
