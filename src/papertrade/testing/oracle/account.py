"""One account as the oracle keeps it: a list of events, and everything else worked out from it again and again."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from papertrade.domain.events import (
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    DayClosed,
    DayOpened,
    DayRevalued,
    EquityMarked,
    Event,
    LimitLatched,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
    OrderFilled,
    PositionConverted,
    PositionImported,
    SquaredOff,
)
from papertrade.domain.position_keys import position_key, split_key
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.lots import Lot, Move, change_of, close_lots, closing_part, gone_from, told_price
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.orders import SlowOrder, note_event
from papertrade.testing.oracle.vocabulary import Setup

DAILY_LOSS = "max_daily_loss"
DRAWDOWN = "max_drawdown"
KILL_SWITCH = "kill_switch"


class Holding(NamedTuple):
    """A position."""

    lots: list[Lot]
    realized: int
    fees: int

    @property
    def quantity(self) -> int:
        """What is held, negative when short."""
        return sum(lot.quantity for lot in self.lots)

    @property
    def cost(self) -> int:
        """What it cost."""
        return sum(lot.worth for lot in self.lots)


class AtCost(NamedTuple):
    """A holding that the day or the peak counts at cost or an old price, because nobody knew a better one then."""

    symbol: str
    quantity: int
    cost: int  # what it is counted at
    since: int  # the version of the event that began to count it
    imported: bool
    today: bool  # does the equity that the day began with count it at cost?


class Bases(NamedTuple):
    """What losses are measured from."""

    day: str
    day_began: int  # the instant of the last DayOpened
    day_equity: int
    loss_base: int  # the equity that the loss of the day is measured from, deposits aside
    day_deposits: int
    peak: int
    latches: list[str]
    margin_call: bool
    at_cost: list[AtCost]
    is_open: bool = False  # is there a day that has not ended?


class SlowAccount:
    """The events of an account, its orders, its markets, and what follows from them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.fill = setup.fill
        self.margin = setup.margin
        self.name = setup.account
        self.markets = {i.symbol: SlowMarket(i, setup.hours_of(i)) for i in setup.instruments}
        self.events: list[Event] = []
        self.orders: dict[int, SlowOrder] = {}
        self.clock = setup.start_ns
        self.read = setup.start_ns
        self.now = self.given = 0  # of the step being decided
        self.looked = 0  # up to which instant its equity was noted by the clock
        self.bookended = 0  # the instant of the last point that a session asked for
        self.step_began = 0  # how many events there were before it
        # What moved each position since the account began (again), and how many fills there ever were.
        # A position is found by its key: the symbol, with the product where the account has some.
        self._moves: dict[str, list[Move]] = {}
        self._converted: dict[tuple[int, bool], list[Lot]] = {}  # what went over, by version: at cost, and exactly
        self._filled = 0
        self._money_events: list[Event] = []
        self._bases: tuple[int, Bases] | None = None  # after how many of them it was asked last, and what was said
        self.stages: list[SquaredOff] = []
        self.settling: list[Event] = []  # what settlement follows from, and how many events were sifted for it
        self.sifted = 0

    # --------------------------------------------------------------- events

    def begin_step(self, at: int) -> None:
        """A command, a datum or a deadline is about to be decided; the account's own time never falls."""
        # What the age of data is judged by: the clock itself, whatever a feed ahead of it says.
        self.given = self.clock if self.setup.data_clock else self.read
        self.now = max(at, self.events[-1].at_ns if self.events else 0)
        self.step_began = len(self.events)

    @property
    def next_version(self) -> int:
        """The version of the next event."""
        return len(self.events) + 1

    def emit(self, event: Event) -> None:
        """Make something a fact."""
        if isinstance(event, PositionConverted):
            self._convert(event)
        self.events.append(event)
        if isinstance(event, AccountReset):
            self._moves = {}
        if isinstance(event, OrderFilled):
            self._filled += 1
        if isinstance(event, (OrderFilled, PositionImported)):
            self._moves.setdefault(event.key, []).append(event)
        if getattr(event, "number", None) is None:
            self._money_events.append(event)
        if isinstance(event, SquaredOff):
            self.stages.append(event)
        note_event(self.orders, event)

    def _convert(self, event: PositionConverted) -> None:
        """Note what goes over, as the position it leaves stands, and that it moves both."""
        keys = [position_key(event.symbol, product) for product in (event.from_product, event.to_product)]
        for exact in (False, True):
            before = self.replayed(keys[0], exact).lots
            left, _ = close_lots(before, abs(event.quantity_units), self._step(keys[0], exact))
            self._converted[event.version, exact] = gone_from(before, left)
        for key in keys:
            self._moves.setdefault(key, []).append(event)

    def market_of(self, key: str) -> SlowMarket:
        """Where a position is priced."""
        return self.markets[split_key(key)[0]]

    def may_short(self, product: str) -> bool:
        """May this product be sold short?"""
        return self.margin.may_short and all(p.shorting is not False for p in self.setup.products if p.name == product)

    def _step(self, key: str, exact: bool) -> int:
        return 1 if exact else money.minor(self.market_of(key).instrument)

    @property
    def next_order(self) -> int:
        """The number of the next order."""
        return len(self.orders) + 1

    @property
    def next_fill(self) -> int:
        """The number of the next fill."""
        return self._filled + 1

    # --------------------------------------------------------------- orders

    def open_orders(self, symbol: str | None = None) -> list[SlowOrder]:
        """Open orders, oldest first."""
        return [o for o in self.orders.values() if o.is_open and (symbol is None or o.symbol == symbol)]

    def sibling(self, order: SlowOrder) -> SlowOrder | None:
        """The other order of a pair, while it is open."""
        other = self.orders.get(order.oco)
        return other if other is not None and other.is_open else None

    def held(self, changed: dict[int, int] | None = None) -> int:
        """The money held for open orders, a pair at the larger of its two needs.

        ``changed`` says what some orders need instead, to ask what would be.
        """
        needs = {o.number: o.hold for o in self.open_orders()} | (changed or {})
        return self._once_a_pair(self.open_orders(), needs)

    def working(self, key: str, sign: int) -> int:
        """What open orders of one side may still fill; of two linked orders of a side only one can."""
        orders = [o for o in self.open_orders() if (o.key, o.sign) == (key, sign)]
        return self._once_a_pair(orders, {o.number: o.remaining for o in orders})

    def _once_a_pair(self, orders: Iterable[SlowOrder], amounts: dict[int, int]) -> int:
        total = 0
        for order in orders:
            other = self.sibling(order)
            if other is None or other.number not in amounts:
                total += amounts[order.number]
            elif order.number < other.number:
                total += max(amounts[order.number], amounts[other.number])
        return total

    # ------------------------------------------------------ money, positions

    def total(self) -> int:
        """All cash: every deposit, withdrawal, purchase, sale and fee since the account began (again)."""
        cash = 0
        for event in self._money_events:
            if isinstance(event, CashDeposited):
                cash += event.amount_units
            elif isinstance(event, CashWithdrawn):
                cash -= event.amount_units
            elif isinstance(event, AccountReset):
                cash = event.cash_units
        for moves in self._moves.values():
            fills = [move for move in moves if isinstance(move, OrderFilled)]
            cash -= sum(f.sign * f.value_units + sum(fee for _, fee in f.fees) for f in fills)
        return cash

    def holding(self, key: str, before: int | None = None) -> Holding:
        """A position from its fills, from the first one on; as it was before a version, if one is given."""
        return self.replayed(key, False, before)

    def replayed(self, key: str, exact: bool, before: int | None = None) -> Holding:
        """The same; ``exact`` lots are worth price × quantity, of which averages are made, and not their cost."""
        lots: list[Lot] = []
        realized = fees = 0
        instrument, step = self.market_of(key).instrument, self._step(key, exact)
        for move in self._moves.get(key, []):
            if before is not None and move.version >= before:
                break
            if isinstance(move, PositionConverted):
                lots = self._went_over(lots, move, key, exact)
                continue
            if isinstance(move, PositionImported):
                worth = move.quantity_units * move.price_units if exact else move.cost_units
                lots = self._pooled([*lots, Lot(move.quantity_units, worth, move.at_ns)])
                continue
            closed = closing_part(lots, move.sign, move.quantity_units)
            opened = move.quantity_units - closed
            lots, released = close_lots(lots, closed, step)
            got = money.value(instrument, move.price_units, closed) if closed else 0
            realized += -move.sign * got - released
            fees += sum(fee for _, fee in move.fees)
            if opened:
                worth = opened * move.price_units if exact else money.value(instrument, move.price_units, opened)
                lots = self._pooled([*lots, Lot(move.sign * opened, move.sign * worth, move.at_ns)])
        return Holding(lots, realized, fees)

    def _went_over(self, lots: list[Lot], event: PositionConverted, key: str, exact: bool) -> list[Lot]:
        """Lots after a conversion: without what left, or with what came, by the time at which it was opened."""
        if key == position_key(event.symbol, event.from_product):
            return close_lots(lots, abs(event.quantity_units), self._step(key, exact))[0]
        return self._pooled(sorted([*lots, *self._converted[event.version, exact]], key=lambda lot: lot.opened))

    def _pooled(self, lots: list[Lot]) -> list[Lot]:
        """An average position is one lot."""
        if self.setup.cost_method == "average":
            return [Lot(sum(lot.quantity for lot in lots), sum(lot.worth for lot in lots), lots[0].opened)]
        return lots

    def average(self, key: str) -> int:
        """What a position cost on average: what it is reckoned at while it has no mark."""
        holding, multiplier = self.holding(key), Fraction(self.market_of(key).instrument.multiplier)
        if not holding.quantity:
            return 0
        return money.down(Fraction(abs(holding.cost) * money.ONE, abs(holding.quantity)) / multiplier)

    def quantity(self, key: str) -> int:
        """The signed quantity held: the sum of the fills, of what came in, and of what went over."""
        return sum(change_of(move, key) for move in self._moves.get(key, []))

    def held_keys(self) -> list[str]:
        """Keys with a position."""
        return [key for key in self._moves if self.quantity(key)]

    def closable(self, key: str, sign: int) -> int:
        """How much an order of this side could close."""
        return max(0, -sign * self.quantity(key))

    def equity(self) -> int:
        """Cash and positions at their marks; at cost where there is no mark."""
        worth = self.total()
        for key in self.held_keys():
            market, quantity = self.market_of(key), self.quantity(key)
            mark = self.price(key)
            if mark is None:
                worth += self.holding(key).cost
            else:
                worth += (1 if quantity > 0 else -1) * money.value(market.instrument, mark, abs(quantity))
        return worth

    def price(self, key: str) -> int | None:
        """The mark, or else the last price that the events tell."""
        mark, told = self.market_of(key).mark(), told_price(self.events, key)
        return told[1] if mark is None and told is not None else mark

    def margins(self) -> tuple[int, int]:
        """(initial, maintenance) of all positions at their marks."""
        initial = maintenance = 0
        if self.margin.marked_to_market:
            for key in self.held_keys():
                market, quantity = self.market_of(key), self.quantity(key)
                mark = self.price(key)
                if mark is None:
                    mark = self.average(key)
                initial += money.initial_margin(self.margin, market.instrument, quantity, mark)
                maintenance += money.maintenance_margin(self.margin, market.instrument, quantity, mark)
        return initial, maintenance

    def available(self) -> int:
        """What a new order may use."""
        if self.margin.marked_to_market:
            return self.equity() - self.margins()[0] - self.held()
        return self.total() - self.held()

    # ------------------------------------------------------- limits and days

    def bases(self) -> Bases:
        """Days, peaks, latches and margin calls. Asked again before the next event about money, the same."""
        if self._bases is None or self._bases[0] != len(self._money_events):
            self._bases = len(self._money_events), self._bases_from_the_first()
        return self._bases[1]

    def _bases_from_the_first(self) -> Bases:
        """From the first event on."""
        now = Bases("", 0, 0, 0, 0, 0, [], False, [])
        for event in self._money_events:
            if isinstance(event, (CashDeposited, CashWithdrawn)):
                moved = event.amount_units if isinstance(event, CashDeposited) else -event.amount_units
                now = now._replace(day_deposits=now.day_deposits + moved, peak=now.peak + moved)
            elif isinstance(event, PositionImported):
                cost = event.cost_units
                now = now._replace(day_deposits=now.day_deposits + cost, peak=now.peak + cost)
                if now.day:
                    came_in = AtCost(event.symbol, event.quantity_units, cost, event.version, True, True)
                    now = now._replace(at_cost=[*now.at_cost, came_in])
            elif isinstance(event, AccountReset):
                cash = event.cash_units
                now = Bases(now.day, now.day_began, cash, cash, 0, cash, [], False, [], now.is_open)
            elif isinstance(event, DayOpened):
                now = self._day_opened(now, event)
            elif isinstance(event, DayClosed):
                now = now._replace(is_open=False)
            elif isinstance(event, DayRevalued):
                base = now.loss_base + event.equity_units - now.day_equity
                now = now._replace(
                    day_equity=event.equity_units, loss_base=base, peak=event.peak_units, at_cost=[]
                )
            elif isinstance(event, EquityMarked):
                now = now._replace(peak=max(now.peak, event.equity_units))
            elif isinstance(event, LimitLatched):
                now = now._replace(latches=[*now.latches, event.limit])
            elif isinstance(event, LimitReset):
                now = now._replace(latches=[latch for latch in now.latches if latch != event.limit])
                if event.limit == DAILY_LOSS:
                    now = now._replace(loss_base=event.equity_units - now.day_deposits)
                elif event.limit == DRAWDOWN:
                    now = now._replace(peak=event.equity_units)
            elif isinstance(event, (MarginCalled, MarginCallCleared)):
                now = now._replace(margin_call=isinstance(event, MarginCalled))
        return now

    def _day_opened(self, was: Bases, event: DayOpened) -> Bases:
        first = not was.day
        at_cost = [part._replace(today=False) for part in was.at_cost if part.imported]
        for key in event.unmarked:
            held, told = self.holding(key, event.version), told_price(self.events[: event.version - 1], key)
            symbol, counted = split_key(key)[0], held.cost
            if told is not None:
                worth = money.value(self.markets[symbol].instrument, told[1], abs(held.quantity))
                counted = worth if held.quantity > 0 else -worth
            at_cost.append(AtCost(symbol, held.quantity, counted, event.version, first, True))
        equity = event.equity_units
        if first:
            peak = equity
        else:
            peak = was.peak if event.unmarked else max(was.peak, equity)
        latches = [latch for latch in was.latches if latch != DAILY_LOSS]
        return Bases(event.day, event.at_ns, equity, equity, 0, peak, latches, was.margin_call, at_cost, True)

    def first_price(self, part: AtCost) -> int | None:
        """What a holding without a price is reckoned at: its first fill since, else its mark."""
        for event in self.events[part.since :]:
            if isinstance(event, OrderFilled) and event.symbol == part.symbol:
                return event.price_units
        return self.markets[part.symbol].mark()

    def restricted(self) -> bool:
        """May it only reduce?"""
        bases = self.bases()
        return bool(bases.latches) or bases.margin_call
