"""Following: the events of an account as another process stores them.

Who follows needs no exchange, only the store. It reads what is there after the version it saw last, waits until there
is more, and reads on; so it can be stopped at any moment and go on from the last version that it dealt with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Final, NamedTuple

from papertrade.compose import check_address
from papertrade.domain.events import Event
from papertrade.domain.names import parse_name
from papertrade.errors import InvalidValueError, UnsupportedError
from papertrade.hosting.delivery import parse_kinds
from papertrade.hosting.parsing import parse_after, parse_timeout
from papertrade.hosting.setup import parse_store
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Waiting

PAGE: Final = 1000  # events that are read at once
LOOK_S: Final = 0.5  # how long one wait may take before ``stop`` is asked again


class Wish(NamedTuple):
    """What somebody wants to follow, understood."""

    account: str
    after: int
    kinds: frozenset[str] | None
    timeout_s: float | None
    stop: Callable[[], bool] | None

    def left(self, since: float) -> float:
        """How long to wait now, at most."""
        return LOOK_S if self.timeout_s is None else min(LOOK_S, since + self.timeout_s - monotonic())

    def is_over(self) -> bool:
        """Does its caller want no more?"""
        return self.stop is not None and self.stop()


def parse_wish(
    account: str,
    after: int,
    kinds: str | Iterable[str] | None,
    timeout_s: float | None,
    stop: Callable[[], bool] | None,
) -> Wish:
    """Check everything before anything is read."""
    if stop is not None and not callable(stop):
        raise InvalidValueError("stop", stop, "something to call that says whether to stop, or None")
    seconds = None if timeout_s is None else parse_timeout(timeout_s)
    return Wish(parse_name(account, "account"), parse_after(after), parse_kinds(kinds), seconds, stop)


def check_waiting(store: object) -> None:
    """Only a store that can be waited on can be followed."""
    if not isinstance(store, Waiting):
        raise UnsupportedError("following accounts of this store", ("reading them with load",))


def follow(
    store: Store | str,
    account: str,
    after: int = 0,
    *,
    kinds: str | Iterable[str] | None = None,
    timeout_s: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Event]:
    """The events of an account after a version, and then each as it is stored, here or in another process.

    Args:
        store: a store, or its address: that is opened when the iteration begins, and closed when it ends.
        account: its name; it does not have to exist yet.
        after: the version of the last event that was dealt with; 0 begins at the beginning.
        kinds: only events of these kinds.
        timeout_s: end when nothing came for so long; None waits for ever.
        stop: asked twice a second and before each page; end when it says True.
    """
    wish = parse_wish(account, after, kinds, timeout_s, stop)
    if isinstance(store, str):
        check_address(store)
        return _events(store, wish)
    found = parse_store(store)
    check_waiting(found)
    return _events(found, wish)


def _events(given: Store | str, wish: Wish) -> Iterator[Event]:
    """An address is opened when somebody begins to iterate: who never does leaves nothing open."""
    opened = isinstance(given, str)
    store = parse_store(given)
    seen = wish.after
    since = monotonic()
    try:
        check_waiting(store)
        while not wish.is_over():
            page = list(store.load(wish.account, seen + 1, seen + PAGE))
            for event in page:
                seen = event.version
                if wish.kinds is None or event.kind in wish.kinds:
                    yield event
            if page:
                since = monotonic()
                continue
            left = wish.left(since)
            if left <= 0:
                return
            store.wait(wish.account, seen, left)  # type: ignore[attr-defined]  # it was asked whether it can
    finally:
        if opened:
            store.close()
