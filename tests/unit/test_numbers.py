"""The one parser at the edge, the one scale inside, and the roundings."""

from __future__ import annotations

import decimal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papertrade.domain import numbers as n
from papertrade.errors import InvalidValueError

E9 = 10**9
MOST = 10**15

ACCEPTED = [
    ("0", 0),
    ("-0", 0),
    ("0.0", 0),
    ("1", E9),
    ("007", 7 * E9),
    ("1.10", 1_100_000_000),
    ("-1.1", -1_100_000_000),
    ("0.000000001", 1),
    ("999999999999999.999999999", MOST * E9 - 1),
    ("-999999999999999.999999999", 1 - MOST * E9),
    (0, 0),
    (7, 7 * E9),
    (MOST - 1, (MOST - 1) * E9),
    (1 - MOST, (1 - MOST) * E9),
    (Decimal("1.10"), 1_100_000_000),
    (Decimal("-0"), 0),
    (Decimal("0E+30"), 0),
    (Decimal("0E-30"), 0),
    (Decimal("1E+3"), 1000 * E9),
    (Decimal("1E-9"), 1),
    (Decimal("1.0000000000000000000000000"), E9),
    (Decimal("999999999999999.999999999"), MOST * E9 - 1),
    (0.1, 100_000_000),
    (-0.0, 0),
    (187.14, 187_140_000_000),
    (1e15 - 1, (MOST - 1) * E9),
]

REFUSED: list[object] = [
    "", " ", " 1", "1 ", "1\n", "\t1", "+1", "--1", "-", ".", ".5", "5.", "1.2.3", "1,000", "1_000", "0x10", "1e3",
    "1E-9", "NaN", "nan", "sNaN", "Infinity", "inf", "-inf", "１２", "٣", "1２", "½", "²", "−1", "1\x00", "\x001",
    "1\u200b", "\ud800", "1000000000000000", "0.0000000001", "9" * 5_000_000, "0" * 26, "1.0000000000", "True", "None",
    MOST, -MOST, 10**30, 10**5_000, 1 << 16_000_000,
    True, False, None, b"1", bytearray(b"1"), [], ["1"], (), {}, {1}, object(), 1j, Fraction(1, 2), range(3), ...,
    Decimal("NaN"), Decimal("-NaN"), Decimal("sNaN"), Decimal("NaN123"), Decimal("Infinity"), Decimal("-Infinity"),
    Decimal("1E+15"), Decimal("1E+999999"), Decimal("-1E+999999"), Decimal("1E-10"), Decimal("1E-999999"),
    Decimal("1.0000000001"), Decimal("999999999999999.9999999999"), Decimal("1." + "1" * 5_000_000), Decimal("9" * 40),
    float("nan"), float("inf"), float("-inf"), 5e-324, 1e-5, 1e16, 1e308, 0.1 + 0.2 + 1e-11,
]  # fmt: skip


class OddDecimal(Decimal):
    """Answers nonsense to whoever asks it."""

    def is_finite(self) -> bool:
        raise RuntimeError

    def adjusted(self) -> int:
        raise RuntimeError

    def is_zero(self) -> bool:
        return True


class OddInt(int):
    pass


class OddText(str):
    pass


@pytest.mark.parametrize(("given_", "units"), ACCEPTED, ids=repr)
def test_accepted_forms_are_exact(given_: object, units: int) -> None:
    """Text, whole numbers, decimals and floats (by their shortest text) become exactly their units."""
    assert n.parse_units(given_, "x") == units
    assert type(n.parse_units(given_, "x")) is int


@pytest.mark.parametrize("given_", REFUSED, ids=lambda v: f"{type(v).__name__}")
def test_refused_forms_name_the_field(given_: object) -> None:
    """Anything finer, larger, longer or of another kind is refused, with its field and in a short text."""
    for parse in (n.parse_units, n.parse_positive, n.parse_not_negative):
        with pytest.raises(InvalidValueError) as caught:
            parse(given_, "limit_price")
        assert caught.value.field == "limit_price"
        assert str(caught.value).startswith("limit_price: found ")
        assert len(str(caught.value)) < 400


