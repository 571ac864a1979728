"""When a market is open: a calendar made of data, which knows how far it knows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import attrs

from papertrade.calendars.hours import Hours, hours_of
from papertrade.calendars.sessions import Session, parts_of
from papertrade.calendars.timeline import Timeline
from papertrade.calendars.trading_day import zone_of
from papertrade.calendars.wall import DAY_S, instant_of_wall
from papertrade.domain.hours import Bell, Phase, Span, WallTimes
from papertrade.domain.instants import parse_instant, to_datetime
from papertrade.domain.wall_clock import parse_day
from papertrade.errors import CalendarRangeError, InvalidValueError

Instant = datetime | str | int
Day = date | str
DatedHours = Mapping[str, Hours | str] | Mapping[date, Hours | str] | Iterable[tuple[Day, Hours | str]]
ClosedDays = Mapping[str, str] | Mapping[date, str] | Iterable[Day | tuple[Day, str]]
OwnHours = Mapping[str, Hours | str] | Mapping[date, Hours | str] | Iterable[tuple[Day, Hours | str, str]]
MendedDays = Mapping[str, Hours | str | None] | Mapping[date, Hours | str | None]
SpecialDays = tuple[tuple[date, Hours, str], ...]
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ACCEPTED_WEEKDAYS = "weekdays such as 'Mon-Fri', 'Mon-Sun' or 'Sun,Mon,Wed'"


def _weekdays(value: str | Iterable[int]) -> tuple[int, ...]:
    """Weekdays by their numbers, Monday is 0."""
    found: list[int] = []
    if not isinstance(value, str):
        found = list(value)
    else:
        for part in value.split(","):
            first, _, last = part.strip().partition("-")
            if first not in _WEEK or (last or first) not in _WEEK:
                raise InvalidValueError("weekdays", value, _ACCEPTED_WEEKDAYS)
            begin, end = _WEEK.index(first), _WEEK.index(last or first)
            found += [number % 7 for number in range(begin, end + 1 if end >= begin else end + 8)]
    if not all(type(number) is int and 0 <= number <= 6 for number in found):
        raise InvalidValueError("weekdays", value, _ACCEPTED_WEEKDAYS)
    return tuple(sorted(set(found)))


def _dated_hours(value: Hours | str | DatedHours) -> tuple[tuple[date, Hours], ...]:
    """Hours from a day on, oldest first; hours that were always so begin with the first day there is."""
    if isinstance(value, (Hours, str)) or not isinstance(value, Iterable):
        return ((date.min, hours_of(value)),)
    pairs: Iterable[tuple[Day, Hours | str]] = value.items() if isinstance(value, Mapping) else value
    found = {parse_day(day, "hours"): hours_of(hours) for day, hours in pairs}
    return tuple((day, found[day]) for day in sorted(found))


def _closed(value: ClosedDays) -> tuple[tuple[date, str], ...]:
    """Closed days with a note each, in order."""
    items: Iterable[Day | tuple[Day, str]] = value.items() if isinstance(value, Mapping) else value
    pairs = [item if isinstance(item, tuple) else (item, "") for item in items]
    return tuple(sorted({parse_day(day, "closed"): str(note) for day, note in pairs}.items()))


def _special(value: OwnHours) -> SpecialDays:
    """Days with hours of their own and a note each, in order."""
    items = [(day, hours, "") for day, hours in value.items()] if isinstance(value, Mapping) else list(value)
    found = {parse_day(day, "special"): (hours_of(hours), str(note)) for day, hours, note in items}
    return tuple((day, *found[day]) for day in sorted(found))


def _known(value: Iterable[Day]) -> tuple[date, date]:
    days = tuple(parse_day(day, "known") for day in value)
    if len(days) != 2 or days[0] > days[1]:
        raise InvalidValueError("known", value, "first and last known day, such as ('2020-01-01', '2026-12-31')")
    return days[0], days[1]


def _tentative(value: Day | None) -> date | None:
    return None if value is None else parse_day(value, "tentative_from")


@attrs.frozen(kw_only=True, eq=True)
class Calendar:
    """When a market is open.

    >>> desk = Calendar(name="desk", zone="Europe/Berlin", hours="09:00-17:30", known=("2026-01-01", "2026-12-31"))
    >>> desk.is_open("2026-07-01T07:00:00Z"), desk.is_open("2026-07-01T15:30:00Z")
    (True, False)

    Args:
        name: what it is called.
        zone: the IANA zone of its wall clock.
        hours: its hours, or hours by the day from which they hold.
        weekdays: days with a session, unless they are closed.
        closed: days without one, with a note each if you like.
        special: days with hours of their own, ``{day: hours}`` or ``(day, hours, note)`` each; they win over the rest.
        known: the first and last day that it knows. An instant outside raises ``CalendarRangeError``.
        tentative_from: the first day that is expected and not published yet; sessions from then on say so.
        source: where the data is from.
    """

    name: str
    zone: ZoneInfo = attrs.field(converter=zone_of)
    hours: tuple[tuple[date, Hours], ...] = attrs.field(converter=_dated_hours, repr=False)
    known: tuple[date, date] = attrs.field(converter=_known)
    weekdays: tuple[int, ...] = attrs.field(converter=_weekdays, default="Mon-Fri", repr=False)
    closed: tuple[tuple[date, str], ...] = attrs.field(converter=_closed, factory=tuple, repr=False)
    special: SpecialDays = attrs.field(converter=_special, factory=tuple, repr=False)
    tentative_from: date | None = attrs.field(converter=_tentative, default=None)
    source: str = attrs.field(default="", repr=False)

    _closed_days: dict[int, str] = attrs.field(init=False, repr=False, eq=False)
    _special_days: dict[int, tuple[Hours, str]] = attrs.field(init=False, repr=False, eq=False)
    _since: tuple[int, ...] = attrs.field(init=False, repr=False, eq=False)
    _timeline: Timeline = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        keep = object.__setattr__
        keep(self, "_closed_days", {day.toordinal(): note for day, note in self.closed})
        keep(self, "_special_days", {day.toordinal(): (hours, note) for day, hours, note in self.special})
        keep(self, "_since", tuple(day.toordinal() for day, _ in self.hours))
        if not self.hours or self.hours[0][0] > self.known[0]:
            raise InvalidValueError("hours", self.name, f"hours from the first known day on, {self.known[0]}")
        self._refuse_overlaps()
        first, last = (day.toordinal() for day in self.known)
        all_day = len(self.hours) == 1 and str(self.hours[0][1]) == "00:00-24:00"
        keep(
            self,
            "_timeline",
            Timeline(
                self._session_of,
                first,
                last,
                self._bounds(first, last),
                all_day and len(self.weekdays) == 7 and not self.closed and not self.special,
                self._beyond,
            ),
        )

    # ------------------------------------------------------------------ what is open

    def is_open(self, at: Instant, *, extended: bool = False) -> bool:
        """Whether there is continuous trading: in the regular session, with ``extended`` also before and after it."""
        return self.phase(at).is_open(extended)

    def phase(self, at: Instant) -> Phase:
        """What the market is doing at an instant."""
        return self._timeline.phase_at(parse_instant(at, "at"))[0]

    def next_open(self, at: Instant) -> datetime:
        """When the next regular session opens, after this instant."""
        ns = parse_instant(at, "at")
        return self._next(ns, lambda session: session.opens_ns > ns).opens

    def next_close(self, at: Instant) -> datetime:
        """When the session that is on, or else the next one, closes."""
        return self._timeline.session_at_or_after(parse_instant(at, "at")).closes

    def next_change(self, at: Instant) -> datetime:
        """When the market's phase changes next."""
        until = self._timeline.phase_at(parse_instant(at, "at"))[1]
        if until >= self._bounds(self.known[0].toordinal(), self.known[1].toordinal())[1]:
            raise self._beyond(until)
        return to_datetime(until)

    # ------------------------------------------------------------------ sessions

    def session(self, day: Day) -> Session | None:
        """The session of a day, or None if there is none."""
        return self._timeline.session(self._known_day(day))

    def sessions(self, first: Day, last: Day) -> list[Session]:
        """The sessions of these days, both included, in order."""
        begin, end = self._known_day(first), self._known_day(last)
        found = (self._timeline.session(ordinal) for ordinal in range(begin, end + 1))
        return [session for session in found if session is not None]

    def note(self, day: Day) -> str:
        """What is noted of a day: the name of a holiday, why its hours are others, or nothing."""
        ordinal = self._known_day(day)
        special = self._special_days.get(ordinal)
        return special[1] if special is not None else self._closed_days.get(ordinal, "")

    def session_on_or_after(self, day: Day) -> Session:
        """The session of a day, or else the next one."""
        return self._found(self._timeline.after(self._known_day(day)), 1)

    def session_on_or_before(self, day: Day) -> Session:
        """The session of a day, or else the last one before it."""
        return self._found(self._timeline.before(self._known_day(day)), -1)

    def offset(self, day: Day, sessions: int) -> Session:
        """The session so many sessions after a day, or before it if negative: ``offset(trade_day, 1)`` is T+1.

        The day need not have a session of its own; 0 is the session of the day, or else the next one.
        """
        if type(sessions) is not int:
            raise InvalidValueError("sessions", sessions, "a whole number")
        ordinal = self._known_day(day)
        if sessions >= 0:
            found = self._timeline.after(ordinal + (sessions > 0))
            return self._found(islice(found, max(sessions - 1, 0), None), 1)
        return self._found(islice(self._timeline.before(ordinal - 1), -sessions - 1, None), -1)

    # ------------------------------------------------------------------ what an engine asks

    def phase_at(self, ns: int) -> tuple[Phase, int]:
        """The phase that an instant in nanoseconds is in, and the first instant at which that changes.

        The second is where knowledge ends, if nothing changes before. In a market that goes on for more than 400
        sessions without a pause it may be an instant up to which nothing changes.
        """
        return self._timeline.phase_at(ns)

    def day_close(self, ns: int, extended: bool = False) -> int:
        """When the session closes that an order placed at ``ns`` lives in: the present one, or else the next."""
        return self._timeline.day_close(ns, extended)

    def span_at(self, ns: int) -> Span:
        """The same with the beginning of the phase; between sessions, where none asks for it, the instant itself."""
        return self._timeline.span_at(ns)

    def next_regular(self, ns: int) -> int:
        """The first instant at or after this one in a regular session."""
        phase, until = self._timeline.phase_at(ns)
        while phase is not Phase.REGULAR:
            ns = until
            phase, until = self._timeline.phase_at(ns)
        return ns

    def trade_day(self, ns: int) -> str:
        """The trade date of what is booked at an instant: the day of the session that began last."""
        return self._timeline.begun(ns).day.isoformat()

    def begins_after(self, ns: int, sessions: int) -> int:
        """The first instant of the session so many sessions after the one that began last."""
        return self.offset(self._timeline.begun(ns).day, sessions).begins_ns

    def wall_ns(self, close_ns: int, times: WallTimes) -> int | None:
        """A wall-clock time of the day of the session that ends with this close, as it holds on that day."""
        day = self._timeline.session_at_or_after(close_ns - 1).day
        found = [clock for since, clock in times if since <= day]
        if not found:
            return None
        clock = found[-1]
        seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
        return instant_of_wall(self.zone, day.toordinal(), seconds)

    def auction(self, kind: str, ns: int) -> Bell | None:
        """The first auction, ``"open"`` or ``"close"``, whose price is made after ``ns``; None if there is none."""
        return self._timeline.auction(kind, ns)

    def session_at_or_after(self, ns: int) -> Session:
        """The session that has not closed yet at ``ns``, or else the next one."""
        return self._timeline.session_at_or_after(ns)

    # ------------------------------------------------------------------ mending

    def with_days(
        self,
        days: MendedDays,
        *,
        note: str = "",
        known_through: Day | None = None,
        confirmed_through: Day | None = None,
    ) -> Calendar:
        """The same calendar with other days: hours, None for closed, or "usual" for the hours that a day usually has.

        >>> from papertrade.calendars.builtin import calendar
        >>> nse = calendar("XNSE").with_days({"2026-11-08": "18:00-19:00"}, note="circular of the exchange")
        >>> nse.session("2026-11-08")
        <Session XNSE 2026-11-08: 18:00-19:00 Asia/Kolkata, half day>

        Args:
            days: hours such as ``"13:45-14:45"`` or ``"09:15-10:00,11:30-12:30"`` by day; None closes a day, and
                ``"usual"`` opens it at the hours that are in force, with their auctions.
            note: why, for the notes of these days and for ``source``.
            known_through: the new last known day. Days up to it that are not named are ordinary ones.
            confirmed_through: up to this day nothing is tentative any more, because it was announced.
        """
        closed: dict[Day, str] = dict(self.closed)
        special: dict[date, tuple[Day, Hours | str, str]] = {row[0]: row for row in self.special}
        known = (self.known[0], self.known[1] if known_through is None else parse_day(known_through, "known_through"))
        for given, hours in days.items():
            day = parse_day(given, "days")
            if not known[0] <= day <= known[1]:
                raise CalendarRangeError(self.name, day.isoformat(), *(bound.isoformat() for bound in known))
            closed.pop(day, None)
            special.pop(day, None)
            if hours is None:
                closed[day] = note
            else:
                special[day] = (day, self._usual(day.toordinal()) if hours == "usual" else hours, note)
        mended = ", ".join(sorted(parse_day(day, "days").isoformat() for day in days))
        source = f"{self.source}; {mended}: {note or 'changed by hand'}" if mended else self.source
        tentative = self.tentative_from
        if confirmed_through is not None and tentative is not None:
            tentative = max(tentative, parse_day(confirmed_through, "confirmed_through") + timedelta(days=1))
        return attrs.evolve(
            self, closed=closed, special=special.values(), known=known, tentative_from=tentative, source=source
        )

    # ------------------------------------------------------------------ from data to sessions

    def _hours_on(self, ordinal: int) -> tuple[Hours, str] | None:
        """The hours of a day and its note, or None for a day without a session."""
        if (found := self._special_days.get(ordinal)) is not None:
            return found
        if (ordinal - 1) % 7 not in self.weekdays or ordinal in self._closed_days:
            return None
        return self._usual(ordinal), ""

    def _usual(self, ordinal: int) -> Hours:
        return self.hours[max(bisect_right(self._since, ordinal) - 1, 0)][1]

    def _session_of(self, ordinal: int) -> Session | None:
        if (found := self._hours_on(ordinal)) is None:
            return None
        hours, note = found
        segments, auctions = parts_of(hours, self.zone, ordinal)
        if all(piece.phase is not Phase.REGULAR for piece in segments):
            return None  # its whole regular session lies in an hour that the clocks skip
        day = date.fromordinal(ordinal)
        tentative = self.tentative_from is not None and day >= self.tentative_from
        return Session(
            self.name,
            day,
            self.zone,
            segments,
            auctions,
            note=note,
            is_half_day=hours.regular_seconds < self._usual(ordinal).regular_seconds,
            is_tentative=tentative,
        )

    def _bounds(self, first: int, last: int) -> tuple[int, int]:
        """The first known instant and the first unknown one: sessions of unknown days may reach over midnight."""
        over = max(0, self._usual(first).ends - DAY_S)
        under = min(0, self._usual(last).begins)
        return instant_of_wall(self.zone, first, over), instant_of_wall(self.zone, last, DAY_S + under)

    def _refuse_overlaps(self) -> None:
        """Refuse a day whose hours reach into those of the next; only special days and new hours can."""
        for ordinal in [*self._special_days, *self._since[1:]]:
            for day in (ordinal - 1, ordinal):
                one, other = self._hours_on(day), self._hours_on(day + 1)
                if one is not None and other is not None and one[0].ends - DAY_S > other[0].begins:
                    wanted = f"hours of {date.fromordinal(day)} that end before those of the next day begin"
                    raise InvalidValueError("hours", str(one[0]), wanted)

    def _known_day(self, value: Day) -> int:
        day = parse_day(value, "day")
        if not self.known[0] <= day <= self.known[1]:
            raise CalendarRangeError(self.name, day.isoformat(), *(bound.isoformat() for bound in self.known))
        return day.toordinal()

    def _next(self, ns: int, wanted: Callable[[Session], bool]) -> Session:
        day = self._timeline.session_at_or_after(ns).day.toordinal()
        return self._found((session for session in self._timeline.after(day) if wanted(session)), 1)

    def _found(self, sessions: Iterable[Session], step: int) -> Session:
        for session in sessions:
            return session
        edge = self.known[1 if step > 0 else 0] + timedelta(days=step)
        raise CalendarRangeError(self.name, edge.isoformat(), *(bound.isoformat() for bound in self.known))

    def _beyond(self, ns: int) -> CalendarRangeError:
        when = to_datetime(ns).astimezone(self.zone).isoformat(timespec="seconds")
        return CalendarRangeError(self.name, when, *(bound.isoformat() for bound in self.known))
