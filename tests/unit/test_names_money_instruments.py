"""Names are taken byte for byte, currencies are booked in minor units, instruments multiply in full and round once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papertrade import Currency, Instrument, calendar
from papertrade.domain.instruments import parse_instrument
from papertrade.domain.money import CURRENCIES, parse_currency
from papertrade.domain.names import MAX_TAGS, parse_key, parse_name, parse_tags
from papertrade.errors import InvalidValueError, UsageError

GOOD_NAMES = ["A", "NSE:INFY", "BRK.B", "a b", "{}", "'; DROP--", "%s", "[[[[[[[[[[", "\\", '"', "~" * 64]
BAD_NAMES: list[object] = [
    "", " ", " A", "A ", "A\n", "A\x00", "\x00", "A\tB", "é", "ＡＢ", "A\u200bB", "\ufeffA", "ı", "ß", "\ud800",
    "A" * 65,
    "x" * 5_000_000, b"A", 1, 1.5, True, None, [], ("A",), object(), Decimal(1), "\x7f", "\u202eA",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_are_kept_exactly(name: str) -> None:
    """Nothing is trimmed, folded or escaped."""
    assert parse_name(name, "symbol") == name
    assert parse_key(name, "key") == name


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda v: type(v).__name__)
def test_names_that_would_need_mending_are_refused(name: object) -> None:
    """What a database or a locale would read in its own way is refused, never repaired."""
    with pytest.raises(InvalidValueError, match=r"^symbol: found .*printable ASCII") as caught:
        parse_name(name, "symbol")
    assert len(str(caught.value)) < 200


def test_look_alikes_stay_apart() -> None:
    """Names that look the same are different names or refused ones."""
    assert parse_name("aapl", "x") != parse_name("AAPL", "x")
    for fake in ("ААPL", "AAPL\u200d", "ＡAPL", "AAPL\u0301"):
        with pytest.raises(InvalidValueError):
            parse_name(fake, "x")


def test_keys_are_longer_than_names() -> None:
    """A caller's key may have 255 characters."""
    assert parse_key("k" * 255, "k") == "k" * 255
    with pytest.raises(InvalidValueError, match="255"):
        parse_key("k" * 256, "k")


# --------------------------------------------------------------------- tags


