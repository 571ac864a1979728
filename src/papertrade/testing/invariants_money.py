"""L and P: the books balance, cash and positions are what the events say, and nothing is lost to rounding."""

from __future__ import annotations

from fractions import Fraction

from papertrade.domain.events import (
    AccountCloned,
    AccountOpened,
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    Event,
    OrderFilled,
    PositionConverted,
    PositionImported,
)
from papertrade.domain.position_keys import position_key, split_key, titled
from papertrade.domain.positions import Position
from papertrade.testing.case import Case
from papertrade.testing.oracle import arithmetic as exact
from papertrade.testing.oracle.lots import Lot, Move, change_of, close_lots, closing_part, gone_from, keys_of

Lots = list[Lot]


def moved(event: Event) -> int:
    """By how much an event changes all cash."""
    if isinstance(event, CashDeposited):
        return event.amount_units
    if isinstance(event, CashWithdrawn):
        return -event.amount_units
    if isinstance(event, OrderFilled):
        return -event.sign * event.value_units - sum(fee for _, fee in event.fees)
    if isinstance(event, AccountReset):
        before = dict(event.balances)
        return event.cash_units - before.get("assets:cash", 0) - before.get("assets:holds", 0)
    return 0


def l1_entries_balance(case: Case) -> None:
    """Every entry sums to zero, and so do all ledger accounts together."""
    balances: dict[str, int] = {}
    for entry in case.entries:
        case.equal("L1", sum(p.amount_units for p in entry.postings), 0, f"entry {entry.version} sums to")
        for posting in entry.postings:
            balances[posting.ledger_account] = balances.get(posting.ledger_account, 0) + posting.amount_units
    live = {name: units for name, units in case.state.books.items() if units}
    case.equal("L1", live, {name: units for name, units in balances.items() if units}, "books")
    case.equal("L1", sum(live.values()), 0, "trial balance")


def l2_cash_from_events(case: Case) -> None:
    """All cash is deposits less withdrawals, less purchases, plus sales, less fees; a reset says what there was."""
    total = 0
    for event in case.events:
        if isinstance(event, AccountReset):
            case.equal("L2", dict(event.balances).get("assets:cash", 0), total, f"cash before reset {event.version}")
            total = event.cash_units
        else:
            total += moved(event)
    case.equal("L2", case.view.total_units, total, "cash")


def l3_fees_from_fills(case: Case) -> None:
    """Fee accounts hold the fees of the fills, kind by kind, and nothing else touches them."""
    by_kind: dict[str, int] = {}
    first = case.life[0].version
    for fill in case.fills:
        for kind, units in fill.fees if fill.version >= first else ():
            by_kind[kind] = by_kind.get(kind, 0) + units
    booked: dict[str, int] = {}
    for entry in case.entries:
        for posting in entry.postings if entry.version >= first and entry.kind != "account_reset" else ():
            if posting.ledger_account.startswith("expenses:fees:"):
                case.equal("L3", entry.kind, "order_filled", "a fee was booked by")
                kind = posting.ledger_account.removeprefix("expenses:fees:")
                booked[kind] = booked.get(kind, 0) + posting.amount_units
    case.equal("L3", booked, by_kind, "fees booked")
    case.equal("L3", case.view.fees_units, sum(by_kind.values()), "fees")


def l4_equity_adds_up(case: Case) -> None:
    """Equity less net deposits is realized profit less fees plus unrealized profit, exactly."""
    view = case.view
    left = view.equity_units - view.net_deposits_units
    case.equal("L4", left, view.realized_units - view.fees_units + view.unrealized_units, "profit")
    case.equal("L4", view.total_profit_units, left, "total profit")
    if view.day_profit_units is not None:
        case.equal("L4", view.day_base_units, view.equity_units - view.day_profit_units, "base of the day's profit")


def l5_held_is_needed(case: Case) -> None:
    """Held money is what the open orders need, a linked pair counted once at the larger."""
    needs = {o.number: o.hold_units for o in case.orders if o.is_open}
    held = 0
    for order in case.orders:
        if order.is_final:
            case.equal("L5", order.hold_units, 0, f"ended order {order.id} holds")
        elif order.oco in needs:
            held += max(needs[order.number], needs[order.oco]) if order.number < order.oco else 0
        else:
            held += needs[order.number]
    case.equal("L5", case.view.held_units, held, "held")
    booked = sum(getattr(event, "held_units", 0) for event in case.events)
    case.equal("L5", booked, held, "holds booked")
    if not case.seat.profile.margin.marked_to_market:
        rule, state = case.seat.profile.settlement, case.state
        keeps = rule is not None and (rule.unsettled_cash == "refuse" or case.view.at_ns < state.restricted_until_ns)
        free = case.view.settled_cash_units if keeps else case.view.total_units
        case.equal("L5", case.view.available_units, free - held, "available")


