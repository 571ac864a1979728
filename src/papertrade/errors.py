"""Every exception that papertrade raises, sorted by what the person who meets it can do.

Four kinds of no, kept apart:

1. A *refusal* (no funds, off tick, limit reached) is not here. It is an event and an order record
   with a reason and the numbers compared, because a strategy has to handle it like any other fact.
2. ``UsageError``: the call itself is wrong. Nothing was recorded, nothing changed; mend the call.
3. ``StoreError`` and ``FeedError``: the outside failed. The class says whether to retry, reload or stop.
4. ``InvariantError``: papertrade found its own books wrong. Nothing catches it; the account stops.

Each error carries its data as attributes and builds its own text.
"""

from __future__ import annotations

from collections.abc import Iterable


class PaperTradeError(Exception):
    """The root of every papertrade error."""

    def __reduce__(self) -> tuple[object, ...]:
        # Errors build their text from their data, so that they are copied to other processes as they are.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(cls: type[PaperTradeError], args: tuple[object, ...], data: dict[str, object]) -> PaperTradeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(data)
    return error


# ------------------------------------------------------------------ misuse


class UsageError(PaperTradeError, ValueError):
    """The call is wrong: nothing was recorded and nothing changed."""


class InvalidValueError(UsageError):
    """A field holds something it cannot hold."""

    def __init__(self, field: str, found: object, accepted: str) -> None:
        self.field, self.found, self.accepted = field, found, accepted
        super().__init__(f"{field}: found {_shown(found)}; accepted: {accepted}")


class NaiveDatetimeError(UsageError):
    """A datetime without a time zone was given where an instant is needed."""

    def __init__(self, field: str, found: object) -> None:
        self.field, self.found = field, found
        super().__init__(
            f"{field}: {_shown(found)} has no time zone; pass an aware datetime, "
            "for example datetime(2026, 1, 5, 9, 15, tzinfo=ZoneInfo('Asia/Kolkata'))"
        )


class ClockMismatchError(UsageError):
    """The first datum is more than a day away from the clock: the wrong clock is in use."""

    def __init__(self, at: str, now: str) -> None:
        self.at, self.now = at, now
        super().__init__(
            f"the datum is dated {at} but the clock says {now}; to replay recorded data, "
            'open the broker with clock="data", under which time is the latest datum'
        )


class ClockBackwardsError(UsageError):
    """Somebody tried to move a clock back."""

    def __init__(self, asked: str, now: str) -> None:
        self.asked, self.now = asked, now
        super().__init__(f"the clock stands at {now} and cannot go back to {asked}")


class UnsupportedError(UsageError):
    """The broker cannot do this. Ask ``broker.capabilities()`` first."""

    def __init__(self, what: str, accepted: Iterable[str]) -> None:
        self.what, self.accepted = what, tuple(accepted)
        super().__init__(f"this broker does not support {what}; it supports {', '.join(self.accepted)}")


class CurrencyMismatchError(UsageError):
    """An instrument is quoted in another currency than the account keeps."""

    def __init__(self, symbol: str, found: str, accepted: str) -> None:
        self.symbol, self.found, self.accepted = symbol, found, accepted
        super().__init__(
            f"{symbol} is quoted in {found} and this account keeps {accepted}; "
            f"open an account in {found} to trade it"
        )


class KeyConflictError(UsageError):
    """A key (client_order_id or command id) was used before with another content."""

    def __init__(self, key: str, field: str, first: object, now: object) -> None:
        self.key, self.field, self.first, self.now = key, field, first, now
        super().__init__(
            f"{_shown(key)} was used before with {field}={_shown(first)}; this call has {field}={_shown(now)}. "
            "Repeat the same call to get the first answer, or choose a new key"
        )


class BalanceMismatchError(UsageError):
    """The books say something else than was asserted: ``differences`` holds what it is about, expected and found."""

    def __init__(self, account: str, version: int, differences: Iterable[tuple[str, object, object]]) -> None:
        self.account, self.version, self.differences = account, version, tuple(differences)
        told = "; ".join(f"{what} is {found} and not {expected}" for what, expected, found in self.differences)
        super().__init__(f"account {account!r} at version {version}: {told}")


class _LookupUsageError(UsageError, LookupError):
    """A name that is not known."""


class UnknownSymbolError(_LookupUsageError):
    """The exchange does not list this symbol. Symbols match exactly."""

    def __init__(self, symbol: str, near: Iterable[str] = ()) -> None:
        self.symbol, self.near = symbol, tuple(near)
        hint = f"; did you mean {' or '.join(map(repr, self.near))}?" if self.near else ""
        super().__init__(f"unknown symbol {symbol!r}{hint} (list it with add_instrument; symbols match exactly)")


