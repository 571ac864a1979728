"""Opening a Redis store: settings that break the promise are refused, and no password is shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from servers_redis import QUICK, RedisServer, needed, redis_server
from store_cases import batch

import papertrade as pt
from papertrade.compose import open_store
from papertrade.errors import InvalidValueError, StoreClosedError, StoreMisconfiguredError
from papertrade.ports.store import Appended

pytestmark = pytest.mark.external_service
MARKER = "s3cret-m4rker"


def test_c30_settings_weaker_than_asked_are_refused(tmp_path: Path) -> None:
    """Each durability names the settings it needs; what was found and what would be accepted is said."""
    needed()
    import redis

    from papertrade.adapters.redis import RedisStore

    with redis_server(tmp_path, *QUICK) as server, redis.Redis(port=server.port) as client:
        for durability in ("every command", "batched"):
            with pytest.raises(StoreMisconfiguredError, match=r"appendonly is 'no'.*accepts 'yes'"):
                RedisStore(server.url, durability=durability)
        client.config_set("appendonly", "yes")
        client.config_set("appendfsync", "everysec")
        with pytest.raises(StoreMisconfiguredError, match=r"appendfsync is 'everysec'.*accepts 'always'"):
            RedisStore(server.url)
        RedisStore(server.url, durability="batched").close()
        client.config_set("appendfsync", "always")
        client.config_set("no-appendfsync-on-rewrite", "yes")
        with pytest.raises(StoreMisconfiguredError, match="no-appendfsync-on-rewrite"):
            RedisStore(server.url)
        client.config_set("no-appendfsync-on-rewrite", "no")
        store = RedisStore(server.url)
        found = store.describe()
        assert (found["settings"], found["appendfsync"]) == ("read back", "always")
        assert found["durability"].startswith("every command: ")
        client.config_set("appendfsync", "no")  # somebody changes it while we are at work: heard of at the next line
        client.client_kill_filter(skipme=True)
        with pytest.raises(StoreMisconfiguredError):
            store.append(batch(0))


def test_c30_eviction_replicas_and_clusters_are_refused(
    redis_shared: RedisServer, redis_client: Any, tmp_path: Path
) -> None:
    """A server that throws keys away, or that is not the one that decides, keeps no journals."""
    from papertrade.adapters.redis import RedisStore

    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(StoreMisconfiguredError, match=r"maxmemory-policy is 'allkeys-lru'.*'noeviction'"):
        RedisStore(redis_shared.url, durability="memory")
    redis_client.config_set("maxmemory-policy", "noeviction")
    for settings, said in (
        (("--replicaof", "127.0.0.1 1"), "role is 'slave'"),
        (("--cluster-enabled", "yes"), "node of a cluster"),
    ):
        with (
            redis_server(tmp_path / settings[0], *QUICK, *settings) as other,
            pytest.raises(StoreMisconfiguredError, match=said),
        ):
            RedisStore(other.url, durability="memory")


def test_c30_what_may_not_be_read_has_to_be_declared(redis_shared: RedisServer, redis_client: Any) -> None:
    """Where CONFIG and INFO are not permitted, the user's word is taken, and shown as such."""
    from papertrade.adapters.redis import RedisStore

    redis_client.execute_command("ACL", "SETUSER", "tenant", "on", f">{MARKER}", "~*", "+@all", "-config", "-info")
    url = f"redis://tenant:{MARKER}@127.0.0.1:{redis_shared.port}/0"
    with pytest.raises(StoreMisconfiguredError, match="declare it"):
        RedisStore(url, durability="memory")
    word = {"maxmemory-policy": "noeviction", "role": "master"}
    with pytest.raises(StoreMisconfiguredError, match="does not say its appendonly"):
        RedisStore(url, declared=word)
    with pytest.raises(StoreMisconfiguredError, match=r"appendfsync is 'no' \(declared, not read back\)"):
        RedisStore(url, declared={**word, "appendonly": "yes", "appendfsync": "no"})
    store = RedisStore(url, durability="memory", prefix="declared", declared=word)
    assert store.describe()["settings"] == "declared, not read back"
    assert store.append(batch(0)) == Appended(1, 1)
    store.close()
    with pytest.raises(StoreMisconfiguredError, match=r"appendonly is 'no' \(read back\)"):
        RedisStore(redis_shared.url, declared={**word, "appendonly": "yes"})  # where it can be read, it is


def test_no_password_is_shown(redis_shared: RedisServer, redis_client: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Not in errors and their causes, not in repr, not in logs, not in describe."""
    from papertrade.adapters.redis import RedisStore

    caplog.set_level(logging.DEBUG)
    redis_client.execute_command("ACL", "SETUSER", "owner", "on", f">{MARKER}", "~*", "+@all")
    shown: list[str] = []
    good = f"redis://owner:{MARKER}@127.0.0.1:{redis_shared.port}/0"
    for url in (
        f"redis://owner:wrong-{MARKER}@127.0.0.1:{redis_shared.port}/0",
        f"redis://nobody:{MARKER}@127.0.0.1:{redis_shared.port}/0",
        f"redis://owner:{MARKER}@127.0.0.1:1/0",
        f"{good}?socket_timeout=abc",
        f"{good}?retry_on_timeout=yes",
        f"rediss://:{MARKER}@127.0.0.1:{redis_shared.port}/0?ssl_cert_reqs=none",
        f"unix://:{MARKER}@/nowhere/s?password={MARKER}",
        f"http://{MARKER}",
        f"redis://:{MARKER}@127.0.0.1:{redis_shared.port}/99",
    ):
        with pytest.raises(pt.PaperTradeError) as caught:
            RedisStore(url, durability="memory", timeout_s=1)
        why: BaseException | None = caught.value
        while why is not None:
            shown += [repr(why), str(why), repr(vars(why))]
            why = why.__cause__ or (None if why.__suppress_context__ else why.__context__)
    store = RedisStore(good, durability="memory")
    shown += [repr(store), repr(store.describe()), repr(vars(store)), repr(store._line), repr(store._place)]
    store.close()
    with pytest.raises(StoreClosedError) as closed:
        store.head("main")
    shown.append(str(closed.value))
    assert len(shown) > 30
    assert MARKER not in "".join(shown) + caplog.text


@pytest.mark.parametrize(
    "wrong",
    [{"durability": "yes"}, {"prefix": "a{b}"}, {"prefix": ""}, {"timeout_s": 0}, {"declared": {"appendonly": True}},
     {"declared": {"color": "red"}}],
)  # fmt: skip
def test_misuse_is_refused_before_anything_is_sent(wrong: dict[str, Any]) -> None:
    """What the arguments cannot be is said by their names."""
    needed()
    from papertrade.adapters.redis import RedisStore

    with pytest.raises(InvalidValueError, match=next(iter(wrong))):
        RedisStore("redis://127.0.0.1:1/0", **wrong)


def test_stores_by_address(tmp_path: Path) -> None:
    """An address opens the durable store, over TCP or a UNIX socket, and an account on it is there again."""
    needed()
    with redis_server(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        for address in (server.url, f"unix://{server.socket_path}?db=0"):
            with pt.Exchange(address) as exchange:
                exchange.open_account("main", cash=1000).deposit(5, command_id=address)
        with pt.Exchange(server.url) as exchange:
            assert exchange.open_account("main").account().total == 1010
        store = open_store(server.url)
        assert store.verify("main").version >= 3
        store.close()
