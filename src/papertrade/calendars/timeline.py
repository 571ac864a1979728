"""Instants and sessions: what an engine asks of a calendar many times a second, kept as integers.

The answers for one UTC day are worked out when it is first asked about and kept in a bounded table, so that asking
again is one look into a dictionary and a few comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from papertrade.calendars.sessions import Session
from papertrade.calendars.wall import EPOCH_DAY
from papertrade.domain.hours import Bell, Phase, Span
from papertrade.domain.instants import DAY_NS
from papertrade.errors import InvariantError

Answer = tuple[Phase, int]
_KEPT_DAYS = 512
_MOST_WITHOUT = 10  # sessions without an auction that are looked through for the next one
_FARTHEST = 400  # sessions without a pause between them that are looked through for the next change


class Timeline:
    """The sessions of a calendar in order, and which phase each instant between two bounds is in.

    Args:
        session_of: the session of a day by its ordinal, or None.
        first, last: the ordinals of the first and last known day.
        bounds: the first known instant, and the first that is not known any more.
        always: whether the market is in its regular session at every instant.
        beyond: raises the error for an instant outside.
    """

    __slots__ = (
        *("_session_of", "_beyond", "_first", "_last", "_from_ns", "_until_ns", "_always"),
        *("_sessions", "_phases", "_ahead"),
    )

    def __init__(
        self,
        session_of: Callable[[int], Session | None],
        first: int,
        last: int,
        bounds: tuple[int, int],
        always: bool,
        beyond: Callable[[int], Exception],
    ) -> None:
        self._session_of, self._beyond = session_of, beyond
        self._first, self._last = first, last
        self._from_ns, self._until_ns = bounds
        self._always: Answer | None = (Phase.REGULAR, bounds[1]) if always else None
        self._sessions: dict[int, Session | None] = {}
        self._phases: dict[int, tuple[tuple[int, Answer], ...]] = {}
        self._ahead: dict[int, tuple[Session, ...]] = {}

    def phase_at(self, ns: int) -> Answer:
        """The phase that an instant is in, and the first instant at which that changes (or knowledge ends)."""
        if not self._from_ns <= ns < self._until_ns:
            raise self._beyond(ns)
        if self._always:
            return self._always
        pieces = self._phases.get(ns // DAY_NS)
        if pieces is None:
            pieces = self._phases_of(ns)
        for until, answer in pieces:
            if ns < until:
                return answer
        raise InvariantError("phases of a UTC day", "", ns, "a phase")

    def span_at(self, ns: int) -> Span:
        """The phase that an instant is in, since when, and until when."""
        phase, until = self.phase_at(ns)
        if self._always:
            return Span(phase, self._from_ns, until)
        for session in self._reaching(ns):
            if session.begins_ns > ns:
                break
            for piece in session.segments:
                if piece.begins_ns <= ns < piece.ends_ns:
                    return Span(phase, piece.begins_ns, until)
        return Span(phase, self._ended(ns), until)

    def _ended(self, ns: int) -> int:
        """When the last piece before a pause ended: whoever asks in it hears the same."""
        for session in self.before(ns // DAY_NS + EPOCH_DAY + 1):
            if session.begins_ns <= ns:
                return max(piece.ends_ns for piece in session.segments if piece.ends_ns <= ns)
        return self._from_ns

    def session_at_or_after(self, ns: int) -> Session:
        """The session that has not closed yet, or else the next."""
        for session in self._ahead_at(ns):
            if session.closes_ns > ns:
                return session
        raise self._beyond(self._until_ns)

    def day_close(self, ns: int, extended: bool = False) -> int:
        """When the session closes that an order placed at ``ns`` lives in."""
        for session in self._ahead_at(ns):
            closes = session.extended_closes_ns if extended else session.closes_ns
            if closes > ns:
                return closes
        raise self._beyond(self._until_ns)

    def auction(self, kind: str, ns: int) -> Bell | None:
        """The first auction of a kind whose price is made after an instant; None if the next sessions have none."""
        if not self._from_ns <= ns < self._until_ns:
            raise self._beyond(ns)
        left = _MOST_WITHOUT
        for session in self._reaching(ns):
            found = session.auction(kind)
            if found is not None and found.at_ns > ns:
                first = session.begins_ns if found.accepts_from_ns is None else found.accepts_from_ns
                return Bell(first, found.accepts_until_ns, found.at_ns, session.opens_ns, session.closes_ns)
            left -= found is None
            if not left:
                return None
        raise self._beyond(self._until_ns)

    def begun(self, ns: int) -> Session:
        """The session that began last."""
        if self._from_ns <= ns < self._until_ns:
            for session in self.before(ns // DAY_NS + EPOCH_DAY + 2):
                if session.begins_ns <= ns:
                    return session
        raise self._beyond(ns)

    def _ahead_at(self, ns: int) -> tuple[Session, ...]:
        """Sessions in order, from one that has not ended at ``ns`` to the first that closes after that UTC day."""
        if not self._from_ns <= ns < self._until_ns:
            raise self._beyond(ns)
        found = self._ahead.get(ns // DAY_NS)
        return self._ahead_of(ns) if found is None else found

    def session(self, ordinal: int) -> Session | None:
        """The session of a known day, or None."""
        try:
            return self._sessions[ordinal]
        except KeyError:
            pass
        if len(self._sessions) >= _KEPT_DAYS:
            self._sessions.clear()
        found = self._sessions[ordinal] = self._session_of(ordinal)
        return found

    def after(self, ordinal: int) -> Iterator[Session]:
        """The sessions of this day and later, in order."""
        for number in range(max(ordinal, self._first), self._last + 1):
            if (session := self.session(number)) is not None:
                yield session

    def before(self, ordinal: int) -> Iterator[Session]:
        """The sessions of this day and earlier, the latest first."""
        for number in range(min(ordinal, self._last), self._first - 1, -1):
            if (session := self.session(number)) is not None:
                yield session

    # ------------------------------------------------------------------ working a UTC day out

    def _reaching(self, ns: int) -> Iterator[Session]:
        """Every session that ends after the beginning of a UTC day, in order; one may begin three days earlier."""
        low = ns // DAY_NS * DAY_NS
        return (session for session in self.after(ns // DAY_NS + EPOCH_DAY - 3) if session.ends_ns > low)

    def _phases_of(self, ns: int) -> tuple[tuple[int, Answer], ...]:
        high = (ns // DAY_NS + 1) * DAY_NS
        found: list[tuple[int, Answer]] = []
        phase, until, joined = Phase.CLOSED, 0, 0
        for following, ends in self._pieces(ns):
            if until and (following is not phase or joined >= _FARTHEST):
                found.append((until, (phase, until)))
                if until >= high:
                    break
                joined = 0
            phase, until, joined = following, min(ends, self._until_ns), joined + 1
        else:
            found.append((until, (phase, until)))
        if len(self._phases) >= _KEPT_DAYS:
            self._phases.clear()
        answer = self._phases[ns // DAY_NS] = tuple(found)
        return answer

    def _pieces(self, ns: int) -> Iterator[tuple[Phase, int]]:
        """(phase, end), one after the other without a gap, from the one that a UTC day begins in."""
        at = ns // DAY_NS * DAY_NS
        for session in self._reaching(ns):
            if session.begins_ns > at:
                yield Phase.CLOSED, session.begins_ns
            at = session.begins_ns
            for piece in session.segments:
                if piece.begins_ns > at:
                    yield Phase.BREAK, piece.begins_ns
                at = piece.ends_ns
                yield piece.phase, at
        yield Phase.CLOSED, self._until_ns

    def _ahead_of(self, ns: int) -> tuple[Session, ...]:
        high = (ns // DAY_NS + 1) * DAY_NS
        found: list[Session] = []
        for session in self._reaching(ns):
            found.append(session)
            if session.closes_ns >= high:
                break
        if len(self._ahead) >= _KEPT_DAYS:
            self._ahead.clear()
        answer = self._ahead[ns // DAY_NS] = tuple(found)
        return answer
