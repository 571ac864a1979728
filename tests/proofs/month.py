"""A month of quoted accounts on real servers, killed at every call of its ends of day.

``python -m tests.proofs.month [--rounds 2] [--days 22]``

Redis has the day, PostgreSQL the archive. A process trades the month; at the end of each day it kills itself at one
call to a store, before or after it was executed, and the next process goes on. Round after round the calls move on,
until each call of an end of day has been fatal, before and after. Journals, wallets, fills and what each closed day
came to have to be those of a month on memory in which nobody dies.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from playing_months import rounds


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=22)
    parser.add_argument("--rounds", type=int, default=None)
    asked = parser.parse_args()
    from servers_postgres import PostgresServer
    from servers_redis import DURABLE, redis_server

    server = PostgresServer()
    try:
        with tempfile.TemporaryDirectory() as made, redis_server(Path(made) / "redis", *DURABLE) as redis:
            found = rounds(redis.url, server.dsn, Path(made), asked.days, asked.rounds)
    finally:
        server.remove()
    played, killed, calls = found
    print(
        f"{played} months of {asked.days} days, {killed} processes killed at the end of a day "
        f"(an end of day makes up to {calls} calls to a store): journals, wallets, fills "
        "and closed days are those of the calm month"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
