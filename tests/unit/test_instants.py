"""Instants: whole nanoseconds of UTC, exact at both ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain import instants as i
from papertrade.errors import InvalidValueError, NaiveDatetimeError, UsageError

LATEST = 2**63 - 1
NS = st.integers(0, LATEST)
NINE = 1_767_604_500_000_000_000  # 2026-01-05T09:15:00Z

ACCEPTED: list[tuple[object, int]] = [
    (0, 0),
    (LATEST, LATEST),
    (NINE, NINE),
    ("2026-01-05T09:15:00Z", NINE),
    ("2026-01-05T09:15:00+00:00", NINE),
    ("2026-01-05T14:45:00+05:30", NINE),
    ("2026-01-05 09:15:00Z", NINE),
    ("2026-01-05T09:15Z", NINE),
    ("2026-01-05T09:15:00.000000001Z", NINE + 1),
    ("2026-01-05T09:15:00.1234567+00:00", NINE + 123_456_700),
    ("2026-01-05T09:14:60Z", NINE),
    ("1970-01-01T00:00:00Z", 0),
    ("2262-04-11T23:47:16.854775807Z", LATEST),
    (datetime(2026, 1, 5, 9, 15, tzinfo=UTC), NINE),
    (datetime(2026, 1, 5, 14, 45, tzinfo=ZoneInfo("Asia/Kolkata")), NINE),
    (datetime(1970, 1, 1, 0, 0, tzinfo=UTC), 0),
    (datetime(1969, 12, 31, 19, 0, tzinfo=ZoneInfo("America/New_York")), 0),
]


class Lying(tzinfo):
    """A time zone that fails when it is asked."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        raise RuntimeError("no idea")


REFUSED: list[object] = [
    -1, LATEST + 1, 10**5_000, True, False, None, 1.5, float("nan"), b"2026", [], object(), timedelta(1),
    "", "now", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-05T24:00:01Z", "2026-01-05T09:15:61Z",
    "1969-12-31T23:59:59.999999999Z", "2262-04-11T23:47:16.854775808Z", "9999-12-31T23:59:59Z", "x" * 41,
    "2026-01-05T09:15:00.1234567891Z", "2026-01-05T09:15:00,123456789Z", "2026-01-05\n09:15:00Z",
    "2026-01-05\x0009:15Z",
    "2026-01-05\ud80009:15:00Z", "２０２６-01-05T09:15:00Z", "2026-01-05T09:15:00Z ", " 2026-01-05T09:15:00Z",
    "2026-01-05T09:15:00+05:30:15.1234567", "2026-01-05T09:15:00+99:00",
    datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=23))),
    datetime(2026, 1, 1, tzinfo=Lying()),
]  # fmt: skip
NAIVE: list[object] = [
    datetime(2026, 1, 5, 9, 15),  # noqa: DTZ001 - the point of the test
    datetime.max,  # noqa: DTZ901
    datetime.min,  # noqa: DTZ901
    "2026-01-05T09:15:00",
    "2026-01-05",
]


@pytest.mark.parametrize(("given_", "ns"), ACCEPTED, ids=str)
def test_accepted_instants(given_: object, ns: int) -> None:
    """Aware datetimes, ISO text with an offset and nanoseconds are exact; a leap second is the second after it."""
    assert i.parse_instant(given_, "at") == ns


@pytest.mark.parametrize("given_", REFUSED, ids=lambda v: type(v).__name__)
def test_refused_instants(given_: object) -> None:
    """What is no instant, is out of range or finer than a nanosecond is refused, never cut or guessed."""
    with pytest.raises(InvalidValueError) as caught:
        i.parse_instant(given_, "at")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("given_", NAIVE, ids=str)
def test_naive_datetimes_are_refused_by_name(given_: object) -> None:
    """A datetime without a zone is its own mistake, with its own error."""
    with pytest.raises(NaiveDatetimeError, match="has no time zone"):
        i.parse_instant(given_, "expires_at")


@given(NS)
def test_canonical_text_comes_back(ns: int) -> None:
    """Stored text keeps every nanosecond and has one spelling."""
    text = i.text_of_instant(ns)
    assert text.endswith("Z")
    assert i.instant_of_text(text) == ns
    assert i.parse_instant(text, "at") == ns
    with pytest.raises(UsageError):
        i.instant_of_text(text.replace("Z", "+00:00"))


@given(NS)
def test_datetimes_are_cut_to_the_microsecond(ns: int) -> None:
    """What datetime cannot hold is cut, never rounded into the future."""
    when = i.to_datetime(ns)
    assert when.utcoffset() == timedelta(0)
    assert i.parse_instant(when, "at") == ns // 1000 * 1000


def test_both_folds_are_an_hour_apart() -> None:
    """Two equal-looking local times around a clock change are different instants."""
    zone = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    assert i.parse_instant(second, "at") - i.parse_instant(first, "at") == 3600 * i.SECOND_NS


# ------------------------------------------------------------ trading days


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_first_and_last_instants_have_a_day(zone: str) -> None:
    """The day of 1970-01-01T00:00Z began in 1969 west of Greenwich, and that is no error."""
    day = TradingDay(zone)
    assert day.of(0) in ("1969-12-31", "1970-01-01")
    assert day.ends(0) > 0
    assert day.ends(LATEST) > LATEST


@given(NS, st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]))
def test_every_instant_has_one_day(ns: int, zone: str) -> None:
    """Days have no gap and no overlap: the end of one is the first instant of the next."""
    day = TradingDay(zone, "17:00")
    end = day.ends(ns)
    assert end > ns
    assert day.day_of(end - 1) == day.day_of(ns)
    assert day.day_of(end) > day.day_of(ns)


@pytest.mark.parametrize(
    "zone", [None, "", "Mars/Base", "../etc/passwd", "/etc/localtime", "x" * 65, b"UTC", 1, "UTC\n"]
)
def test_zones_come_from_the_zone_table(zone: object) -> None:
    """A zone name is looked up in the zone table and nowhere else."""
    with pytest.raises(InvalidValueError, match="zone"):
        TradingDay(zone)  # type: ignore[arg-type]


@pytest.mark.parametrize("starts", ["", "25:00", "09:00+05", "9", None, 9, datetime(2026, 1, 1, tzinfo=UTC).timetz()])
def test_days_start_at_a_wall_clock_time(starts: object) -> None:
    """The start of a day is a bare wall-clock time; one with a zone of its own is refused."""
    with pytest.raises(InvalidValueError, match="starts"):
        TradingDay("UTC", starts)  # type: ignore[arg-type]
