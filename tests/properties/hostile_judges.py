"""What a value has to be to mean something in a field: an independent, slower judgment than the library's own."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

Judge = Callable[[Any], bool]
E9 = 10**9


def number(value: Any) -> bool:
    """At most fifteen digits before the point and nine after it, by the written rule."""
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple() if type(value) is Decimal else Decimal(value).as_tuple()
        if not isinstance(exponent, int) or len(digits) > 100 or abs(exponent) > 10**6:
            return isinstance(exponent, int) and not any(digits)
        if not any(digits):
            return True
        if abs(exponent) > 200:
            return False
        exact = Fraction(int("".join(map(str, digits)))) * Fraction(10) ** exponent
        return exact < 10**15 and (exact * E9).denominator == 1
    if type(value) is int:
        return abs(value) < 10**15
    text = repr(value) if type(value) is float else value
    return type(text) is str and len(text) < 30 and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text) is not None


def exact(value: Any) -> Fraction:
    return Fraction(repr(value) if type(value) is float else Decimal(value) if isinstance(value, Decimal) else value)


def positive(value: Any) -> bool:
    return number(value) and exact(value) > 0


def not_negative(value: Any) -> bool:
    return number(value) and exact(value) >= 0


def fraction(value: Any) -> bool:
    return positive(value) and exact(value) <= 1


def cents(value: Any) -> bool:
    return not_negative(value) and (exact(value) * 100).denominator == 1


def whole(least: int = 0) -> Judge:
    return lambda value: type(value) is int and least <= value < 2**53


def minutes(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 43_200


def flag(value: Any) -> bool:
    return type(value) is bool


def printable(most: int) -> Judge:
    def judge(value: Any) -> bool:
        plain = type(value) is str and 0 < len(value) <= most and all(" " <= c <= "~" for c in value)
        return plain and value.strip(" ") == value

    return judge


name, key = printable(64), printable(255)


def label(value: Any) -> bool:
    return type(value) is str and len(value) <= 255 and value.isprintable()


def instant(value: Any) -> bool:
    if type(value) is int:
        return 0 <= value < 2**63
    if type(value) is str:
        found = re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?[Zz]", value, re.ASCII)
        return (
            found is not None
            and "1970" <= value[:4] < "2262"
            and not value.startswith("2026-02-30")
            and value[17] < "6"
        )
    if not isinstance(value, datetime):
        return False
    try:
        offset = value.utcoffset()
    except Exception:
        return False
    return isinstance(offset, timedelta) and 1970 <= value.year < 2262


def maybe(judge: Judge) -> Judge:
    return lambda value: value is None or judge(value)


def word(*accepted: str) -> Judge:
    def judge(value: Any) -> bool:
        return (type(value) is str or isinstance(value, StrEnum)) and str(value).lower() in accepted

    return judge


def only(*accepted: Any) -> Judge:
    return lambda value: any(type(value) is type(one) and value == one for one in accepted)


def kinds(value: Any) -> bool:
    if value is None:
        return True
    return type(value) in (list, tuple, dict, set, frozenset, deque) and not value


def anything(value: Any) -> bool:
    return True


def never(value: Any) -> bool:
    return False


def tags(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, Mapping) or type(value).__name__ == "EndlessMapping":
        return False
    pairs = list(dict.items(value) if isinstance(value, dict) else value.items())
    return len(pairs) <= 16 and all(name(k) and label(v) for k, v in pairs)


def levels(value: Any) -> bool:
    """Pairs of positive numbers, best first; the other side has a level, so that none here is fine."""
    if type(value).__name__ in ("zip", "list_iterator"):
        return True  # one good level, or two for the bids: used up by now
    return type(value) in (list, tuple, deque) and len(value) <= 10 and all(level(row) for row in value)


def level(row: Any) -> bool:
    return type(row) in (tuple, list, range) and len(row) == 2 and positive(row[0]) and positive(row[1])


def known_order(value: Any) -> bool:
    return type(value) is str and value in {f"main-{n}" for n in range(1, 10)}
