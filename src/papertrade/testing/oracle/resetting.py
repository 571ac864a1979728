"""An account begins again, by the oracle: with everything that its books had come to."""

from __future__ import annotations

from papertrade.domain.events import AccountReset, CashDeposited, CashWithdrawn, PositionImported
from papertrade.domain.words import CancelReason
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.filling import cancel
from papertrade.testing.oracle.vocabulary import Reset


def reset(account: SlowAccount, command: Reset) -> None:
    """Every order is canceled; what the books and positions were is in the event."""
    for order in account.open_orders():
        if order.is_open:
            cancel(account, order, CancelReason.RESET)
    holdings = {key: account.holding(key) for key in account._moves}
    fees: dict[str, int] = {}
    deposits = 0
    for event in account.events:
        if isinstance(event, AccountReset):
            fees, deposits = {}, event.cash_units
        elif isinstance(event, CashDeposited):
            deposits += event.amount_units
        elif isinstance(event, CashWithdrawn):
            deposits -= event.amount_units
        elif isinstance(event, PositionImported):
            deposits += event.cost_units
        for kind, fee in getattr(event, "fees", ()):
            fees[kind] = fees.get(kind, 0) + fee
    balances = {
        "assets:cash": account.total(),
        "assets:positions": sum(held.cost for held in holdings.values()),
        "income:realized": -sum(held.realized for held in holdings.values()),
        "equity:deposits": -deposits,
        **{f"expenses:fees:{kind}": units for kind, units in fees.items()},
    }
    left = tuple((key, held.quantity) for key, held in sorted(holdings.items()) if held.quantity)
    before = tuple((name, units) for name, units in sorted(balances.items()) if units)
    about = account.name, account.next_version, account.now, command.cash, account.setup.currency.code
    account.emit(AccountReset(*about, before, left, command.command_id, command.note))
