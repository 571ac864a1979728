"""Delivery: events reach their subscribers after they are stored, once, in order, with the engine at rest.

A handler may place orders. Each is decided, stored and answered at once; only the delivery of *its* events waits behind
those already queued, so nobody ever sees them out of order and nothing recurses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock

from papertrade.domain.events import EVENT_TYPES, Event
from papertrade.errors import InvalidValueError

Handler = Callable[[Event], object]


def parse_kinds(kinds: str | Iterable[str] | None) -> frozenset[str] | None:
    """Event kinds by their stored names; None for all."""
    if kinds is None:
        return None
    accepted = f"event kinds: {', '.join(EVENT_TYPES)}"
    try:
        # One more than there are is enough to know that one of them is wrong, however many come.
        found = [kinds] if isinstance(kinds, str) else list(islice(kinds, len(EVENT_TYPES) + 1))
    except Exception:
        raise InvalidValueError("kinds", kinds, accepted) from None
    for kind in found:
        if type(kind) is not str or kind not in EVENT_TYPES:
            raise InvalidValueError("kinds", kind, accepted)
    if len(found) > len(EVENT_TYPES):
        raise InvalidValueError("kinds", "too many of them", accepted)
    return frozenset(found)


class Subscription:
    """A place where events arrive: a callback, or something to iterate over.

    Without a callback, iterating takes what has arrived so far and then stops; iterate again for what came since.
    """

    def __init__(
        self, outbox: Outbox, handler: Handler | None, account: str | None, kinds: frozenset[str] | None
    ) -> None:
        self._outbox = outbox
        self._arrived: deque[Event] = deque()
        self._handler: Handler = self._arrived.append if handler is None else handler
        self._account = account
        self._kinds = kinds

    def wants(self, event: Event) -> bool:
        """Is the event one of those subscribed to?"""
        if self._account is not None and event.account != self._account:
            return False
        return self._kinds is None or event.kind in self._kinds

    def take(self, event: Event) -> object:
        """Hand the event over, unless closed meanwhile; answers what the handler did, should it have to be awaited."""
        return self._handler(event) if self in self._outbox.subscriptions else None

    def close(self) -> None:
        """No more events; closing twice is fine."""
        self._outbox.remove(self)

    def __iter__(self) -> Iterator[Event]:
        while self._arrived:
            yield self._arrived.popleft()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Outbox:
    """The queue between stored events and their subscribers."""

    def __init__(self) -> None:
        self.subscriptions: tuple[Subscription, ...] = ()
        self.waiting: deque[tuple[Subscription, Event]] = deque()
        self._delivering = False
        self._lock = Lock()

    def subscribe(self, handler: Handler | None, account: str | None, kinds: frozenset[str] | None) -> Subscription:
        """Begin a subscription; it sees events stored from now on."""
        if handler is not None and not callable(handler):
            raise InvalidValueError("handler", handler, "something to call with an event, or None to iterate")
        subscription = Subscription(self, handler, account, kinds)
        with self._lock:
            self.subscriptions = (*self.subscriptions, subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._lock:
            self.subscriptions = tuple(s for s in self.subscriptions if s is not subscription)

    def put(self, events: Sequence[Event]) -> None:
        """Queue stored events for whoever wants them. Called in the order of storage."""
        for event in events:
            for subscription in self.subscriptions:
                if subscription.wants(event):
                    self.waiting.append((subscription, event))

    def deliver(self) -> None:
        """Hand over what is queued, unless somebody further up or another thread is at it already."""
        if not self.waiting:
            return
        with self._lock:
            if self._delivering:
                return
            self._delivering = True
        try:
            while self.waiting:
                subscription, event = self.waiting.popleft()
                subscription.take(event)
        finally:
            # A handler that raises is heard by whoever caused the event; the rest stays queued, in order.
            with self._lock:
                self._delivering = False
        if self.waiting:
            self.deliver()