class UnknownOrderError(_LookupUsageError):
    """The account has no order with this id."""

    def __init__(self, order_id: object, account: str) -> None:
        self.order_id, self.account = order_id, account
        super().__init__(f"account {account!r} has no order {_shown(order_id)}; find_order returns None instead")


class UnknownDayError(_LookupUsageError):
    """The account has no such trading day: it was never opened, or none is open now."""

    def __init__(self, day: str | None, account: str) -> None:
        self.day, self.account = day, account
        what = "no day is open" if day is None else f"no day {day!r}"
        super().__init__(f"account {account!r}: {what}; day_summaries() lists those that there are")


class UnknownAccountError(_LookupUsageError):
    """The exchange has no account with this name."""

    def __init__(self, account: str, near: Iterable[str] = ()) -> None:
        self.account, self.near = account, tuple(near)
        hint = f"; did you mean {' or '.join(map(repr, self.near))}?" if self.near else ""
        super().__init__(f"no account {account!r} on this exchange{hint}")


class UnknownCalendarError(_LookupUsageError):
    """No calendar of this name ships with papertrade."""

    def __init__(self, name: str, near: Iterable[str], known: Iterable[str]) -> None:
        self.name, self.near, self.known = name, tuple(near), tuple(known)
        hint = f"; did you mean {' or '.join(map(repr, self.near))}?" if self.near else ""
        ships = f" (these ship: {', '.join(self.known)}; make others with Calendar(...))" if self.known else ""
        super().__init__(f"no calendar {_shown(name)}{hint}{ships}")


class CalendarRangeError(_LookupUsageError):
    """A calendar, or a table by trade date, was asked about a time that it does not know."""

    def __init__(self, calendar: str, asked: str, first: str, last: str, told: str = "") -> None:
        self.calendar, self.asked, self.first, self.last = calendar, asked, first, last
        super().__init__(
            told
            or f"calendar {calendar} is known from {first} to {last} and was asked about {asked}; add what you know "
            "with calendar.with_days({...}, known_through=...), or use a newer release"
        )


class ThreadError(UsageError):
    """A broker opened with ``threadsafe=False`` was called from another thread."""

    def __init__(self, owner: int, caller: int) -> None:
        self.owner, self.caller = owner, caller
        super().__init__(
            f"this exchange belongs to thread {owner} and was called from {caller}; "
            "open it with threadsafe=True to share it"
        )


# ------------------------------------------------------------- the outside


class StoreError(PaperTradeError):
    """The store could not do its work. The subclass says what to do about it."""


class StoreUnavailableError(StoreError):
    """The store did not take the append and says so. Remedy: retry the same command."""


class OutcomeUnknownError(StoreError):
    """Nobody knows whether the append happened. Remedy: retry with the same key; the account waits."""