def l6_cash_is_never_overdrawn(case: Case) -> None:
    """In a cash account only a fill that closes a position (its fees) may take free cash below zero."""
    if case.seat.profile.margin.marked_to_market:
        return
    free = 0
    for event in case.events:
        before, free = free, free + moved(event) - getattr(event, "held_units", 0)
        closes = isinstance(event, OrderFilled) and event.closed_units == event.quantity_units
        if not (free >= 0 or free >= before or closes):
            case.need("L6", False, f"{free} free after {event!r}", "0 or more")


def l7_one_entry_an_event(case: Case) -> None:
    """An entry names one event, an event has at most one entry, and money moved only where an entry says so."""
    versions = [entry.version for entry in case.entries]
    case.equal("L7", len(set(versions)), len(versions), "entries with their own event")
    still = ("held_units", "cost_units")  # what moves though all cash stays the same
    events = (event for event in case.events if not isinstance(event, PositionConverted))  # it moves cost to itself
    moving = [e.version for e in events if moved(e) or any(getattr(e, name, 0) for name in still)]
    missing = sorted(set(moving) - set(versions))
    case.equal("L7", missing, [], "events that moved money without an entry:")


def l8_in_range(case: Case) -> None:
    """Versions count, prices and quantities keep to 15 digits before the point."""
    for fill in case.fills:
        for units in (fill.price_units, fill.quantity_units):
            case.need("L8", 0 < units < 10**24, units, "between 0 and 10^15")
    case.need("L8", len(case.events) < 2**53, len(case.events), "less than 2^53 events")


def l9_rounded_once(case: Case) -> None:
    """Both parts of a fill are worth price × quantity × multiplier to the nearest minor unit, and an order's fees what

    its model owes on all it has filled, however many fills that took.
    """
    so_far: dict[int, tuple[int, int, int, int]] = {}
    for fill in case.fills:
        instrument = case.instrument(fill.symbol)
        opened = fill.quantity_units - fill.closed_units
        for quantity, worth in (
            (fill.closed_units, fill.closed_value_units),
            (opened, fill.value_units - fill.closed_value_units),
        ):
            off = abs(exact.exact_value(instrument, fill.price_units, quantity) - worth)
            case.need("L9", off * 2 <= exact.minor(instrument), f"{worth} for {quantity}", "the nearest minor unit")
        filled, value, made, fees = so_far.get(fill.number, (0, 0, 0, 0))
        filled, value = filled + fill.quantity_units, value + fill.value_units
        made += fill.value_units if fill.role == "maker" else 0
        fees += sum(units for _, units in fill.fees)
        so_far[fill.number] = (filled, value, made, fees)
        try:
            owed = exact.fees_owed(case.seat.profile.fees, filled, value, made, exact.minor(instrument))
        except NotImplementedError:  # the caller's own model
            continue
        case.equal("L9", fees, sum(units for _, units in owed), f"fees of order {fill.order_id}")


def l10_one_currency(case: Case) -> None:
    """Nothing in another currency than the account's is ever booked."""
    for entry in case.entries:
        case.equal("L10", entry.currency, case.view.currency, f"currency of entry {entry.version}")
    for fill in case.fills:
        case.equal("L10", case.instrument(fill.symbol).currency.code, case.view.currency, "currency")


# ---------------------------------------------------------------- positions


