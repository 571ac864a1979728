"""Make the golden sessions from two public libraries, which the tests themselves do not need.

    python -m venv scratch && scratch/bin/pip install exchange_calendars==4.13.2 pandas_market_calendars==5.5.0
    scratch/bin/python tests/calendars/make_golden.py
"""

from __future__ import annotations

from importlib.metadata import version

import exchange_calendars
import pandas_market_calendars
from reading import Row, write


def new_york() -> list[Row]:
    """Sessions of XNYS as exchange_calendars has them."""
    found = exchange_calendars.get_calendar("XNYS", start="2000-01-01", end="2027-12-31").schedule
    return [(day.date(), row["open"].to_pydatetime(), row["close"].to_pydatetime()) for day, row in found.iterrows()]


def india() -> list[Row]:
    """Sessions of NSE as pandas_market_calendars has them, up to the last year for which it has holidays."""
    found = pandas_market_calendars.get_calendar("NSE").schedule("2015-01-01", "2026-12-31")
    return [
        (day.date(), row["market_open"].to_pydatetime(), row["market_close"].to_pydatetime())
        for day, row in found.iterrows()
    ]


if __name__ == "__main__":
    command = "made by tests/calendars/make_golden.py from"
    write("xnys.txt", f"XNYS, {command} exchange_calendars {version('exchange_calendars')}", new_york())
    write("xnse.txt", f"NSE, {command} pandas_market_calendars {version('pandas_market_calendars')}", india())