def test_subclasses_answer_for_nothing() -> None:
    """A Decimal subclass counts as the number it was made with; subclasses of int and str are refused."""
    assert n.parse_units(OddDecimal("1.5"), "x") == 1_500_000_000
    for value in (OddInt(1), OddText("1")):
        with pytest.raises(InvalidValueError):
            n.parse_units(value, "x")


def test_positive_and_not_negative() -> None:
    """Zero and less make no sense for a price; less than zero makes none for a fee."""
    for value in (0, "0", "-0", -0.0, "-0.000000001", -1, Decimal("-1")):
        with pytest.raises(InvalidValueError, match="a number above 0"):
            n.parse_positive(value, "x")
    assert n.parse_not_negative("-0", "x") == 0
    with pytest.raises(InvalidValueError, match="0 or more"):
        n.parse_not_negative("-0.000000001", "x")


def test_counts_are_whole_and_bounded() -> None:
    """A count is an int from its least up to 2^53, never a bool or text."""
    assert n.parse_count(0, "x") == 0
    assert n.parse_count(2**53 - 1, "x") == 2**53 - 1
    for value in (-1, 2**53, True, "1", 1.0, None, OddInt(1)):
        with pytest.raises(InvalidValueError):
            n.parse_count(value, "x")
    with pytest.raises(InvalidValueError, match="at least 1"):
        n.parse_count(0, "x", least=1)


# ------------------------------------------------------------- round trips

EDGE = st.integers(1 - MOST * E9, MOST * E9 - 1)
ANY = st.integers(-(10**60), 10**60)


@given(ANY)
def test_text_and_decimal_come_back(units: int) -> None:
    """Canonical text and Decimal carry every integer there and back, of any size."""
    text = n.text_of(units)
    assert n.units_of_text(text) == units
    assert Fraction(text) == Fraction(units, E9)
    assert Fraction(n.to_decimal(units)) == Fraction(units, E9)
    assert "e" not in text.lower()


@given(EDGE)
def test_edge_round_trip(units: int) -> None:
    """What the library prints it also reads, as text and as Decimal."""
    assert n.parse_units(n.text_of(units), "x") == units
    assert n.parse_units(n.to_decimal(units), "x") == units


@given(st.text(max_size=12) | st.from_regex(r"-?[0-9]{0,4}\.?[0-9]{0,4}", fullmatch=True))
def test_only_canonical_text_is_stored_text(text: str) -> None:
    """Stored text has one spelling: whatever else is written differently from it is refused."""
    try:
        units = n.units_of_text(text)
    except InvalidValueError:
        return
    assert n.text_of(units) == text


@pytest.mark.parametrize("text", ["", "-", "-0", "00", "01", "1.", ".1", "1.10", "1.0", "+1", "1e3", "--1", "²", "1.²"])
def test_other_spellings_are_not_stored_text(text: str) -> None:
    """-0, trailing zeros and leading zeros never come out of a store."""
    with pytest.raises(InvalidValueError):
        n.units_of_text(text)


# ----------------------------------------------- the caller's decimal context


@pytest.fixture
def hostile_context() -> Iterator[decimal.Context]:
    """The host rounds everything to six digits, up, and traps whatever can be trapped."""
    with decimal.localcontext() as context:
        context.prec, context.rounding, context.Emax, context.Emin = 6, decimal.ROUND_UP, 8, -8
        for signal in context.traps:
            context.traps[signal] = True
        context.clear_flags()
        yield context


