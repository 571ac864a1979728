"""Redis servers for tests: on a free port of this machine, in a temporary folder, ended by the process id they had."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

BINARY = shutil.which("redis-server")
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
QUICK = ("--appendonly", "no")  # for tests of everything but the disk


def needed() -> None:
    """Skip a test where the server or its driver is missing; in CI that is a failure."""
    if BINARY is None:
        pytest.skip("redis-server is not installed")
    pytest.importorskip("redis", reason="the redis driver is not installed")


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        with socket.socket() as asked:
            asked.bind(("127.0.0.1", 0))
            port: int = asked.getsockname()[1]
        if port <= 55_535:  # a node of a cluster needs the port 10,000 above, too
            return port


class RedisServer:
    """A server of our own. ``kill`` is SIGKILL; ``start`` after it comes up from the same files on the same port."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder, self.settings, self.port = folder, settings, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_path(self) -> Path:
        """Its UNIX socket."""
        return self.folder / "s"

    def start(self) -> None:
        """Start it and wait until it answers."""
        needed()
        arguments = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
                     "--unixsocket", str(self.socket_path), "--loglevel", "warning", *self.settings)  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([BINARY, *arguments], stdout=log, stderr=log)
        until = time.monotonic() + 30
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.005)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL: no time to write anything. A polite end can be refused while a journal is being rewritten."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals) -> None:
        """End it in some way."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait(60)


@contextmanager
def redis_server(folder: Path, *settings: str) -> Iterator[RedisServer]:
    """A server for the time of a block."""
    server = RedisServer(folder, *settings)
    try:
        yield server
    finally:
        server.kill()


_SHARED: dict[str, RedisServer] = {}
_PREFIXES = count(1)


def shared_server(request: pytest.FixtureRequest, settings: tuple[str, ...] = QUICK) -> RedisServer:
    """One server for all tests of a session that only need some server: without a disk, or with other settings."""
    needed()
    name = " ".join(settings)
    if name not in _SHARED:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        server = _SHARED[name] = RedisServer(factory.mktemp("redis"), *settings)
        request.session.addfinalizer(server.kill)
    return _SHARED[name]


def fresh_redis(request: pytest.FixtureRequest, **options: Any) -> RedisStore:
    """A store on the shared server under a prefix that nobody used."""
    needed()
    from papertrade.adapters.redis import RedisStore

    return RedisStore(shared_server(request).url, durability="memory", prefix=f"t{next(_PREFIXES)}", **options)


def key(store: RedisStore, kind: str, stream: str = "main") -> str:
    return f"{{{store._place.prefix}}}:{kind}:{stream.encode().hex()}"


def again(store: RedisStore, url: str) -> RedisStore:
    """The same accounts, opened by somebody who remembers nothing."""
    from papertrade.adapters.redis import RedisStore

    return RedisStore(url, durability="memory", prefix=store._place.prefix)
