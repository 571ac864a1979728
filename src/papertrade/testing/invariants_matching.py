"""M: every fill is one that the market data it names could have given."""

from __future__ import annotations

from fractions import Fraction

from papertrade.domain.events import OrderFilled
from papertrade.testing.case import Case
from papertrade.testing.oracle import arithmetic as exact


def _opposite(fill: OrderFilled) -> int | None:
    """The price on the other side of the quote behind a fill."""
    bid, ask = fill.evidence.seen_units[:2]
    return ask if fill.sign > 0 else bid


def _no_worse(sign: int, price: int, limit: int) -> bool:
    return price <= limit if sign > 0 else price >= limit


def m1_evidence_justifies(case: Case) -> None:
    """No fill is worse than its limit, and its base price is the one its rule takes from the datum it names."""
    terms = case.terms()
    for fill in case.fills:
        limit, _ = case.prices_at(fill.number, fill.version)
        letter, digit = fill.rule[0], fill.rule[1]
        case.need("M1", fill.role == "maker" or not terms[fill.number].post_only, fill, "post-only: a maker's fill")
        if limit is not None:
            case.need("M1", _no_worse(fill.sign, fill.price_units, limit), fill, f"limit {limit} or better")
        slipped = fill.sign * (fill.price_units - fill.base_units)
        case.need("M1", slipped >= 0, fill, "a price no better than its base")
        if letter == "A" or (letter == "P" and digit in "78"):
            _need_one_price(case, fill, limit)
        elif digit == "4":
            case.equal("M1", fill.base_units, limit, f"base of {fill.fill_id}")
        elif letter in "QL" and digit in "12378":
            case.equal("M1", fill.base_units, _opposite(fill), f"base of {fill.fill_id}")
        elif letter == "D" and digit in "12378":
            levels = fill.evidence.seen_units[::2]
            case.need("M1", fill.base_units in levels, fill, f"one of the levels {levels}")
        if letter in "QL" and digit == "4":
            opposite = _opposite(fill)
            reached = opposite is not None and limit is not None and _no_worse(fill.sign, opposite, limit)
            case.need("M1", reached, fill, "an opposite side at or through the limit")
        if letter == "B":
            _need_bar(case, fill)


def _need_one_price(case: Case, fill: OrderFilled, limit: int | None) -> None:
    """In an auction everybody has the same price; who would not trade at a worse one has no claim to it."""
    case.equal("M1", fill.base_units, fill.evidence.seen_units[0], f"base of {fill.fill_id}")
    if case.seat.profile.fill.limit_fill == "through":
        case.need("M1", fill.base_units != limit, fill, f"a price better than its limit {limit}")


def _need_bar(case: Case, fill: OrderFilled) -> None:
    """Nothing fills better than the bar went; a limit that the bar opened beyond may fill worse, at the limit."""
    _, high, low, _, _ = fill.evidence.seen_units
    best, worst = (low, high) if fill.sign > 0 else (high, low)
    if best is None or worst is None:
        case.need("M1", False, fill, "a bar with a high and a low")
        return
    case.need("M1", _no_worse(fill.sign, best, fill.base_units), fill, f"{best} or worse")
    if fill.rule[1] in "78":
        opened, _, _, closed, _ = fill.evidence.seen_units
        case.need("M1", fill.base_units in (opened, closed), fill, "the open or the close of a bar")
    if fill.rule[1] not in "34":
        case.need("M1", _no_worse(fill.sign, fill.base_units, worst), fill, f"{worst} or better")


def m2_no_look_ahead(case: Case) -> None:
    """The datum behind a fill or a trigger is not later than it."""
    for event in case.events:
        evidence = getattr(event, "evidence", None)
        if evidence is not None:
            case.need("M2", evidence.at_ns <= event.at_ns, event, "evidence from before")


def m3_size_sold_once(case: Case) -> None:
    """All fills charged to one datum together take no more than it shows (or its share of a bar's volume)."""
    settings = case.seat.profile.fill
    if settings.displayed_size == "ignore":
        return
    taken: dict[tuple[object, ...], int] = {}
    for fill in case.fills:
        letter = fill.rule[0]
        if fill.rule[1] == "8":
            continue  # it tells what a session ended at, and not how much there was
        side = fill.sign if letter in "QLD" else 0
        process = sum(version < fill.version for version in case.restarts)
        key = (process, fill.symbol, letter, fill.evidence.number, side)
        taken[key] = taken.get(key, 0) + fill.quantity_units
        most = _shown(case, fill)
        if most is not None and taken[key] > most:
            case.need("M3", False, f"{taken[key]} taken by {fill!r}", f"at most {most}")


def _shown(case: Case, fill: OrderFilled) -> int | None:
    letter, seen = fill.rule[0], fill.evidence.seen_units
    if letter in "QL":
        return seen[3] if fill.sign > 0 else seen[2]
    if letter == "D":
        return sum(size or 0 for size in seen[1::2])
    if letter == "P":
        return seen[1]
    volume = seen[1] if letter == "A" else seen[4]
    if volume is None:
        return None
    return exact.down(Fraction(case.seat.profile.fill.participation) * volume)


def m4_stops_never_better(case: Case) -> None:
    """A stop fills no better than the worse of its trigger and the first price there was."""
    for fill in case.fills:
        if fill.rule[1] != "5":
            continue
        _, stop = case.prices_at(fill.number, fill.version)
        first = _first_price(fill)
        for bound in (stop, first):
            if bound is not None:
                worse = not _no_worse(fill.sign, fill.base_units, bound - fill.sign)
                case.need("M4", worse, fill, f"{bound} or worse")


def _first_price(fill: OrderFilled) -> int | None:
    letter, seen = fill.rule[0], fill.evidence.seen_units
    if letter in "QL":
        return _opposite(fill)
    if letter == "B":
        # An order that was accepted inside the bar meets its close only; the evidence shows the whole bar.
        opened, closed = seen[0], seen[3]
        if opened is None or fill.base_units == closed:
            return closed
        return opened if fill.sign * (opened - fill.base_units) >= 0 else None
    return seen[0]


def m5_ticks_and_lots(case: Case) -> None:
    """Prices are on the tick and above zero, quantities in whole lots, also after slippage."""
    for fill in case.fills:
        instrument = case.instrument(fill.symbol)
        on_tick = fill.price_units > 0 and fill.price_units % instrument.tick_units == 0
        in_lots = fill.quantity_units > 0 and fill.quantity_units % instrument.lot_units == 0
        case.need("M5", on_tick and in_lots, fill, f"ticks of {instrument.tick_size}, lots of {instrument.lot_size}")


def m7_no_datum_no_fill(case: Case) -> None:
    """Every fill and every trigger names a datum."""
    for event in case.events:
        evidence = getattr(event, "evidence", None)
        if evidence is not None:
            named = evidence.number > 0 and evidence.at_ns >= 0 and any(evidence.seen_units)
            case.need("M7", named, event, "a datum")
