"""What each rounding of money promises, for CrossHair to look for numbers that break it.

In each function the first asserts say which numbers are meant, the last ones what has to hold for all of them.
``python -m tests.proofs.prove_money`` runs CrossHair over this file; ``test_smoke.py`` gives the same functions numbers
of its own, so that a contract that says something false about the library fails there too.
"""

from __future__ import annotations

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import (
    LIMIT,
    SCALE,
    divide_nearest,
    divide_up,
    parse_units,
    round_to_step,
    share_down,
    text_of,
    units_of_text,
)
from papertrade.engine.funds import held_change
from papertrade.ledger.fee_models import MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import FeeTally, charge
from papertrade.ledger.margin import FlatMargin
from papertrade.ledger.positions import PositionState, closing_part, released_cost, split_fill

CENT = 10_000_000
STOCK = Instrument("S")
CONTRACT = Instrument("F", multiplier="12.5", tick_size="0.25")
COIN = Instrument("C", currency="USDT", tick_size="0.1", lot_size="0.001")
PERCENT = PercentFee("0.0003", minimum="0.35", cap="20.005")
PER_UNIT = PerUnitFee("0.0035")
MAKER_TAKER = MakerTakerFee(maker="-0.0001", taker="0.0005")
MARGIN = FlatMargin(initial="0.2", maintenance="0.15")


# ------------------------------------------------------------------ the roundings


def nearest_is_at_most_half_away(numerator: int, denominator: int) -> None:
    """``divide_nearest`` is at most half a unit from the exact quotient, and an exact half goes away from zero."""
    assert denominator > 0
    rounded = divide_nearest(numerator, denominator)
    off = 2 * (numerator - rounded * denominator)
    assert -denominator <= off <= denominator
    if off in (denominator, -denominator):
        assert abs(rounded) * denominator > abs(numerator)


def nearest_knows_no_side(numerator: int, denominator: int) -> None:
    """Who pays and who receives get the same amount."""
    assert denominator > 0
    assert divide_nearest(-numerator, denominator) == -divide_nearest(numerator, denominator)


def nearest_never_falls(numerator: int, more: int, denominator: int) -> None:
    """More never rounds to less."""
    assert denominator > 0
    assert more >= 0
    assert divide_nearest(numerator, denominator) <= divide_nearest(numerator + more, denominator)


def two_parts_differ_by_one(one: int, two: int, denominator: int) -> None:
    """A split into two rounds to at most one unit more or less than the whole."""
    assert denominator > 0
    parts = divide_nearest(one, denominator) + divide_nearest(two, denominator)
    assert -1 <= parts - divide_nearest(one + two, denominator) <= 1


def up_is_the_ceiling(numerator: int, denominator: int) -> None:
    """``divide_up`` is never short and less than a unit too much."""
    assert denominator > 0
    rounded = divide_up(numerator, denominator)
    assert (rounded - 1) * denominator < numerator <= rounded * denominator


def a_buyer_pays_the_step_above(units: int, step: int) -> None:
    """A buyer's price goes up to the grid, by less than a step."""
    assert step > 0
    price = round_to_step(units, step, 1)
    assert price % step == 0
    assert units <= price < units + step


def a_seller_gets_the_step_below(units: int, step: int) -> None:
    """A seller's price goes down to the grid, by less than a step."""
    assert step > 0
    price = round_to_step(units, step, -1)
    assert price % step == 0
    assert units - step < price <= units


def ticks_go_against_the_trader(units: int) -> None:
    """On the grids of the three instruments, whose steps are known, both sides at once."""
    assert -LIMIT * SCALE < units < LIMIT * SCALE
    for tick in (STOCK.tick_units, CONTRACT.tick_units, COIN.tick_units):
        paid, received = round_to_step(units, tick, 1), round_to_step(units, tick, -1)
        assert paid % tick == 0 == received % tick
        assert units - tick < received <= units <= paid < units + tick


# ------------------------------------------------------------------ shares of a cost


