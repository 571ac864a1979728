"""Cut answers off: ``python -m tests.proofs.cuts --store postgres --cuts 1000 [--seed 1]``, or ``--store redis``.

A proxy on loopback stands between the store and its server, and cuts every single append: before the server gets it, or
after the server executed it. Each is repeated with its key until it is answered; then the journal must
hold every batch once. The control repeats without a key at the new head, and has to double every batch, or the cuts
were none.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from cuts import RECORD, cut_and_guess, cut_and_repeat
from cutting_proxy import CuttingProxy, cutting

from papertrade.ports.store import Store


@contextmanager
def behind_a_proxy_on_postgres() -> Iterator[tuple[CuttingProxy, Store, Store]]:
    """Two stores on a server of their own, and what stands between."""
    from servers_postgres import PostgresServer

    from papertrade.adapters.postgres import PostgresStore

    server = PostgresServer()
    try:
        with cutting(server.port, RECORD, lambda dropped: b"COMMIT\0" in dropped) as proxy:
            dsn = server.dsn_at(proxy.port)
            yield proxy, PostgresStore(dsn, schema="keyed"), PostgresStore(dsn, schema="naive")
    finally:
        server.remove()


@contextmanager
def behind_a_proxy_on_redis() -> Iterator[tuple[CuttingProxy, Store, Store]]:
    """The same on Redis, which writes each command to its file before it answers."""
    from servers_redis import DURABLE, redis_server

    from papertrade.adapters.redis import RedisStore

    with (
        TemporaryDirectory() as folder,
        redis_server(Path(folder), *DURABLE) as server,
        cutting(server.port, RECORD) as proxy,
    ):
        url = f"redis://127.0.0.1:{proxy.port}/0"
        yield proxy, RedisStore(url, prefix="keyed"), RedisStore(url, prefix="naive")


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=("postgres", "redis"), default="postgres")
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    behind = behind_a_proxy_on_postgres if asked.store == "postgres" else behind_a_proxy_on_redis
    with behind() as (proxy, keyed, naive):
        said = cut_and_repeat(keyed, proxy, asked.cuts, seed=asked.seed)
        doubled = cut_and_guess(naive, proxy, 100)
        keyed.close()
        naive.close()
    print(f"{asked.cuts} appends, each cut once: {dict(said)}; stored once each")
    print(f"control: 100 appends without a key, cut and repeated: {len(doubled)} stored")
    return 0 if len(doubled) == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