def replayed(case: Case, key: str, before: int | None = None) -> tuple[Lots, int]:
    """(lots, realized profit) of a position from its fills; every fill is checked on the way (P3)."""
    lots: Lots = []
    realized = 0
    instrument = case.instrument(split_key(key)[0])
    average = case.state.cost_method == "average"
    for fill in case.moves(key):
        if before is not None and fill.version >= before:
            break
        if isinstance(fill, PositionConverted):
            lots = _gone_over(case, lots, fill, key)
        elif isinstance(fill, PositionImported):
            worth = exact.value(instrument, fill.price_units, abs(fill.quantity_units))
            cost = worth if fill.quantity_units > 0 else -worth
            case.need("P8", _side(lots) * fill.quantity_units >= 0, fill, "an import on the side that is held")
            if not _is_cloned(case):  # a copy keeps the cost of what it copies
                case.equal("P8", fill.cost_units, cost, f"cost of what came in at {fill.version}")
            lots = [*lots, Lot(fill.quantity_units, fill.cost_units, fill.at_ns)]
        else:
            closed = closing_part(lots, fill.sign, fill.quantity_units)
            lots, released = close_lots(lots, closed, exact.minor(instrument))
            got = exact.value(instrument, fill.price_units, closed) if closed else 0
            gained = -fill.sign * got - released if closed else 0
            found = (fill.closed_units, fill.closed_value_units, fill.released_units, fill.realized_units)
            case.equal("P3", found, (closed, got, released, gained), f"closing part of {fill.fill_id}")
            realized += gained
            opened = fill.quantity_units - closed
            if opened:
                worth = fill.sign * exact.value(instrument, fill.price_units, opened)
                lots = [*lots, Lot(fill.sign * opened, worth, fill.at_ns)]
        if average and lots:
            lots = [Lot(sum(lot.quantity for lot in lots), sum(lot.worth for lot in lots))]
    return lots, realized


def _gone_over(case: Case, lots: Lots, event: PositionConverted, key: str) -> Lots:
    """Lots without what a conversion takes away, or with what it brings; that is worth what it says (P9)."""
    source = position_key(event.symbol, event.from_product)
    size, step = abs(event.quantity_units), exact.minor(case.instrument(event.symbol))
    if key == source:
        left, released = close_lots(lots, size, step)
        case.equal("P9", event.cost_units, released, f"cost of what was converted at {event.version}")
        return left
    if event.version not in case.converted:
        before, _ = replayed(case, source, event.version)
        case.need("P9", size <= _side(before) * (1 if event.quantity_units > 0 else -1), event, "what was held there")
        case.converted[event.version] = gone_from(before, close_lots(before, size, step)[0])
    case.need("P9", _side(lots) * event.quantity_units >= 0, event, "a conversion to the side that is held")
    return sorted([*lots, *case.converted[event.version]], key=lambda lot: lot.opened)


def p9_conversions(case: Case) -> None:
    """A conversion moves what one product holds to another of its symbol, and nothing else: no money, no profit."""
    for event in case.of(PositionConverted):
        case.need("P9", event.from_product != event.to_product, event, "two products")
        entry = [e for e in case.entries if e.version == event.version]
        case.equal("P9", entry, [], f"entry of the conversion at {event.version}")
    for move in case.moves():
        if isinstance(move, PositionConverted):
            for key in keys_of(move):
                replayed(case, key)


def _side(lots: Lots) -> int:
    return sum(lot.quantity for lot in lots)


def _is_cloned(case: Case) -> bool:
    return isinstance(case.life[0], AccountOpened) and bool(case.of(AccountCloned))


def _positions(case: Case) -> list[Position]:
    """Every position that ever moved: what is left of those that a reset closed is nothing."""
    moves: list[Move] = [*case.fills, *case.of(PositionImported), *case.of(PositionConverted)]
    keys = {key for move in moves for key in keys_of(move)}
    return [case.broker.position(symbol, product or None) for symbol, product in map(split_key, sorted(keys))]


def _key(position: Position) -> str:
    return position_key(position.symbol, position.product)


def p1_quantity_from_fills(case: Case) -> None:
    """A position is the signed sum of its fills, of what came in, and of what went over."""
    for position in _positions(case):
        total = sum(change_of(move, _key(position)) for move in case.moves(_key(position)))
        case.equal("P1", position.quantity_units, total, f"quantity of {titled(position.symbol, position.product)}")


