"""Runs: a feed is pulled, each datum is given to the exchange, and the clock is served while the feed is silent.

Written once as a flow: where it has to wait, or to call the exchange, it yields the call. Nothing here sleeps or reads
a clock of its own; who waits is the feed, or the waiter between two polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias, cast

from papertrade.domain.instants import SECOND_NS, parse_instant
from papertrade.errors import (
    FeedDataError,
    FeedError,
    FeedLostError,
    InvalidValueError,
    StoreClosedError,
    StoreError,
    UsageError,
)
from papertrade.hosting.desk import Desk, Ears
from papertrade.hosting.flow import Flow, StoreCall
from papertrade.hosting.intake import pairs_of
from papertrade.hosting.logs import log
from papertrade.ports.feed import DATA_TYPES, END, DataQueue, Depth, FeedRun, RunEnd

PATIENCE_S: Final = 1.0
_DATA = "a Quote, LastPrice, MarketTrade, AuctionPrice, Bar, Depth, Halt or Resume"
_ACCEPTED = f"{_DATA}, or a mapping with 'kind' and 'symbol'"
Pull: TypeAlias = "Callable[[float], Flow[object]]"
ErrorHandler = Callable[[Exception], object]


class Fed(Protocol):
    """What a run needs of an exchange, synchronous or not."""

    def advance(self) -> object:
        """Serve the clock."""
        ...

    def next_deadline(self) -> datetime | None:
        """When to serve it next."""
        ...


# ------------------------------------------------------------------- data


def _all_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda datum: (get(datum),)


_TYPES: Final[tuple[Any, ...]] = DATA_TYPES
_FIELDS: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {cls: tuple(a.name for a in cls.__attrs_attrs__) for cls in _TYPES}
)
_VALUES: Final[Mapping[type, tuple[str, Callable[[Any], tuple[Any, ...]]]]] = MappingProxyType(
    {cls: (f"on_{cls.kind}", _all_of(_FIELDS[cls])) for cls in _TYPES}
)
_KINDS: Final[Mapping[object, Any]] = MappingProxyType({cls.kind: cls for cls in _TYPES})


def parse_datum(datum: object) -> tuple[str, tuple[object, ...]]:
    """The name of the method that takes a datum, and its arguments in order."""
    cls: type = type(datum)
    found = _VALUES.get(cls)
    if found is None:
        if not isinstance(datum, Mapping):
            raise InvalidValueError("datum", datum, _ACCEPTED)
        cls, datum = _of_mapping(datum)
        found = _VALUES[cls]
    name, values_of = found
    if cls is not Depth:
        return name, values_of(datum)
    symbol, bids, asks, *rest = values_of(datum)  # its sides may be generators, which raise what they like
    return name, (symbol, pairs_of(bids, "bids"), pairs_of(asks, "asks"), *rest)


def _of_mapping(datum: Mapping[Any, Any]) -> tuple[Any, Any]:
    try:
        fields = dict(datum)
        cls = _KINDS.get(fields.pop("kind", None))
    except Exception:  # a mapping of somebody else's making, or a kind that is no word
        raise InvalidValueError("datum", datum, _ACCEPTED) from None
    if cls is None:
        raise InvalidValueError("kind", datum.get("kind"), f"one of {', '.join(cls.kind for cls in _TYPES)}")
    for name in fields:
        if name not in _FIELDS[cls]:
            raise InvalidValueError(f"field of a {cls.kind}", name, ", ".join(_FIELDS[cls]))
    try:
        return cls, cls(**fields)
    except TypeError:
        needed = [a.name for a in cls.__attrs_attrs__ if a.default is not None and a.name not in fields]
        raise InvalidValueError(f"fields of a {cls.kind}", sorted(fields), f"{', '.join(needed)} too") from None


# ------------------------------------------------------------------- stopping


class Stopping:
    """Whether a run is to end, and how whoever waits in it is woken. Safe to use in a handler of signals."""

    def __init__(self, signal: object, wakes: object) -> None:
        if signal is not None and not callable(getattr(signal, "is_set", None)):
            raise InvalidValueError("stop", signal, "an event with is_set(), such as threading.Event(), or None")
        self._signal: Any = signal
        self._wake = getattr(wakes, "wake", None)
        self.asked = False

    def ask(self) -> None:
        """End the run after the datum in hand."""
        self.asked = True
        if self._wake is not None:
            self._wake()

    def is_set(self) -> bool:
        """Is it to end?"""
        return self.asked or (self._signal is not None and bool(self._signal.is_set()))


# ------------------------------------------------------------------- the run


class Run:
    """One run over one feed, and what came of it so far."""

    def __init__(
        self,
        exchange: Fed,
        desk: Desk,
        pull: Pull,
        stopping: Stopping,
        *,
        bad_data: str,
        on_failure: str = "stop",
        on_error: ErrorHandler | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.exchange, self.desk, self.pull, self.stopping = exchange, desk, pull, stopping
        self.skips = parse_choice(bad_data, "bad_data", "skip")
        self.goes_on = parse_choice(on_failure, "on_failure", "go_on")
        if on_error is not None and not callable(on_error):
            raise InvalidValueError("on_error", on_error, "something to call with an error, or None")
        self.on_error = on_error
        self.patience_s = parse_seconds(patience_s, "patience_s")
        self._patience_ns = int(self.patience_s * SECOND_NS)
        self._data_time = desk.data_clock is not None  # waiting brings no deadline nearer there, only data do
        self._methods: dict[str, Callable[..., object]] = {}
        self.ears = Ears()
        self.taken = self.skipped = self.failures = self.faults = 0

    def flow(self) -> Flow[FeedRun]:
        """Pull and give until the feed ends or somebody stops it."""
        with self._listening():
            # What is the same for every datum is looked up once: a feed may bring a million of them.
            stopping, pull, timeout_s, data_time = self.stopping, self.pull, self.patience_s, self._data_time
            ask = pull.ask if isinstance(pull, StraightPull) else None
            while not stopping.is_set():
                if not data_time:
                    timeout_s = yield from self._until_due()
                try:
                    datum = (yield from pull(timeout_s)) if ask is None else (yield ask(timeout_s))
                except Exception as why:
                    self._failed(why)
                    continue
                if datum is END:
                    yield from self._serve()
                    return self._ended(RunEnd.END_OF_FEED)
                if datum is None:
                    yield from self._serve()
                else:
                    yield from self._give(datum)
            return self._ended(RunEnd.STOPPED)

    def last(self, datum: object) -> Flow[FeedRun]:
        """A run that ended takes a datum that had arrived while it was told to."""
        with self._listening():
            yield from self._give(datum)
            return self._ended(RunEnd.STOPPED)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        desk = self.desk
        desk.ears = (*desk.ears, self.ears)
        try:
            yield
        finally:
            desk.ears = tuple(ears for ears in desk.ears if ears is not self.ears)

    def _until_due(self) -> Flow[float]:
        """Serve the clock if it has something to do; answers how long the feed may be waited on.

        Never longer than the patience: a command may bring an earlier deadline meanwhile, and a clock may be set.
        """
        wait_s = self._wait_s()
        if wait_s <= 0:
            yield from self._serve()
            wait_s = self._wait_s()
        # What is still due could not be done: an account that waits for its store. It is tried again, not in a spin.
        return wait_s if 0 < wait_s < self.patience_s else self.patience_s

    def _wait_s(self) -> float:
        desk = self.desk
        for ns, _ in desk.engine.deadlines[:1]:  # none is earlier, though nobody may wait for this one any more
            if ns - desk.clock.now_ns() < self._patience_ns:
                break
        else:
            return self.patience_s
        deadline = self.exchange.next_deadline()
        if deadline is None:
            return self.patience_s
        return (parse_instant(deadline, "deadline") - desk.clock.now_ns()) / SECOND_NS

    def _give(self, datum: object) -> Flow[None]:
        try:
            name, values = parse_datum(datum)
        except UsageError as why:
            self._refused(datum, why)
            return
        method = self._methods.get(name)
        if method is None:
            method = self._methods[name] = getattr(self.exchange, name)
        ears = self.ears
        ears.faults.clear()
        ears.refusals.clear()
        try:
            yield method, values
        except Exception as why:
            if any(why is refusal for refusal in ears.refusals):
                self._refused(datum, why)
                return
            if not self._is_of_an_account(why):
                raise
        self.taken += 1

    def _serve(self) -> Flow[None]:
        """Serve the clock."""
        self.ears.faults.clear()
        try:
            yield self.exchange.advance, ()
        except Exception as why:
            if not self._is_of_an_account(why):
                raise

    def _is_of_an_account(self, why: Exception) -> bool:
        """Did something go wrong for an account? That is its own, and is told; what a handler raises is not ours."""
        faults = tuple(self.ears.faults)
        alone = any(why is fault for fault in faults) or isinstance(why, StoreError)
        if not alone or isinstance(why, StoreClosedError):
            return False
        self.faults += 1
        for fault in faults or (why,):  # only the first of them was raised
            self._tell(fault)
        return True

    def _refused(self, datum: object, why: Exception) -> None:
        error = FeedDataError(self.taken + self.skipped + 1, datum, str(why))
        if not self.skips:
            raise error from why
        self.skipped += 1
        error.__cause__ = why
        self._tell(error)

    def _failed(self, why: Exception) -> None:
        """The feed raised instead of answering."""
        error = why if isinstance(why, FeedError) else FeedLostError(self.taken, f"{type(why).__name__}: {why}")
        if not self.goes_on:
            raise error from (None if error is why else why)
        self.failures += 1
        if error is not why:
            error.__cause__ = why
        self._tell(error)

    def _tell(self, why: Exception) -> None:
        if self.on_error is not None:
            self.on_error(why)
        else:
            log().warning("a run over a feed goes on after: %s", why)

    def _ended(self, ended: RunEnd) -> FeedRun:
        return FeedRun(
            ended=ended, taken=self.taken, skipped=self.skipped, failures=self.failures, faults=self.faults
        )


def parse_choice(value: object, field: str, other: str) -> bool:
    """Is it the other word, and not ``"stop"``?"""
    if value not in ("stop", other):
        raise InvalidValueError(field, value, f"'stop' or '{other}'")
    return value == other


def parse_seconds(value: object, field: str) -> float:
    """A number of seconds above zero."""
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 < seconds <= 86_400:
        raise InvalidValueError(field, value, "seconds above 0, at most a day")
    return seconds


# ------------------------------------------------------------------- feeds


class StraightPull:
    """A pull that is one call, which a run can make without asking a flow for it."""

    __slots__ = ("ask",)

    def __init__(self, ask: Callable[[float], StoreCall]) -> None:
        self.ask = ask

    def __call__(self, timeout_s: float) -> Flow[object]:
        """The same as a flow."""
        return (yield self.ask(timeout_s))


def pull_of(feed: object) -> tuple[Pull, object]:
    """How data are pulled from a feed, and whoever can be woken while it waits.

    A feed is live (anything with ``next(timeout_s)``), a queue, or something to iterate over.
    """
    if callable(getattr(feed, "get", None)) and callable(getattr(feed, "get_nowait", None)):
        from papertrade.feeds import QueueFeed

        feed = QueueFeed(cast(DataQueue, feed))
    live = getattr(feed, "next", None)
    if callable(live):
        return live_pull(live), feed
    try:
        items = iter(feed)  # type: ignore[call-overload]
    except TypeError:
        accepted = "something to iterate over for data, a queue, or an object with next(timeout_s)"
        raise InvalidValueError("feed", feed, accepted) from None

    call = (next, (items, END))
    return StraightPull(lambda _: call), None


def live_pull(live: Callable[[float], object]) -> Pull:
    """How data are pulled from something with ``next(timeout_s)``."""
    return StraightPull(lambda timeout_s: (live, (timeout_s,)))