def a_share_is_never_more(amount: int, part: int, whole: int) -> None:
    """``share_down`` in cents: towards zero, by less than a cent, with the amount's sign."""
    assert 0 <= part <= whole
    assert whole > 0
    size, exact = abs(share_down(amount, part, whole, CENT)), abs(amount) * part
    assert size % CENT == 0
    assert size * whole <= exact < (size + CENT) * whole
    assert share_down(-amount, part, whole, CENT) == -share_down(amount, part, whole, CENT)


def what_is_left_keeps_its_sign(amount: int, part: int, whole: int) -> None:
    """What a partial close leaves has the sign of what was there and is no more than that."""
    assert 0 <= part <= whole
    assert whole > 0
    left = amount - share_down(amount, part, whole)
    assert 0 <= left <= amount or amount <= left <= 0


def two_shares_are_one_short_at_most(amount: int, one: int, two: int, whole: int) -> None:
    """Two closes on the same cost release at most one unit less than one close of both."""
    assert one >= 0
    assert two >= 0
    assert amount >= 0
    assert whole > 0
    assert one + two <= whole
    parts = share_down(amount, one, whole) + share_down(amount, two, whole)
    assert 0 <= share_down(amount, one + two, whole) - parts <= 1


def _position(quantity: int, cost: int) -> PositionState:
    position = PositionState("S")
    position.quantity_units, position.cost_units = quantity, cost
    return position


def the_last_close_takes_the_rest(quantity: int, cents: int, closed: int) -> None:
    """A partial close releases whole cents and no more than there are; what comes last gets exactly the rest."""
    assert 0 < closed <= quantity
    assert cents >= 0
    first = released_cost(_position(quantity, cents * CENT), closed, CENT)
    assert first % CENT == 0
    assert 0 <= first <= cents * CENT
    if closed < quantity:
        rest = quantity - closed
        assert first + released_cost(_position(rest, cents * CENT - first), rest, CENT) == cents * CENT
    else:
        assert first == cents * CENT


def a_fill_is_a_close_and_an_open(quantity: int, cents: int, fill: int, ticks: int) -> None:
    """What a sale closes and realizes: value brought less cost given up, and a part for each side of zero."""
    assert quantity > 0
    assert cents >= 0
    assert fill > 0
    assert ticks > 0
    price = ticks * CENT
    parts = split_fill(_position(quantity, cents * CENT), STOCK, -1, fill, price, STOCK.value(price, fill))
    closed, value, closed_value, released, realized = parts
    assert closed == min(quantity, fill) == closing_part(quantity, -1, fill)
    assert realized == closed_value - released
    assert -CENT <= value - STOCK.value(price, fill) <= CENT
    assert value % CENT == closed_value % CENT == released % CENT == 0


# ------------------------------------------------------------------ price × quantity


def stock_value_is_the_nearest_cent(price: int, quantity: int) -> None:
    """A stock's price × quantity, rounded once, to the nearest cent, a half up."""
    assert price >= 0
    assert quantity >= 0
    value = STOCK.value(price, quantity)
    off = 2 * (price * quantity - value * SCALE)
    assert value % CENT == 0
    assert -CENT * SCALE <= off < CENT * SCALE


def contract_value_is_the_nearest_cent(price: int, quantity: int) -> None:
    """A contract's price × quantity × 12.5, likewise."""
    assert price >= 0
    assert quantity >= 0
    value = CONTRACT.value(price, quantity)
    off = 2 * (price * quantity * 25 - value * SCALE * 2)
    assert value % CENT == 0
    assert -CENT * SCALE * 2 <= off < CENT * SCALE * 2


def a_hold_is_never_short(price: int, quantity: int) -> None:
    """What is held is at least the exact value and at least the booked one, by less than a cent."""
    assert price >= 0
    assert quantity >= 0
    held = STOCK.value_up(price, quantity)
    assert held % CENT == 0
    assert price * quantity <= held * SCALE < price * quantity + CENT * SCALE
    assert STOCK.value(price, quantity) <= held


def money_buys_what_it_can(money: int, price: int) -> None:
    """``quantity_for`` is the most whole lots that this money pays for at this price."""
    assert money >= 0
    assert price > 0
    quantity = COIN.quantity_for(money, price)
    assert quantity % COIN.lot_units == 0
    assert price * quantity <= money * SCALE
    # The whole minor units of the money, exactly what is booked, do not pay for one lot more.
    assert price * (quantity + COIN.lot_units) > money // COIN.minor_units * COIN.minor_units * SCALE


