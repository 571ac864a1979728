"""Rare situations that chance hardly ever finds, by script."""

from __future__ import annotations

import attrs

from papertrade.ledger.fee_models import PercentFee
from papertrade.testing.oracle import vocabulary as say

from .peer_failures.scene import CASH, Script, Scripted, Turn, amounts, broker_of, order, records, terms, units
from .reached import counted
from .turns import ReadAll
from .world import World


class BothLegsInOneBar(Scripted):
    """One leg of a pair is gapped over and cut to what can be paid, and what it leaves of the other fills too."""

    name = "both_legs_in_one_bar"

    def turns(self) -> list[Turn]:
        """Five shares, a stop to buy four more linked to a limit to sell five, and an opening beyond both."""
        script = Script().bar(1, "100 100 100 100").at(1, order(1, "5")).bar(2, "100 101 99 100")
        legs = (terms(1, "4", stop="110"), terms(-1, "5", limit="130"))
        return script.at(3, say.PlacePair(*legs)).bar(4, "150 151 149 150").at(5, ReadAll()).turns

    def reached(self, world: World) -> None:
        """Three bought, one of the four canceled, two sold: never more than the pair was for."""
        assert amounts(records(world, "order_filled"), "quantity") == ["5", "3", "2"]
        assert counted(world)["both legs filled in one bar"] == 1


class FeeAboveProceeds(Scripted):
    """What is sold brings less than the fee for selling it, and the account has nothing else."""

    name = "fee_above_proceeds"
    setup = attrs.evolve(CASH, cash_units=units("103"), fees=PercentFee("0.001", minimum=3))

    def turns(self) -> list[Turn]:
        """Everything is spent, the price falls to a cent, and the position is given up."""
        script = Script().quote(1, "0.99", "1.00").at(2, order(1, "100")).quote(3, "0.01", "0.02")
        return script.at(4, order(-1, "100")).at(5, order(1, "1"), ReadAll()).turns

    def reached(self, world: World) -> None:
        """The reducing fill went through, cash is below zero, and nothing is bought any more."""
        assert broker_of(world).account().total == -2
        assert amounts(records(world, "order_rejected"), "reason") == ["negative_cash"]
        assert counted(world)["fee_takes_cash_below_zero"] == 1


SCRIPTED: tuple[Scripted, ...] = (BothLegsInOneBar(), FeeAboveProceeds())
