"""Opening an account and moving cash in and out."""

from __future__ import annotations

from papertrade.domain.events import AccountOpened, CashDeposited, CashWithdrawn, WithdrawalRejected
from papertrade.domain.money import Currency
from papertrade.domain.words import AccountKind, CostMethod
from papertrade.engine.funds import available
from papertrade.engine.step import Step


def open_account(
    step: Step, account: str, currency: Currency, kind: AccountKind, method: CostMethod, cash: int
) -> None:
    """The first events of an account."""
    step.emit(AccountOpened(account, 1, step.now_ns, currency.code, currency.decimals, kind, method))
    if cash:
        deposit(step, cash, None, "opening balance")


def deposit(step: Step, amount: int, command_id: str | None, note: str) -> None:
    """Money comes in."""
    state = step.state
    step.emit(
        CashDeposited(
            state.account, state.version + 1, step.now_ns, amount, state.currency, command_id, note
        )
    )


def withdraw(step: Step, amount: int, command_id: str | None, note: str) -> bool:
    """Money goes out if it is available, and there in cash that has settled; else it is refused."""
    state = step.state
    there = min(available(step), state.cash - state.unsettled_cash)
    if amount > there:
        step.emit(
            WithdrawalRejected(
                state.account, state.version + 1, step.now_ns, amount, state.currency, max(there, 0), command_id
            )
        )
        return False
    step.emit(
        CashWithdrawn(
            state.account, state.version + 1, step.now_ns, amount, state.currency, command_id, note
        )
    )
    return True