def lots_are_cut(quantity: int) -> None:
    """Whole lots, by less than a lot."""
    assert quantity >= 0
    cut = COIN.lots_down(quantity)
    assert cut % COIN.lot_units == 0
    assert quantity - COIN.lot_units < cut <= quantity


def price_of_is_the_way_back(price: int, quantity: int) -> None:
    """The price of a value is rounded down, and lies within what rounding the value can hide."""
    assert price > 0
    assert quantity > 0
    value = STOCK.value(price, quantity)
    back = STOCK.price_of(value, quantity)
    assert back * quantity <= value * SCALE < (back + 1) * quantity


def initial_margin_is_never_short(price: int, quantity: int) -> None:
    """A fifth of the value, rounded up to a cent; long and short alike, and never below maintenance."""
    assert price >= 0
    initial = MARGIN.initial(STOCK, quantity, price)
    value = STOCK.value(price, abs(quantity))
    assert initial % CENT == 0
    assert value <= 5 * initial < value + 5 * CENT
    assert MARGIN.maintenance(STOCK, quantity, price) <= initial


# ------------------------------------------------------------------ fees


def _owed(model: PercentFee | PerUnitFee | MakerTakerFee, quantity: int, value: int, made: int = 0) -> int:
    return sum(units for _, units in model.owed(FeeTally("S", 1, quantity, value, made, CENT)))


def a_percent_fee_is_the_nearest_cent_in_bounds(quantity: int, value: int) -> None:
    """0.03 % to the nearest cent; at least 0.35, and at most 20.00, the whole cents of its cap of 20.005."""
    assert quantity > 0
    assert value >= 0
    fee = _owed(PERCENT, quantity, value)
    assert fee % CENT == 0
    assert 35 * CENT <= fee <= 2_000 * CENT
    if 35 * CENT < fee < 2_000 * CENT:
        off = 2 * (value * 3 - fee * 10_000)
        assert -CENT * 10_000 <= off < CENT * 10_000


def a_unit_fee_is_the_nearest_cent(quantity: int) -> None:
    """0.0035 a unit, to the nearest cent, a half up."""
    assert quantity > 0
    fee = _owed(PER_UNIT, quantity, 0)
    off = 2 * (quantity * 35 - fee * 10_000)
    assert fee % CENT == 0
    assert -CENT * 10_000 <= off < CENT * 10_000


def a_maker_taker_fee_is_the_nearest_cent(made: int, taken: int) -> None:
    """A rebate of 0.01 % of what was made and 0.05 % of what was taken, rounded once."""
    assert made >= 0
    assert taken >= 0
    fee = _owed(MAKER_TAKER, 1, made + taken, made)
    off = 2 * (taken * 5 - made - fee * 10_000)
    assert fee % CENT == 0
    assert -CENT * 10_000 <= off <= CENT * 10_000


def fees_of_parts_sum_to_the_fee_of_the_whole(first: int, second: int) -> None:
    """However an order is filled, what is charged adds up to what it owes: rounding happens once an order."""
    assert first > 0
    assert second > 0
    half = PERCENT.owed(FeeTally("S", 1, 1, first, 0, CENT))
    whole = PERCENT.owed(FeeTally("S", 1, 2, first + second, 0, CENT))
    charged = sum(units for _, units in charge((), half)) + sum(units for _, units in charge(half, whole))
    assert charged == sum(units for _, units in whole)


def linked_orders_hold_the_larger(own: int, new: int) -> None:
    """Alone, an order's hold changes by what it needs more."""
    assert own >= 0
    assert new >= 0
    assert own + held_change(own, None, new) == new


# ------------------------------------------------------------------ numbers and their text


def text_comes_back(units: int) -> None:
    """Every amount that can be typed is written as text that is read back as the same amount."""
    assert -LIMIT * SCALE < units < LIMIT * SCALE
    assert units_of_text(text_of(units)) == units == parse_units(text_of(units))


def whole_numbers_are_themselves(whole: int) -> None:
    """An integer is that many whole units."""
    assert -LIMIT < whole < LIMIT
    assert parse_units(whole) == whole * SCALE
