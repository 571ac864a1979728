"""How an account starts: with positions from elsewhere, as a copy of another, or once more."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.events import AccountCloned, AccountOpened, AccountReset, CashWithdrawn, PositionImported
from papertrade.domain.words import CancelReason
from papertrade.engine.cash import deposit
from papertrade.engine.clockwork import begin_day
from papertrade.engine.filling import cancel
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.ledger.positions import PositionState


class Incoming(NamedTuple):
    """A position that is to come in, in units; quantity and cost are negative for a short."""

    symbol: str
    quantity: int
    price: int
    cost: int
    product: str = ""


def import_position(step: Step, incoming: Incoming, command_id: str | None, note: str) -> None:
    """A position comes in without a trade."""
    state = step.state
    about = state.account, state.version + 1, step.now_ns
    symbol, quantity, price, cost, product = incoming
    came_in = (symbol, quantity, price, cost, state.currency, command_id, note, product)
    step.emit(PositionImported._make((*about, *came_in)))


def reset(step: Step, cash: int, command_id: str | None, note: str) -> None:
    """Everything ends, and the account begins again with this cash. Its numbers, versions and keys go on."""
    state = step.state
    for number, order in sorted(state.orders.items()):
        if number in state.orders:
            cancel(step, order, CancelReason.RESET, ())
    balances = tuple((name, units) for name, units in sorted(state.books.items()) if units)
    holdings = tuple((key, position.quantity_units) for key, position in sorted(state.holdings.items()))
    about = (state.account, state.version + 1, step.now_ns)
    step.emit(AccountReset(*about, cash, state.currency, balances, holdings, command_id, note))


def copy_account(step: Step, account: str, source: AccountState, command_id: str | None, note: str) -> None:
    """A new account with the words, the cash and the positions of another; not its orders, latches or past."""
    said = f"from {source.account} at version {source.version}"
    words = (source.currency, source.decimals, source.account_kind, source.cost_method)
    step.emit(AccountOpened(account, 1, step.now_ns, *words))
    step.emit(AccountCloned(account, 2, step.now_ns, source.account, source.version, command_id, note))
    cash = source.total
    if cash > 0:
        deposit(step, cash, None, said)
    elif cash:  # what a margin account owes, its copy owes too
        step.emit(CashWithdrawn(account, 3, step.now_ns, -cash, source.currency, None, said))
    for _, position in sorted(source.holdings.items()):
        for incoming in _lots(position):
            import_position(step, incoming, None, said)
    if source.open_positions:
        begin_day(step)  # losses are measured from what the positions are worth now, not from what they cost


def _lots(position: PositionState) -> list[Incoming]:
    """A position lot by lot, at its exact booked cost; its price is the average, to nine places."""
    pool = [(position.quantity_units, position.pq, position.cost_units)]
    lots = [(lot.quantity_units, lot.pq, lot.cost_units) for lot in position.lots] or pool
    about = position.symbol, position.product
    return [Incoming(about[0], q, (2 * pq + q) // (2 * q), cost, about[1]) for q, pq, cost in lots]
