"""The days on which Indian markets are closed, or open at other hours than usual: one table a year, with its source.

Holidays follow the moon and are announced each December; extra ones (elections, mourning) and the minutes of special
sessions come by circular. ``Calendar.with_days`` mends a day until a release does. 2027 is expected, not announced.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

FIRST_DAY, LAST_DAY = "2015-01-01", "2027-12-31"
TENTATIVE_FROM = "2027-01-01"

SHARES_CLOSED: Final = MappingProxyType(
    {
        2015: "01-26 02-17 03-06 04-02 04-03 04-14 05-01 09-17 09-25 10-02 10-22 11-12 11-25 12-25",
        2016: "01-26 03-07 03-24 03-25 04-14 04-15 04-19 07-06 08-15 09-05 09-13 10-11 10-12 10-31 11-14",
        2017: "01-26 02-24 03-13 04-04 04-14 05-01 06-26 08-15 08-25 10-02 10-20 12-25",
        2018: "01-26 02-13 03-02 03-29 03-30 05-01 08-15 08-22 09-13 09-20 10-02 10-18 11-08 11-23 12-25",
        2019: "03-04 03-21 04-17 04-19 04-29 05-01 06-05 08-12 08-15 09-02 09-10 10-02 10-08 10-21 10-28 11-12 12-25",
        2020: "02-21 03-10 04-02 04-06 04-10 04-14 05-01 05-25 10-02 11-16 11-30 12-25",
        2021: "01-26 03-11 03-29 04-02 04-14 04-21 05-13 07-21 08-19 09-10 10-15 11-05 11-19",
        2022: "01-26 03-01 03-18 04-14 04-15 05-03 08-09 08-15 08-31 10-05 10-26 11-08",
        2023: "01-26 03-07 03-30 04-04 04-07 04-14 05-01 06-29 08-15 09-19 10-02 10-24 11-14 11-27 12-25",
        2024: "01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-15 11-20 12-25",
        2025: "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-22 11-05 12-25",
    }
)
"""Weekdays without a session of shares and their derivatives, month and day, as the exchanges kept them."""

ANNOUNCED: Final = (
    ("2026-01-15", "municipal elections in Maharashtra"),
    ("2026-01-26", "Republic Day"),
    ("2026-03-03", "Holi"),
    ("2026-03-26", "Ram Navami"),
    ("2026-03-31", "Mahavir Jayanti"),
    ("2026-04-03", "Good Friday"),
    ("2026-04-14", "Ambedkar Jayanti"),
    ("2026-05-01", "Maharashtra Day"),
    ("2026-05-28", "Bakri Id"),
    ("2026-06-26", "Muharram"),
    ("2026-09-14", "Ganesh Chaturthi"),
    ("2026-10-02", "Gandhi Jayanti"),
    ("2026-10-20", "Dussehra"),
    ("2026-11-10", "Diwali Balipratipada"),
    ("2026-11-24", "Guru Nanak Jayanti"),
    ("2026-12-25", "Christmas"),
)
"""2026 by the circulars NSE/CMTR/71775 and, for 15 January, of January 2026."""

_MOON = "tentative: by the moon, may be announced for a day beside it"
EXPECTED: Final = (
    ("2027-01-26", "Republic Day; tentative: not announced yet"),
    ("2027-03-10", f"Id-ul-Fitr; {_MOON}"),
    ("2027-03-22", f"Holi; {_MOON}"),
    ("2027-03-26", "Good Friday; tentative: not announced yet"),
    ("2027-04-14", "Ambedkar Jayanti; tentative: not announced yet"),
    ("2027-04-15", f"Ram Navami; {_MOON}"),
    ("2027-05-17", f"Bakri Id; {_MOON}"),
    ("2027-06-16", f"Muharram; {_MOON}"),
)
"""2027: days fixed by date, Good Friday, and the moon's as almanacs expect them. The rest fall on weekends."""

MUHURAT: Final = (
    ("2015-11-11", "17:45-18:45", ""),
    ("2016-10-30", "18:30-19:30", ""),
    ("2017-10-19", "18:30-19:30", ""),
    ("2018-11-07", "17:30-18:30", ""),
    ("2019-10-27", "18:15-19:15", ""),
    ("2020-11-14", "18:15-19:15", ""),
    ("2021-11-04", "18:15-19:15", ""),
    ("2022-10-24", "18:15-19:15", ""),
    ("2023-11-12", "18:15-19:15", ""),
    ("2024-11-01", "18:00-19:00", ""),
    ("2025-10-21", "13:45-14:45", ""),
    ("2026-11-08", "13:45-14:45", "; minutes uncertain: those of 2025, the circular of 2026 was not at hand"),
    ("2027-10-29", "13:45-14:45", "; tentative: day by the moon, minutes those of 2025"),
)
"""The hour of trading on Diwali Laxmi Pujan, whatever the weekday."""

FULL_WEEKEND: Final = (
    ("2015-02-28", "Union Budget"),
    ("2020-02-01", "Union Budget"),
    ("2024-01-20", "full session before the closure of 22 January"),
    ("2025-02-01", "Union Budget"),
    ("2026-02-01", "Union Budget, NSE/CMTR/72349"),
)
"""Saturdays and Sundays with a session of the usual hours."""

DRILLS: Final = (
    ("2024-03-02", "09:15-10:00,11:30-12:30", "drill: moved to the disaster recovery site"),
    (
        "2024-05-18",
        "09:15-10:00,11:30-12:30",
        "drill: moved to the disaster recovery site; minutes uncertain: some reports say 11:45-12:40",
    ),
)
"""Saturdays with two short sessions."""

NSE_OUTAGE: Final = ("2021-02-24", "09:15-11:40,15:45-17:00", "halted by a fault, then traded to 17:00")
BSE_LONGER: Final = ("2021-02-24", "09:15-17:00", "open to 17:00 because NSE had been halted")

CURRENCY_TOO: Final = (
    ("2026-02-19", "Shivaji Jayanti"),
    ("2026-03-19", "Gudi Padwa"),
    ("2026-04-01", "annual closing of banks"),
    ("2026-08-26", "Id-e-Milad"),
    ("2027-02-19", "Shivaji Jayanti; tentative: not announced yet"),
    ("2027-04-01", "annual closing of banks; tentative: not announced yet"),
    ("2027-04-07", f"Gudi Padwa; {_MOON}"),
    ("2027-05-20", f"Buddha Purnima; {_MOON}"),
)
"""What currency derivatives have besides: banks are closed. 2026 by the circular NSE/CD/71962."""

COMMODITIES_CLOSED: Final = ("01-26", "10-02", "12-25")
"""Commodities: closed morning and evening, as on Good Friday. Every other holiday of 2026 closes the morning only."""
GOOD_FRIDAYS: Final = ("2026-04-03", "2027-03-26")
EVENING_CLOSED: Final = ("2026-01-01", "2027-01-01")
"""Commodities: New Year's Day has a morning and no evening."""
