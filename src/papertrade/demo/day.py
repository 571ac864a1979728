"""Reads the bundled day of quotes and market trades."""

import csv
from collections.abc import Iterator
from datetime import datetime
from importlib import resources

import attrs


@attrs.frozen
class DayRow:
    """One line of the day. A `quote` row has no price and size, a `trade` row has only those.

    Prices and sizes stay text, exactly as they stand in the file; an empty cell is `None`.
    """

    at: datetime
    symbol: str
    kind: str
    bid: str | None
    ask: str | None
    bid_size: str | None
    ask_size: str | None
    price: str | None
    size: str | None


def read_day() -> Iterator[DayRow]:
    """The rows of the bundled day, in time order."""
    packaged = resources.files("papertrade.demo").joinpath("day.csv")
    with packaged.open("r", encoding="ascii") as file:
        for row in csv.DictReader(file):
            yield DayRow(
                at=datetime.fromisoformat(row["at"]),
                symbol=row["symbol"],
                kind=row["kind"],
                bid=row["bid"] or None,
                ask=row["ask"] or None,
                bid_size=row["bid_size"] or None,
                ask_size=row["ask_size"] or None,
                price=row["price"] or None,
                size=row["size"] or None,
            )
