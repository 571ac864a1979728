"""The slow, obvious oracle: one account and its markets again, as naively as possible.

Plain lists, full recomputation, fractions. It has no resting index (every open order is looked at on each datum), no
running totals (positions come from the list of fills, cash from the list of events, holds from the open orders) and no
price bands (the account is valued at every datum). It shares no arithmetic and no rule with the engine, and has to
make the same events, byte for byte.
"""

from papertrade.testing.oracle.oracle import Oracle
from papertrade.testing.oracle.vocabulary import Command, Setup

__all__ = ["Command", "Oracle", "Setup"]
