"""Instants: integer nanoseconds of UTC inside, aware datetimes outside.

No arithmetic here goes through a float: a timestamp of today has more digits than a float can hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from papertrade.errors import InvalidValueError, NaiveDatetimeError

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BARE_EPOCH = _EPOCH.replace(tzinfo=None)
_LONGEST = len("1970-01-01T00:00:00.000000001Z")
LATEST_NS = 2**63 - 1
_ACCEPTED = "an aware datetime, ISO text with an offset, or whole nanoseconds since 1970 (UTC)"


def parse_instant(value: object, field: str) -> int:
    """Nanoseconds of UTC from an aware datetime, ISO text with an offset, or nanoseconds."""
    if isinstance(value, datetime):
        return _from_datetime(value, field)
    if type(value) is int:
        if 0 <= value <= LATEST_NS:
            return value
        raise InvalidValueError(field, value, _ACCEPTED)
    if type(value) is str and len(value) <= 40:
        return _from_text(value, field)
    raise InvalidValueError(field, value, _ACCEPTED)


def _from_datetime(value: datetime, field: str) -> int:
    try:
        offset = value.utcoffset()
        # Subtracting the offset from the bare fields stays exact where converting to UTC would leave year 1..9999.
        since = None if offset is None else value.replace(tzinfo=UTC) - _EPOCH - offset
    except Exception:  # a time zone of somebody else's making
        raise InvalidValueError(field, value, _ACCEPTED) from None
    if since is None:
        raise NaiveDatetimeError(field, value)
    ns = (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000
    if 0 <= ns <= LATEST_NS:
        return ns
    raise InvalidValueError(field, value, "an instant between 1970 and 2262")


def _from_text(text: str, field: str) -> int:
    # fromisoformat takes any character between date and time, and a comma whose digits it cuts to six.
    if not text.isascii() or not text.isprintable() or "," in text:
        raise InvalidValueError(field, text, _ACCEPTED)
    # A leap second has no number of its own in UTC nanoseconds: it maps to the second after it.
    leap = text[16:19] == ":60"
    plain = f"{text[:17]}59{text[19:]}" if leap else text
    extra = 0
    dot = plain.find(".")
    if dot != -1:
        # fromisoformat stops at microseconds; the digits after them are kept by hand.
        end = dot + 1
        while end < len(plain) and plain[end].isdigit() and plain[end].isascii():
            end += 1
        digits = plain[dot + 1 : end]
        if len(digits) > 9 or dot > 19:  # finer than a nanosecond, or a fraction of an offset
            raise InvalidValueError(field, text, _ACCEPTED)
        if len(digits) > 6:
            extra = int(digits[6:].ljust(3, "0"))
            plain = plain[: dot + 7] + plain[end:]
    try:
        parsed = datetime.fromisoformat(plain)
    except ValueError:
        raise InvalidValueError(field, text, _ACCEPTED) from None
    ns = _from_datetime(parsed, field) + extra + (SECOND_NS if leap else 0)
    if ns > LATEST_NS:
        raise InvalidValueError(field, text, "an instant between 1970 and 2262")
    return ns


def to_datetime(ns: int) -> datetime:
    """The aware UTC datetime of an instant, cut to the microsecond that datetime can hold."""
    return _EPOCH + timedelta(microseconds=ns // 1_000)


def datetime_not_before(ns: int) -> datetime:
    """The first datetime that is not before an instant: whoever waits until then has not come too early."""
    return to_datetime(-(-ns // 1_000) * 1_000)


def text_of_instant(ns: int) -> str:
    """Canonical ISO text with Z and as many decimals as needed, up to nanoseconds."""
    seconds, fraction = divmod(ns, SECOND_NS)
    base = (_BARE_EPOCH + timedelta(seconds=seconds)).isoformat()
    return f"{base}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{base}Z"


def instant_of_text(text: str) -> int:
    """Back from canonical text; any other spelling of the same instant is refused."""
    if len(text) <= _LONGEST:
        try:
            since = datetime.fromisoformat(text[:19]) - _BARE_EPOCH
            ns = (since.days * 86_400 + since.seconds) * SECOND_NS + int(text[20:-1].ljust(9, "0"))
        except (ValueError, TypeError):  # no instant, or one with an offset where the seconds should be
            ns = -1
        # fromisoformat takes more than we write: only what is written back the same is ours.
        if 0 <= ns <= LATEST_NS and text_of_instant(ns) == text:
            return ns
    raise InvalidValueError("instant", text, "canonical UTC text ending in Z")
