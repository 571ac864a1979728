"""The hours of a day as people write them: phases from one wall-clock time to another, and auctions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from typing import Literal, TypeVar

import attrs

from papertrade.calendars.wall import DAY_S, wall_of, wall_text
from papertrade.domain.hours import Phase
from papertrade.errors import InvalidValueError

Part = TypeVar("Part")

_REGULAR = Phase.REGULAR
_TIME = r"((?:previous |next )?[\d:]+)"

_PIECE = re.compile(rf"(?:(?!previous|next)([a-z_]+) )?{_TIME}-{_TIME}", re.ASCII)
_ACCEPTED_HOURS = (
    "hours such as '09:30-16:00', '09:15-10:00,11:30-12:30', 'previous 18:00-17:00' or "
    "'pre_market 04:00-09:30, 09:30-16:00, after_hours 16:00-20:00'"
)


def _phase(value: Phase | str) -> Phase:
    try:
        phase = Phase(value)
    except ValueError:
        phase = Phase.CLOSED
    if phase is Phase.CLOSED:
        named = ", ".join(known for known in Phase if known is not Phase.CLOSED)
        raise InvalidValueError("phase", value, f"one of {named}")
    return phase


def _begins(value: str | time | int) -> int:
    return wall_of(value, "begins")


def _ends(value: str | time | int) -> int:
    return wall_of(value, "ends")


@attrs.frozen
class Segment:
    """One phase of a day, from one wall-clock time to another.

    >>> Segment("regular", "09:30", "16:00")
    Segment('regular', '09:30', '16:00')
    """

    phase: Phase = attrs.field(converter=_phase)
    begins: int = attrs.field(converter=_begins)
    ends: int = attrs.field(converter=_ends)

    def __attrs_post_init__(self) -> None:
        if self.begins >= self.ends:
            shown = f"{wall_text(self.begins)}-{wall_text(self.ends)}"
            raise InvalidValueError(
                "hours",
                shown,
                "an end after its beginning; over midnight: 'previous 18:00-17:00' or '18:00-next 02:00'",
            )

    def __repr__(self) -> str:
        return f"Segment({str(self.phase)!r}, {wall_text(self.begins)!r}, {wall_text(self.ends)!r})"

    def __str__(self) -> str:
        word = "" if self.phase is _REGULAR else f"{self.phase} "
        return f"{word}{wall_text(self.begins)}-{wall_text(self.ends)}"


def _auction_kind(value: str) -> str:
    if value in ("open", "close"):
        return value
    raise InvalidValueError("kind", value, "'open' or 'close'")


def _at(value: str | time | int) -> int:
    return wall_of(value, "at")


def _until(value: str | time | int) -> int:
    return wall_of(value, "accepts_until")


def _from(value: str | time | int | None) -> int | None:
    return None if value is None else wall_of(value, "accepts_from")


@attrs.frozen
class AuctionTimes:
    """When an auction of a day takes orders, and by when its price is made.

    >>> AuctionTimes("close", at="16:00", accepts_until="15:50")
    AuctionTimes('close', at='16:00', accepts_until='15:50', accepts_from=None)
    """

    kind: Literal["open", "close"] = attrs.field(converter=_auction_kind)
    at: int = attrs.field(converter=_at, kw_only=True)
    accepts_until: int = attrs.field(converter=_until, kw_only=True)
    accepts_from: int | None = attrs.field(converter=_from, kw_only=True, default=None)

    def __attrs_post_init__(self) -> None:
        first = self.accepts_until if self.accepts_from is None else self.accepts_from
        if not first <= self.accepts_until <= self.at:
            raise InvalidValueError("auction", repr(self), "accepts_from before accepts_until, and that not after at")

    def __repr__(self) -> str:
        first = None if self.accepts_from is None else wall_text(self.accepts_from)
        at, until = wall_text(self.at), wall_text(self.accepts_until)
        return f"AuctionTimes({self.kind!r}, at={at!r}, accepts_until={until!r}, accepts_from={first!r})"


def _segments(value: str | Iterable[Segment]) -> tuple[Segment, ...]:
    if not isinstance(value, str):
        found = _all_of(value, Segment)
        if found is None:
            raise InvalidValueError("hours", value, _ACCEPTED_HOURS)
        return found
    pieces = [_PIECE.fullmatch(piece.strip()) for piece in value[:400].split(",")]
    if not all(pieces):
        raise InvalidValueError("hours", value, _ACCEPTED_HOURS)
    return tuple(Segment(piece[1] or _REGULAR, piece[2], piece[3]) for piece in pieces if piece)


def _auctions(value: Iterable[AuctionTimes]) -> tuple[AuctionTimes, ...]:
    found = _all_of(value, AuctionTimes)
    if found is None:
        raise InvalidValueError("auctions", value, "AuctionTimes")
    return found


def _all_of(value: object, kind: type[Part]) -> tuple[Part, ...] | None:
    """The members of an iterable if all are of a kind, else None."""
    found = tuple(value) if isinstance(value, Iterable) else (None,)
    return found if all(isinstance(part, kind) for part in found) else None


@attrs.frozen
class Hours:
    """The hours of a day: its phases in order, and its auctions. What has no name is the regular session.

    >>> str(Hours("pre_market 04:00-09:30, 09:30-13:00"))
    'pre_market 04:00-09:30, 09:30-13:00'
    """

    segments: tuple[Segment, ...] = attrs.field(converter=_segments)
    auctions: tuple[AuctionTimes, ...] = attrs.field(converter=_auctions, default=(), kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not any(segment.phase is _REGULAR for segment in self.segments):
            raise InvalidValueError("hours", str(self), "hours with a regular session in them")
        for one, other in zip(self.segments, self.segments[1:], strict=False):
            if one.ends > other.begins:
                raise InvalidValueError("hours", str(self), "phases in order that do not overlap")
        if any(times.at > self.ends for times in self.auctions):
            raise InvalidValueError("auctions", self.auctions, "auctions that are over when the day's last phase ends")
        if self.ends - self.begins > DAY_S:
            raise InvalidValueError("hours", str(self), "hours of at most 24 hours from beginning to end")

    def __str__(self) -> str:
        return ", ".join(map(str, self.segments))

    @property
    def begins(self) -> int:
        """When the first phase begins."""
        return self.segments[0].begins

    @property
    def ends(self) -> int:
        """When the last phase ends."""
        return self.segments[-1].ends

    @property
    def earliest(self) -> int:
        """The earliest time in it, that from which an auction takes orders included."""
        opened = [times.accepts_from for times in self.auctions if times.accepts_from is not None]
        return min([self.begins, *opened])

    @property
    def regular_seconds(self) -> int:
        """How long the regular session is."""
        return sum(segment.ends - segment.begins for segment in self.segments if segment.phase is _REGULAR)


def hours_of(value: Hours | str) -> Hours:
    """Hours as they are, or from text."""
    return value if isinstance(value, Hours) else Hours(value)