class StoreConflictError(StoreError):
    """Somebody else wrote to this account first. Remedy: the account is reloaded; decide again."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        self.stream, self.expected, self.actual = stream, expected, actual
        super().__init__(f"stream {stream!r} is at version {actual}, this writer expected {expected}")


class StoreMismatchError(StoreError):
    """A commit id came back with other content. Remedy: stop and look for two writers sharing keys."""

    def __init__(self, stream: str, commit_id: str) -> None:
        self.stream, self.commit_id = stream, commit_id
        super().__init__(f"commit {commit_id!r} of stream {stream!r} was stored before with other content")


class StoreHistoryError(StoreError):
    """The store holds another account under the name of one that is imported. Remedy: import it into another store."""

    def __init__(self, stream: str, version: int, why: str) -> None:
        self.stream, self.version, self.why = stream, version, why
        super().__init__(f"the store holds another {stream!r} than the file, up to version {version}: {why}")


class StoreFullError(StoreError):
    """There is no room left. Remedy: make room, then retry."""


class StoreCorruptError(StoreError):
    """Stored data is not what was written. Remedy: stop and restore a good copy."""


class StoreFencedError(StoreError):
    """Another worker owns the account now. Remedy: stop this one, or take it back: open it with ``exclusive=True``."""

    def __init__(self, stream: str, fence: int | None, owner: int | None) -> None:
        self.stream, self.fence, self.owner = stream, fence, owner
        mine = "none" if fence is None else str(fence)
        theirs = "nobody owns it" if owner is None else f"its owner's is {owner}"
        super().__init__(f"stream {stream!r} was written to with fence {mine}; {theirs}")


class StoreErasedError(StoreError):
    """The account was erased for good. Remedy: choose another name."""

    def __init__(self, stream: str, note: str = "") -> None:
        self.stream, self.note = stream, note
        super().__init__(f"stream {stream!r} was erased{f': {note}' if note else ''}; its name cannot be used again")


class StoreTrimmedError(StoreError):
    """What is asked for was dropped here after it was archived. Remedy: read it from the archive.

    ``base`` is the last version that was dropped; ``wanted`` says what was asked for, if it was more than a version.
    """

    def __init__(self, stream: str, version: int, base: int, wanted: str = "") -> None:
        self.stream, self.version, self.base, self.wanted = stream, version, base, wanted
        super().__init__(
            f"{wanted or f'version {version}'} of {stream!r} is archived: this store keeps what came after version "
            f"{base}; the archive has the rest, and a TieredStore of both answers everything"
        )


class StoreClosedError(StoreError):
    """The store was closed. Remedy: open it again."""


class StoreMisconfiguredError(StoreError):
    """The store cannot be used as it is set up. Remedy: mend path, rights or settings, then open it again."""


class FeedError(PaperTradeError):
    """A market data feed failed; no state was lost. The subclass says what to do about it."""


class FeedLostError(FeedError):
    """The feed broke off, or a source of prices raised. Remedy: connect it again and run on.

    ``taken`` says how many data had been taken; what the feed raised is the cause.
    """

    def __init__(self, taken: int, why: str) -> None:
        self.taken, self.why = taken, why
        super().__init__(f"the feed failed after {taken} data: {why}; connect it again and run on")


class FeedDataError(FeedError):
    """A datum of a feed cannot be taken. Remedy: mend what makes it, or run with ``bad_data="skip"``.

    ``number`` counts the data of the run from 1; what is wrong with this one is the cause.
    """

    def __init__(self, number: int, datum: object, why: str) -> None:
        self.number, self.datum, self.why = number, datum, why
        super().__init__(f"datum {number} of the feed, {_shown(datum)}: {why}")


# ------------------------------------------------------------- our own fault


class InvariantError(PaperTradeError):
    """papertrade found its own books wrong. Never caught: the account stops and says why."""

    def __init__(self, check: str, account: str, found: object, expected: object) -> None:
        self.check, self.account, self.found, self.expected = check, account, found, expected
        super().__init__(f"{check} broken in account {account!r}: found {found!s}, expected {expected!s}")


class AccountSuspendedError(StoreError):
    """The account takes no commands: a check failed, or another worker took it. The evidence is on the error.

    Attributes:
        why: what happened, in words.
        check, found, expected: the check that failed, what it found and what it expected, if one did.
        version, digest: the last version that was committed here, and the fingerprint of the state that is readable.
    """

    def __init__(
        self,
        account: str,
        why: str,
        *,
        check: str | None = None,
        found: object = None,
        expected: object = None,
        version: int | None = None,
        digest: str | None = None,
    ) -> None:
        self.account, self.why = account, why
        self.check, self.found, self.expected, self.version, self.digest = check, found, expected, version, digest
        seen = "" if version is None else f" (last version {version}, digest {(digest or 'not readable')[:16]})"
        super().__init__(f"account {account!r} is suspended: {why}{seen}")


def _shown(value: object, parts: bool = True) -> str:
    """A value for an error text: short whatever it is, so that it can neither flood a log nor break its own error."""
    kind = type(value)
    if isinstance(value, (str, bytes)) and kind in (str, bytes) and len(value) > 60:
        return f"{value[:60]!r}…"
    if isinstance(value, int) and int.bit_length(value) > 100:
        return f"an integer of {int.bit_length(value)} bits"
    if isinstance(value, (tuple, list, dict, set, frozenset)) and kind in _CONTAINERS and value:
        if not parts or kind not in (tuple, list) or len(value) > 8:
            return f"a {kind.__name__} of {len(value)}"
        text = ", ".join(_shown(part, parts=False) for part in value)
        text = f"({text})" if kind is tuple else f"[{text}]"
        return text if len(text) <= 240 else text[:240] + "…"
    try:
        text = repr(value)
    except Exception:  # whatever its repr raises, the error about the value matters more
        text = f"<{kind.__name__}>"
    if not text[:80].isprintable():  # no line of a log but its own
        text = ascii(text[:80])
    return text if len(text) <= 80 else text[:80] + "…"


_CONTAINERS = (tuple, list, dict, set, frozenset)
