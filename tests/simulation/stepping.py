"""Two hosts on one store, stopped before each of their store calls, so that somebody else can say who goes next.

The flows of a host are generators that yield their store calls. Between two calls a host touches nothing but its own
memory, so the order in which the calls reach the store is all there is to how two hosts can meet.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from types import GeneratorType
from typing import Any, TypeAlias

from papertrade.domain.events import Event
from papertrade.errors import StoreError, UsageError
from papertrade.exchange import Exchange
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.paper import PaperBroker
from papertrade.ports.clock import ManualClock
from papertrade.ports.store import Store

ACCOUNT, SYMBOL = "main", "AAPL"
NOON = 1_767_614_400_000_000_000  # 2026-01-05T12:00Z
MOST_ATTEMPTS = 6  # the other side writes three times at most, and then nobody is in the way

Ask: TypeAlias = "Callable[[Host], Flow[Any]]"


class Interrupted(BaseException):
    """Somebody pressed a key."""


class UnansweredError(AssertionError):
    """A host was asked again and again and never said what became of the request."""


class SteppedExchange(Exchange):
    """An exchange that hands its flows over instead of running them, while it is told so."""

    stepping = False
    handed: Flow[Any]

    def run_flow(self, flow: Flow[Any]) -> Any:
        """Run a flow, or hand it over."""
        if not self.stepping:
            return super().run_flow(flow)
        self.handed = flow
        return flow


class Host:
    """A process: its memory, its clock, and what its subscriber heard."""

    def __init__(self, store: Store, now_ns: int = NOON) -> None:
        self.clock = ManualClock(now_ns)
        self.exchange = SteppedExchange(store, self.clock, threadsafe=False)
        self.exchange.add_instrument(SYMBOL)
        self.heard: list[Event] = []
        self.refused: list[StoreError] = []  # what it was told by the store on the way
        self.broker: PaperBroker

    @property
    def desk(self) -> Desk:
        """The desk behind the exchange."""
        return self.exchange._desk

    def open(self) -> Flow[None]:
        """Open the account, as it is stored or new, and begin to listen; the feed says where the market is."""
        self.exchange.stepping = True
        self.broker = self.exchange.open_account(ACCOUNT, cash=10_000)
        yield from self.exchange.handed
        self.exchange.subscribe(self.heard.append)
        yield from self.quote("100.00", "100.02")

    def quote(self, bid: str, ask: str) -> Flow[None]:
        """A quote reaches this host."""
        floor = self.exchange._floor
        _, flow = floor.take(SYMBOL, lambda market: floor.intake.quote(market, bid, ask, None, None, None, None))
        if flow is not None:
            yield from flow

    def advance(self, to_ns: int) -> Flow[None]:
        """The clock of this host moves, and what is due is done."""
        self.clock.set(max(to_ns, self.clock.now_ns()))
        yield from self.desk.catch_up(self.desk.now())


def answered(host: Host, ask: Ask) -> Flow[Any]:
    """Ask a host until it answers, as a caller does that was told to retry. Misuse is an answer as well."""
    for _ in range(MOST_ATTEMPTS):
        try:
            return (yield from ask(host))
        except UsageError as why:
            return why
        except StoreError as why:
            host.refused.append(why)
        finally:
            host.desk.outbox.deliver()
    raise UnansweredError(f"{MOST_ATTEMPTS} attempts, the last of them: {host.refused[-1]!r}")


def recovered(host: Host, ask: Ask) -> Flow[Any]:
    """A new process opens the account and is asked what the old one was asked."""
    yield from host.open()
    return (yield from answered(host, ask))


class Process:
    """A host at work on one request, stopped before its next store call."""

    def __init__(self, host: Host, work: Generator[Any, Any, Any]) -> None:
        self.host, self.work = host, work
        self.done = False
        self.answer: Any = None
        self._call: Any = None
        self._inside: Iterator[Any] | None = None  # a store call that takes several steps is in the middle
        self._go(lambda: next(work))

    def _go(self, on: Callable[[], Any]) -> None:
        try:
            self._call = on()
        except StopIteration as stop:
            self.done, self.answer = True, stop.value

    def step(self) -> None:
        """Let the store do the call, and the host what follows from it, up to its next call."""
        try:
            if self._inside is None:
                call, args = self._call
                found = call(*args)
                self._inside = found if isinstance(found, GeneratorType) else None
            if self._inside is not None:
                try:
                    next(self._inside)
                    return
                except StopIteration as stop:
                    found, self._inside = stop.value, None
        except Exception as why:
            self._inside = None
            error = why
            self._go(lambda: self.work.throw(error))
        else:
            self._go(lambda: self.work.send(found))

    def lose_the_answer(self) -> None:
        """The store does the call, and nobody hears what it answers."""
        try:
            call, args = self._call
            found = call(*args)
            if isinstance(found, GeneratorType):
                for _ in found:
                    pass
        except StoreError:
            pass

    def kill(self) -> None:
        """The process is gone, with all its memory."""
        self.work.close()

    def interrupt(self) -> None:
        """The call is broken off, and the process lives on."""
        try:
            self.work.throw(Interrupted())
        except Interrupted:
            return
        raise UnansweredError("an interruption was swallowed")
