"""The asynchronous paper broker keeps the same contract, case by case."""

from __future__ import annotations

import papertrade as pt
from papertrade.testing.broker_kit import (
    AsyncBrokerContract,
    AsyncBrokerUnderTest,
    BrokerContract,
    async_paper_under_test,
)


class TestAsyncCashAccount(AsyncBrokerContract):
    """Everything paid in full."""

    async def open_async(self) -> AsyncBrokerUnderTest:
        return await async_paper_under_test()


class TestAsyncMarginAccount(AsyncBrokerContract):
    """Shorts, with charges."""

    async def open_async(self) -> AsyncBrokerUnderTest:
        return await async_paper_under_test(kind="margin", fees=pt.PercentFee("0.001", minimum=1))


def test_both_faces_run_the_same_cases() -> None:
    """No case is lost on the way to the asynchronous face."""
    assert AsyncBrokerContract.case_names() == BrokerContract.case_names()
    for name in BrokerContract.case_names():
        assert getattr(AsyncBrokerContract, name) is getattr(BrokerContract, name)