def test_context_is_neither_obeyed_nor_touched(hostile_context: decimal.Context) -> None:
    """At precision 6, 1234567.89 + 0.01 is 1.23457E+6; here it stays 1234567.9, and no flag is raised."""
    value = Decimal("1234567.89")
    units = n.parse_units(value, "x") + n.parse_units("0.01", "x")
    assert n.text_of(units) == "1234567.9"
    assert str(n.to_decimal(units)) == "1234567.9"
    assert str(n.to_decimal(MOST * E9 - 1)) == "999999999999999.999999999"
    assert str(n.decimal_ratio(2 * 10**15, 3)) == "666666666666666.666666667"
    for given_, expected in ACCEPTED:
        assert n.parse_units(given_, "x") == expected
    for odd in (Decimal("1E+15"), Decimal("1.0000000001"), Decimal("sNaN")):
        with pytest.raises(InvalidValueError):
            n.parse_units(odd, "x")
    assert not any(hostile_context.flags.values())


def test_default_context_changed_before_import(child_env: dict[str, str]) -> None:
    """A host that changes DefaultContext before the import changes nothing either."""
    script = (
        "import decimal; d = decimal.DefaultContext; d.prec = 3; d.Emax = 5; d.Emin = -5; d.clamp = 1\n"
        "d.rounding = decimal.ROUND_UP; d.traps[decimal.Rounded] = True; decimal.setcontext(d)\n"
        "from papertrade.domain.numbers import parse_units, to_decimal\n"
        "print(parse_units(decimal.Decimal('123456789.123456789'), 'x'), to_decimal(123456789123456789))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=child_env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["123456789123456789", "123456789.123456789"], done.stderr


# -------------------------------------------------------------- roundings

WHOLE = st.integers(-(10**30), 10**30)
POSITIVE = st.integers(1, 10**20)


@given(WHOLE, POSITIVE)
def test_nearest_rounds_halves_away_from_zero(numerator: int, denominator: int) -> None:
    """Money: the nearest whole number, halves away from zero."""
    exact = Fraction(numerator, denominator)
    size = floor(abs(exact) + Fraction(1, 2))
    assert n.divide_nearest(numerator, denominator) == (size if exact >= 0 else -size)


@given(WHOLE, POSITIVE)
def test_up_is_never_short(numerator: int, denominator: int) -> None:
    """Holds: the next whole number towards +infinity."""
    assert n.divide_up(numerator, denominator) == ceil(Fraction(numerator, denominator))


@given(WHOLE, POSITIVE, st.data())
def test_share_releases_at_most_its_part(amount: int, whole: int, data: st.DataObject) -> None:
    """A partial close releases floor(|amount| × part ÷ whole) with amount's sign, the whole releases everything."""
    part = data.draw(st.integers(0, whole))
    size = floor(Fraction(abs(amount) * part, whole))
    assert n.share_down(amount, part, whole) == (size if amount >= 0 else -size)
    assert n.share_down(amount, whole, whole) == amount
    assert n.share_down(amount, 0, whole) == 0


@given(st.integers(0, 10**30), POSITIVE)
def test_steps_round_against_the_trader(units: int, step: int) -> None:
    """A buyer's price goes up to the grid, a seller's down, and a price on the grid stays."""
    up, down = n.round_to_step(units, step, 1), n.round_to_step(units, step, -1)
    assert up == ceil(Fraction(units, step)) * step
    assert down == floor(Fraction(units, step)) * step
    assert n.round_to_step(down, step, 1) == n.round_to_step(down, step, -1) == down


@given(WHOLE, WHOLE.filter(bool))
def test_ratio_rounds_half_to_even(numerator: int, denominator: int) -> None:
    """Averages are shown to nine places, half to even."""
    exact = Fraction(numerator, denominator) * E9
    assert Fraction(n.decimal_ratio(numerator, denominator)) == Fraction(round(exact), E9)


def test_a_small_float_says_what_to_write_instead() -> None:
    """Its shortest text has an exponent, which the caller did not type: the error says how to write the number."""
    with pytest.raises(InvalidValueError, match=r"quantity: found 1e-05; accepted: a float this small as text"):
        n.parse_units(0.00001, "quantity")
