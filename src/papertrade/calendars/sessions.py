"""What a calendar answers: one session of a market, with its phases and auctions as instants."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from papertrade.calendars.hours import Hours
from papertrade.calendars.wall import clock_of_day
from papertrade.domain.hours import Phase
from papertrade.domain.instants import text_of_instant, to_datetime


class SessionSegment:
    """One phase of a session: from an instant up to, and not including, another."""

    __slots__ = ("begins_ns", "ends_ns", "phase")

    def __init__(self, phase: Phase, begins_ns: int, ends_ns: int) -> None:
        self.phase, self.begins_ns, self.ends_ns = phase, begins_ns, ends_ns

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return to_datetime(self.begins_ns)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return to_datetime(self.ends_ns)

    def __repr__(self) -> str:
        return f"<{self.phase} {text_of_instant(self.begins_ns)} to {text_of_instant(self.ends_ns)}>"


class Auction:
    """An auction of a session.

    Orders are taken from ``accepts_from_ns`` (None: from any time) until just before ``accepts_until_ns``; the price is
    made by ``at_ns``.
    """

    __slots__ = ("accepts_from_ns", "accepts_until_ns", "at_ns", "kind")

    def __init__(self, kind: str, accepts_from_ns: int | None, accepts_until_ns: int, at_ns: int) -> None:
        self.kind, self.at_ns = kind, at_ns
        self.accepts_from_ns, self.accepts_until_ns = accepts_from_ns, accepts_until_ns

    @property
    def accepts_from(self) -> datetime | None:
        """The first instant at which it takes orders; None: any."""
        return None if self.accepts_from_ns is None else to_datetime(self.accepts_from_ns)

    @property
    def accepts_until(self) -> datetime:
        """The first instant at which it is too late for an order."""
        return to_datetime(self.accepts_until_ns)

    @property
    def at(self) -> datetime:
        """By when its price is made."""
        return to_datetime(self.at_ns)

    def to_dict(self) -> dict[str, str | None]:
        """The auction as text."""
        return {
            "kind": self.kind,
            "accepts_from": None if self.accepts_from_ns is None else text_of_instant(self.accepts_from_ns),
            "accepts_until": text_of_instant(self.accepts_until_ns),
            "at": text_of_instant(self.at_ns),
        }

    def __repr__(self) -> str:
        return f"<{self.kind} auction, orders until {text_of_instant(self.accepts_until_ns)}>"


def parts_of(hours: Hours, zone: ZoneInfo, ordinal: int) -> tuple[tuple[SessionSegment, ...], tuple[Auction, ...]]:
    """The phases and auctions of a day as instants. What lies in an hour that the clocks skip is not there."""
    at = clock_of_day(zone, ordinal, hours.earliest, hours.ends)
    found = [(piece.phase, at(piece.begins), at(piece.ends)) for piece in hours.segments]
    auctions = [
        Auction(
            times.kind,
            None if times.accepts_from is None else at(times.accepts_from),
            at(times.accepts_until),
            at(times.at),
        )
        for times in hours.auctions
    ]
    return tuple(SessionSegment(*piece) for piece in found if piece[1] < piece[2]), tuple(auctions)


class Session:
    """One session of a market.

    ``opens`` is the beginning of the regular session and ``closes`` its end, or the end of its closing auction where
    that is a phase of its own; pre-market and after-hours trading lie between ``extended_opens`` and
    ``extended_closes``.
    ``begins`` and ``ends`` are those of everything that belongs to the session. ``is_half_day`` says that its regular
    hours are shorter than usual, ``is_tentative`` that it is expected and not announced, ``note`` why it is special.
    """

    __slots__ = (
        *("calendar", "day", "zone", "segments", "auctions", "note", "is_half_day", "is_tentative"),
        *("begins_ns", "opens_ns", "closes_ns", "ends_ns", "extended_opens_ns", "extended_closes_ns"),
    )

    def __init__(
        self,
        calendar: str,
        day: date,
        zone: ZoneInfo,
        segments: tuple[SessionSegment, ...],
        auctions: tuple[Auction, ...],
        *,
        note: str = "",
        is_half_day: bool = False,
        is_tentative: bool = False,
    ) -> None:
        self.calendar, self.day, self.zone, self.segments, self.auctions = calendar, day, zone, segments, auctions
        self.note, self.is_half_day, self.is_tentative = note, is_half_day, is_tentative
        regular = [piece for piece in segments if piece.phase is Phase.REGULAR]
        closing = [piece for piece in segments if piece.phase in (Phase.REGULAR, Phase.CLOSING_AUCTION)]
        trading = [piece for piece in segments if piece.phase.is_open(extended=True)]
        self.begins_ns, self.ends_ns = segments[0].begins_ns, segments[-1].ends_ns
        self.opens_ns, self.closes_ns = regular[0].begins_ns, closing[-1].ends_ns
        self.extended_opens_ns = trading[0].begins_ns
        self.extended_closes_ns = max(trading[-1].ends_ns, self.closes_ns)

    @property
    def opens(self) -> datetime:
        """The first instant of the regular session."""
        return to_datetime(self.opens_ns)

    @property
    def closes(self) -> datetime:
        """The first instant after the regular session, and after its closing auction where that is a phase."""
        return to_datetime(self.closes_ns)

    @property
    def extended_opens(self) -> datetime:
        """The first instant of continuous trading, pre-market included."""
        return to_datetime(self.extended_opens_ns)

    @property
    def extended_closes(self) -> datetime:
        """The first instant after the last trading, after-hours included."""
        return to_datetime(self.extended_closes_ns)

    @property
    def begins(self) -> datetime:
        """The first instant of everything that belongs to it, order entry before the opening included."""
        return to_datetime(self.begins_ns)

    @property
    def ends(self) -> datetime:
        """The first instant after everything that belongs to it."""
        return to_datetime(self.ends_ns)

    def auction(self, kind: str) -> Auction | None:
        """Its auction of this kind, ``"open"`` or ``"close"``, if it has one."""
        return next((auction for auction in self.auctions if auction.kind == kind), None)

    def to_dict(self) -> dict[str, object]:
        """The session as plain values: text, numbers, lists."""
        instants = ("begins", "opens", "closes", "ends", "extended_opens", "extended_closes")
        return {
            "calendar": self.calendar,
            "day": self.day.isoformat(),
            **{name: text_of_instant(getattr(self, f"{name}_ns")) for name in instants},
            "segments": [
                [str(piece.phase), text_of_instant(piece.begins_ns), text_of_instant(piece.ends_ns)]
                for piece in self.segments
            ],
            "auctions": [auction.to_dict() for auction in self.auctions],
            "note": self.note,
            "is_half_day": self.is_half_day,
            "is_tentative": self.is_tentative,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Session) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.calendar, self.day))  # allowed: equality of keys, never stored

    def __repr__(self) -> str:
        opens, closes = (at.astimezone(self.zone) for at in (self.opens, self.closes))
        marks = [mark for mark, holds in (("half day", self.is_half_day), ("tentative", self.is_tentative)) if holds]
        shown = ", ".join([f"{opens:%H:%M}-{closes:%H:%M} {self.zone.key}", *marks])
        return f"<Session {self.calendar} {self.day}: {shown}>"
