"""The paper broker keeps the broker contract, as a cash account, on margin, with charges, and with less on offer."""

from __future__ import annotations

import subprocess
import sys

import papertrade as pt
from papertrade.testing.broker_kit import BrokerContract, BrokerUnderTest, paper_under_test, run_cases
from papertrade.testing.limited import LimitedBroker


class TestCashAccount(BrokerContract):
    """Everything paid in full, nothing sold that is not held."""

    def open(self) -> BrokerUnderTest:
        return paper_under_test()


class TestMarginAccount(BrokerContract):
    """Shorts, and equity that counts."""

    def open(self) -> BrokerUnderTest:
        return paper_under_test(kind="margin")


class TestWithCharges(BrokerContract):
    """Fees, slippage and first-in-first-out lots."""

    def open(self) -> BrokerUnderTest:
        fees = pt.FeeSchedule((pt.PercentFee("0.001", minimum=1), pt.PerUnitFee("0.01", kind="exchange")))
        fill = pt.FillSettings.preset("realistic", slippage=pt.TickSlippage(2))
        return paper_under_test(fees=fees, cost_method="fifo", fill=fill)


class TestFloorsOfAnExchange(BrokerContract):
    """One account of many, on a shared exchange, opened again from its journal."""

    def open(self) -> BrokerUnderTest:
        under = paper_under_test()
        exchange = under.broker.exchange  # type: ignore[attr-defined]  # a PaperBroker
        exchange.open_account("neighbor", cash=5)
        return BrokerUnderTest(exchange.account("main"), under.market)


class TestLimited(BrokerContract):
    """A broker that offers limit and market orders for the day, and little else."""

    def open(self) -> BrokerUnderTest:
        under = paper_under_test()
        limited = LimitedBroker(
            under.broker,
            order_types=["market", "limit"],
            times_in_force=["day", "ioc"],
            post_only=False,
            reduce_only=False,
            linked_orders=False,
            notional_orders=False,
            modify_orders=False,
        )
        return BrokerUnderTest(limited, under.market)


class TestWithoutMarketOrders(BrokerContract):
    """A broker that only knows limits: whatever needs a market order is skipped, the rest holds."""

    def open(self) -> BrokerUnderTest:
        under = paper_under_test()
        limited = LimitedBroker(under.broker, order_types=["limit"], times_in_force=["gtc"])
        return BrokerUnderTest(limited, under.market)


ABOUT_GAPS = {"test_b37_unsupported", "test_b38_no_modify"}


def skipped(contract: BrokerContract) -> set[str]:
    found = run_cases(contract)
    broken = {name: what for name, what in found.items() if what != "kept" and not what.startswith("skipped")}
    assert not broken
    return {name for name, what in found.items() if what.startswith("skipped")}


def test_a_full_broker_skips_nothing_that_it_could_be_asked() -> None:
    """Between a cash account, a margin account and a limited broker, every case of the kit runs."""
    cash, margin, limited = skipped(TestCashAccount()), skipped(TestMarginAccount()), skipped(TestLimited())
    assert cash == {"test_b22_flip", *ABOUT_GAPS}
    assert margin == {"test_b35_no_shorts", *ABOUT_GAPS}
    assert not limited & ABOUT_GAPS
    assert not cash & margin & limited


def test_skips_follow_the_capabilities() -> None:
    """A case is skipped for what the broker says about itself, and for nothing else."""
    found = run_cases(TestLimited())
    assert found["test_b16_post_only"] == "skipped: the broker does not offer post-only orders"
    assert found["test_b08_stop"] == "skipped: the broker does not offer stop orders"
    assert found["test_b12_fok"] == "skipped: the broker does not offer time in force fok"
    assert found["test_b23_modify_limit"] == "skipped: the broker does not offer modify_order"
    assert found["test_b14_day"] == "kept"


def test_the_kit_has_its_numbers() -> None:
    """Cases are numbered without a gap, and each states its rule in a sentence."""
    names = BrokerContract.case_names()
    assert [name[:8] for name in names] == [f"test_b{number:02}" for number in range(1, len(names) + 1)]
    assert len(names) >= 30
    for name in names:
        rule = getattr(BrokerContract, name).__doc__
        assert rule.endswith("."), name
        assert len(rule) > 30, name


def test_the_kit_needs_no_pytest(child_env: dict[str, str]) -> None:
    """The kit is shipped: importing and running it asks for nothing that papertrade does not depend on."""
    script = (
        "import sys\n"
        "from papertrade.testing.broker_kit import BrokerContract, paper_under_test, run_cases\n"
        "class Contract(BrokerContract):\n"
        "    def open(self): return paper_under_test()\n"
        "found = run_cases(Contract())\n"
        "kept = sum(what == 'kept' for what in found.values())\n"
        "print(kept > 50, sorted({'pytest', 'hypothesis'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=child_env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"
