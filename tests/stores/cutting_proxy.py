"""A proxy on loopback that cuts lines: between a client and any server, it forwards bytes and can stop at a bad moment.

What to look for and when to cut is said in bytes, so that it serves every protocol. A cut after a request lets the
server execute what it was sent and drops its answer: the client cannot know. Requests are counted as they pass, so that
a test can say that nobody asked twice.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Line:
    """One client's connection and the one to the server behind it."""

    def __init__(self, proxy: CuttingProxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.sent = b""  # what this client sent and the server got
        self.deaf = False  # the answers are read and dropped from here on
        self.held = False  # an answer was held back, so that no later one belongs to its request
        for run in (self._requests, self._answers):
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            proxy.threads.append(thread)

    def _requests(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(65536):
                cut = self.proxy.judge(self, data)
                if cut == "before":
                    self.close()
                    return
                if cut == "after":
                    self.deaf = True
                if cut == "silent":
                    self.proxy.hold()
                self.sent += data
                self.server.sendall(data)
        self._end(self.server)

    def _answers(self) -> None:
        dropped = b""
        with suppress(OSError):
            while data := self.server.recv(65536):
                if self.proxy.holding:
                    self.held = True
                    continue
                if not self.deaf:
                    self.client.sendall(data)
                    continue
                dropped += data
                if self.proxy.answered(dropped):
                    break
        self.close()

    @staticmethod
    def _end(side: socket.socket) -> None:
        with suppress(OSError):
            side.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Cut the line at both ends."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


class CuttingProxy:
    """Listens on a port of its own and forwards to another.

    Args:
        target: the port of the server on loopback.
        request: bytes that are in a request that counts; with none, every message counts.
        answer: whether the bytes that were dropped say that the server is done; by default any bytes do.
    """

    def __init__(self, target: int, request: bytes = b"", answer: Callable[[bytes], bool] = lambda data: True) -> None:
        self.target, self.request, self.answered = target, request, answer
        self.threads: list[threading.Thread] = []
        self.lines: list[Line] = []
        self.requests = 0
        self.holding = False
        self._cut: str | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut_next(self, when: str) -> None:
        """Cut at the next request that counts: ``"before"`` the server gets it, or ``"after"``, when it is done.

        ``"silent"`` cuts nothing: the server gets it, and from there on no answer comes back.
        """
        with self._lock:
            self._cut = when

    def hold(self) -> None:
        """From now on the server gets what it is sent, and no answer comes back; the lines stay."""
        self.holding = True

    def heal(self) -> None:
        """Cut nothing and hold nothing any more; a line on which an answer was held back is cut."""
        with self._lock:
            self._cut = None
        self.holding = False
        for line in self.lines:
            if line.held:
                line.close()

    def judge(self, line: Line, data: bytes) -> str | None:
        """Whether to cut at these bytes; the end of what came before may hold the beginning of a request."""
        size = max(len(self.request) - 1, 0)
        seen = (line.sent[-size:] if size else b"") + data
        with self._lock:
            if self.request not in seen:
                return None
            self.requests += seen.count(self.request) if self.request else 1
            cut, self._cut = self._cut, None
            return cut

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.lines.append(Line(self, client, server))

    def close(self) -> None:
        """Cut everything and listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self.lines:
            line.close()
        for thread in (self._accepting, *self.threads):
            thread.join(10)


@contextmanager
def cutting(
    target: int, request: bytes = b"", answer: Callable[[bytes], bool] = lambda data: True
) -> Iterator[CuttingProxy]:
    """A proxy for a while."""
    proxy = CuttingProxy(target, request, answer)
    try:
        yield proxy
    finally:
        proxy.close()