class Endless(Mapping[str, str]):
    """Says it is empty and never stops."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"t{number}"


class Broken(Mapping[str, str]):
    """Fails when it is read."""

    def __len__(self) -> int:
        raise RuntimeError

    def __getitem__(self, key: str) -> str:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError


def test_tags_are_sorted_pairs() -> None:
    """Equal tags give equal bytes, whatever the order they were written in; their text may be any language."""
    assert parse_tags({"b": "zwei", "a": "ünö"}) == (("a", "ünö"), ("b", "zwei"))
    assert parse_tags(None) == parse_tags({}) == ()
    assert len(parse_tags({f"t{n}": "" for n in range(MAX_TAGS)})) == MAX_TAGS


@pytest.mark.parametrize(
    "tags",
    [
        {f"t{n}": "" for n in range(MAX_TAGS + 1)}, {"a": 1}, {1: "a"}, {"": "a"}, {"a": "x" * 256}, {"a": "x\n"},
        {"a": "\ud800"}, {"a": "\x00"}, {"é": "a"}, {"a": None}, {"a": b"b"}, [("a", "b")], "a=b", 5, Endless(),
        Broken(),
    ],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_other_tags_are_refused(tags: object) -> None:
    """Too many, too long, of another kind, endless or broken: a typed error, and soon."""
    with pytest.raises(InvalidValueError, match="tags"):
        parse_tags(tags)


# -------------------------------------------------------------------- money


def test_currencies_have_minor_units() -> None:
    """A cent is 10⁷ units, a yen 10⁹, a satoshi 10."""
    assert [CURRENCIES[code].minor_units for code in ("USD", "JPY", "BTC")] == [10**7, 10**9, 10]
    assert parse_currency("USD") is CURRENCIES["USD"]
    assert parse_currency(Currency("XAU", 6)).minor_units == 1000
    assert str(Currency("XAU", 6)) == "XAU"


@pytest.mark.parametrize("currency", ["usd", "US", "", "DOGE", None, 1, b"USD", "ＵＳＤ", [], object(), True])
def test_unknown_currencies_are_refused(currency: object) -> None:
    """A currency is never guessed."""
    with pytest.raises(InvalidValueError, match="currency"):
        parse_currency(currency)  # type: ignore[arg-type]


@pytest.mark.parametrize("decimals", [-1, 10, True, "2", 2.0, None])
def test_decimals_are_bounded(decimals: object) -> None:
    """A currency has at most as many decimals as there are inside."""
    with pytest.raises(InvalidValueError, match="decimals"):
        Currency("XAU", decimals)  # type: ignore[arg-type]


# -------------------------------------------------------------- instruments

PRICES = st.integers(1, 10**24 - 1)


@given(PRICES, PRICES, st.sampled_from(["1", "100", "0.001", "50", "0.1"]), st.sampled_from(list(CURRENCIES)))
def test_value_is_rounded_once(price: int, quantity: int, multiplier: str, currency: str) -> None:
    """price × quantity × multiplier in full, then once to the minor unit: halves up, or up for holds."""
    listed = Instrument("X", currency=currency, multiplier=multiplier)
    minor = listed.currency.minor_units
    exact = Fraction(price * quantity, 10**9) * Fraction(multiplier) / minor
    value = listed.value(price, quantity)
    assert value == int(exact + Fraction(1, 2)) * minor
    assert listed.value_up(price, quantity) == ceil(exact) * minor


@given(st.integers(0, 10**20), st.integers(1, 10**15), st.sampled_from(["1", "0.001", "75"]))
def test_notional_buys_what_fits(money: int, price: int, lot: str) -> None:
    """The quantity for an amount is the largest number of whole lots whose exact value it covers."""
    listed = Instrument("X", lot_size=lot)
    quantity = listed.quantity_for(money, price)
    assert quantity % listed.lot_units == 0
    in_cents = money // listed.minor_units * listed.minor_units

    def cost(units: int) -> Fraction:
        return Fraction(price * units, 10**9)

    assert cost(quantity) <= in_cents < cost(quantity + listed.lot_units)


BAD_DETAILS: list[dict[str, object]] = [
    {"tick_size": 0}, {"tick_size": -1}, {"tick_size": "1e-3"}, {"tick_size": None}, {"lot_size": 0}, {"lot_size": "x"},
    {"lot_size": True}, {"multiplier": 0}, {"multiplier": float("nan")}, {"min_quantity": "1.5"}, {"min_quantity": 0},
    {"max_quantity": "0.5"}, {"min_quantity": 5, "max_quantity": 4}, {"price_band": (2, 1)}, {"price_band": (1, 1)},
    {"price_band": 5}, {"price_band": (1, 2, 3)}, {"price_band": ("1", None)}, {"price_band": "12"},
    {"currency": "usd"},
    {"currency": 5}, {"tick": "0.01"}, {"symbol": "B"}, {"price_band": {1, 2}},
]  # fmt: skip


@pytest.mark.parametrize("details", BAD_DETAILS, ids=str)
def test_bad_details_are_refused_by_name(details: dict[str, object]) -> None:
    """Each detail is checked, and unknown ones are named with the known ones."""
    with pytest.raises((UsageError, TypeError)) as caught:
        parse_instrument("A", **details)
    if "symbol" not in details:
        assert isinstance(caught.value, InvalidValueError)


def test_a_calendar_is_named_and_not_given() -> None:
    """An instrument is a value that can be written down; who gives a calendar itself is told where it goes."""
    with pytest.raises(InvalidValueError, match=r"the name of a calendar such as 'XNYS'.*use_calendar"):
        parse_instrument("A", calendar=calendar("XNYS"))


def test_details_become_exact() -> None:
    """Text, int, float and Decimal details are kept as exact decimals, defaults are the plain ones."""
    listed = Instrument("A", tick_size="0.05", lot_size=65, multiplier=0.1, price_band=("90", 110))
    assert (listed.tick_size, listed.lot_size, listed.multiplier) == (Decimal("0.05"), Decimal(65), Decimal("0.1"))
    assert listed.band_units == (90 * 10**9, 110 * 10**9)
    assert listed.min_units == listed.lot_units == 65 * 10**9
    plain = Instrument("A")
    assert (plain.tick_size, plain.lot_size, plain.multiplier) == (Decimal("0.01"), 1, 1)
    assert plain.currency is CURRENCIES["USD"]
    with pytest.raises(InvalidValueError, match="alone"):
        parse_instrument(plain, tick_size=1)
