"""The calendar of markets that never close, such as those of crypto."""

from __future__ import annotations

from papertrade.calendars.calendar import Calendar


def always_open() -> Calendar:
    """Open at every instant; its sessions are the days of UTC."""
    return Calendar(
        name="24x7",
        zone="UTC",
        hours="00:00-24:00",
        weekdays="Mon-Sun",
        known=("1970-01-01", "2262-04-10"),
        source="open at every instant that can be written down; a session is a day of UTC",
    )
