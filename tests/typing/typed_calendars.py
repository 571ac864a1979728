"""Checked by mypy, never run: what people type about calendars fits their types."""

from __future__ import annotations

from datetime import date, datetime

import papertrade as pt

nse = pt.calendar("XNSE").with_days({"2026-11-08": "13:45-14:45", "2026-12-31": None}, note="circular")
mended: dict[str, str | None] = {"2026-11-08": "usual"}
nse = nse.with_days(mended)
by_date: dict[date, pt.Hours] = {date(2026, 11, 8): pt.Hours("13:45-14:45")}
nse = nse.with_days(by_date, confirmed_through="2026-12-31")

session: pt.Session | None = nse.session("2026-11-08")
phase: pt.Phase = nse.phase(datetime.fromisoformat("2026-11-08T08:30:00+00:00"))
opens: datetime = nse.next_open("2026-11-08T08:30:00Z")
settles: date = nse.offset(date(2026, 11, 6), 1).day
answer: tuple[pt.Phase, int] = nse.phase_at(1_800_000_000_000_000_000)
known: tuple[date, date] = nse.known

holidays: dict[str, str] = {"2026-05-01": "Labor Day"}
desk = pt.Calendar(
    name="desk",
    zone="Europe/Berlin",
    hours={"2026-01-01": "09:00-17:00", "2026-07-01": "08:00-20:00"},
    closed=holidays,
    special={"2026-12-30": "09:00-14:00"},
    known=("2026-01-01", date(2026, 12, 31)),
)
day = pt.TradingDay("Europe/Berlin", calendar=desk)