def p2_lots_add_up(case: Case) -> None:
    """Lots sum to the quantity and the cost, all of one sign; the average lies within the prices since last flat."""
    for position in _positions(case):
        symbol, quantity = _key(position), position.quantity_units
        case.equal("P2", sum(lot.quantity_units for lot in position.lots), quantity, f"lots of {symbol}")
        case.equal("P2", sum(lot.cost_units for lot in position.lots), position.cost_units, f"cost of {symbol}")
        case.equal("P2", all(lot.quantity_units * quantity > 0 for lot in position.lots), True, "one sign")
        lots, realized = replayed(case, symbol)
        case.equal("P2", [(x.quantity_units, x.cost_units) for x in position.lots], [lot[:2] for lot in lots], symbol)
        case.equal("P2", position.realized_units, realized, f"realized of {symbol}")
        prices = _prices_since_flat(case, symbol)
        if quantity and position.average_price is not None:
            average = Fraction(position.average_price) * exact.ONE
            case.need("P2", min(prices) <= average <= max(prices), average, f"{min(prices)} to {max(prices)}")


def _prices_since_flat(case: Case, key: str, before: int | None = None) -> list[int]:
    """The prices of what made a position up since it was last flat; of what went over, those of where it was."""
    prices: list[int] = []
    quantity = 0
    for move in case.moves(key):
        if before is not None and move.version >= before:
            break
        after = quantity + change_of(move, key)
        if after * quantity <= 0:
            prices = []
        if after and isinstance(move, PositionConverted):
            source = position_key(move.symbol, move.from_product)
            if key != source:
                prices += case.priced.get(move.version) or _noted(case, move, source)
        elif after:
            prices.append(move.price_units)
        quantity = after
    return prices


def _noted(case: Case, event: PositionConverted, source: str) -> list[int]:
    found = _prices_since_flat(case, source, event.version)
    case.priced[event.version] = [min(found), max(found)]
    return case.priced[event.version]


def p3_flip_is_close_and_open(case: Case) -> None:
    """A fill that crosses zero is a close followed by an open: same value, cost and profit."""
    for key in sorted({key for move in case.moves() for key in keys_of(move)}):
        replayed(case, key)


def p8_starting_states(case: Case) -> None:
    """What a reset closed is in no figure any more: net deposits, profit and fees are of what came since."""
    deposits = 0
    for event in case.life:
        if isinstance(event, AccountReset):
            deposits = event.cash_units
        elif isinstance(event, PositionImported):
            deposits += event.cost_units
        elif isinstance(event, (CashDeposited, CashWithdrawn)):
            deposits += moved(event)
    case.equal("P8", case.view.net_deposits_units, deposits, "net deposits")
    realized = sum(move.realized_units for move in case.moves() if isinstance(move, OrderFilled))
    case.equal("P8", case.view.realized_units, realized, "realized")
    for event in case.of(AccountReset):
        case.equal("P8", sum(units for _, units in event.balances), 0, f"balances before reset {event.version} sum to")
        held = [(key, change_of(e, key)) for e in _life_before(case, event.version) for key in keys_of(e)]
        keys = sorted({key for key, _ in held})
        left = [(key, sum(q for k, q in held if k == key)) for key in keys]
        case.equal("P8", list(event.holdings), [(s, q) for s, q in left if q], f"holdings before reset {event.version}")


def _life_before(case: Case, version: int) -> list[Move]:
    """What moved positions between a reset and the one before it."""
    found: list[Move] = []
    for event in case.events[: version - 1]:
        if isinstance(event, AccountReset):
            found = []
        elif isinstance(event, (OrderFilled, PositionImported, PositionConverted)):
            found.append(event)
    return found


def p4_flat_is_empty(case: Case) -> None:
    """A flat position has no cost, no lots and no unrealized profit; a flat account needs no margin."""
    held = 0
    for position in _positions(case):
        held += not position.is_flat
        if position.is_flat:
            found = (position.cost_units, position.pq, position.lots, position.unrealized_units or 0)
            case.equal("P4", found, (0, 0, (), 0), f"flat {position.symbol}")
    if not held:
        found_margin = (case.view.initial_margin_units, case.view.maintenance_margin_units)
        case.equal("P4", found_margin, (0, 0), "margin of a flat account")


def p6_unrealized_from_mark(case: Case) -> None:
    """Unrealized profit is the value at the mark less the cost, and the mark is not from the future."""
    for position in _positions(case):
        if position.mark_units is None or position.is_flat:
            continue
        quantity = position.quantity_units
        sign = 1 if quantity > 0 else -1
        worth = sign * exact.value(case.instrument(position.symbol), position.mark_units, abs(quantity))
        case.equal("P6", position.unrealized_units, worth - position.cost_units, f"unrealized {position.symbol}")
