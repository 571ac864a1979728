"""Cut answers off: ``python -m tests.proofs.cuts --cuts 1000 [--seed 1]``.

A proxy on loopback stands between the PostgreSQL store and its server, and cuts every single append: before the server
gets it, or after the server executed it. Each is repeated with its key until it is answered; then the journal must
hold every batch once. The control repeats without a key at the new head, and has to double every batch, or the cuts
were none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from cuts import RECORD, cut_and_guess, cut_and_repeat
from cutting_proxy import cutting


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    from servers_postgres import PostgresServer

    from papertrade.adapters.postgres import PostgresStore

    server = PostgresServer()
    try:
        with cutting(server.port, RECORD, lambda dropped: b"COMMIT\0" in dropped) as proxy:
            store = PostgresStore(server.dsn_at(proxy.port), schema="keyed")
            said = cut_and_repeat(store, proxy, asked.cuts, seed=asked.seed)
            store.close()
            naive = PostgresStore(server.dsn_at(proxy.port), schema="naive")
            doubled = cut_and_guess(naive, proxy, 100)
            naive.close()
    finally:
        server.remove()
    print(f"{asked.cuts} appends, each cut once: {dict(said)}; stored once each")
    print(f"control: 100 appends without a key, cut and repeated: {len(doubled)} stored")
    return 0 if len(doubled) == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
