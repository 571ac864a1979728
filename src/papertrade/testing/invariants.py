"""Invariants by id: whatever happened to an account, these hold. ``check_account(broker)`` checks them all.

The ids are stable and grouped by a letter: L the ledger, P positions, O orders, M matching, K keys, E the journal,
S settlement, T time, A the interface. Each check reads the raw events and works the figures out again with fractions.
None of them leaves a trace in the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

from papertrade.paper import PaperBroker
from papertrade.testing import invariants_days as days
from papertrade.testing import invariants_journal as journal
from papertrade.testing import invariants_matching as matching
from papertrade.testing import invariants_money as money
from papertrade.testing import invariants_orders as orders
from papertrade.testing import invariants_settlement as settlement
from papertrade.testing.case import BrokenInvariantError, Case

__all__ = ["CHECKS", "BrokenInvariantError", "check_account"]

CHECKS: MappingProxyType[str, Callable[[Case], None]] = MappingProxyType(
    {
        "L1": money.l1_entries_balance,
        "L2": money.l2_cash_from_events,
        "L3": money.l3_fees_from_fills,
        "L4": money.l4_equity_adds_up,
        "L5": money.l5_held_is_needed,
        "L6": money.l6_cash_is_never_overdrawn,
        "L7": money.l7_one_entry_an_event,
        "L8": money.l8_in_range,
        "L9": money.l9_rounded_once,
        "L10": money.l10_one_currency,
        "P1": money.p1_quantity_from_fills,
        "P2": money.p2_lots_add_up,
        "P3": money.p3_flip_is_close_and_open,
        "P4": money.p4_flat_is_empty,
        "P6": money.p6_unrealized_from_mark,
        "P8": money.p8_starting_states,
        "P9": money.p9_conversions,
        "O1": orders.o1_legal_moves,
        "O2": orders.o2_quantity_adds_up,
        "O3": orders.o3_fills_add_up,
        "O4": orders.o4_numbers_in_sequence,
        "O5": orders.o5_final_is_final,
        "O6": orders.o6_time_in_force,
        "O7": orders.o7_links_and_reduce_only,
        "O8": orders.o8_reasons_are_known,
        "M1": matching.m1_evidence_justifies,
        "M2": matching.m2_no_look_ahead,
        "M3": matching.m3_size_sold_once,
        "M4": matching.m4_stops_never_better,
        "M5": matching.m5_ticks_and_lots,
        "M7": matching.m7_no_datum_no_fill,
        "K1": orders.k1_one_decision_a_key,
        "K2": orders.k2_same_key_same_answer,
        "K3": orders.k3_same_key_other_body,
        "E1": journal.e1_versions_without_gap,
        "E2": journal.e2_state_is_the_fold,
        "E4": journal.e4_snapshot_and_tail,
        "E7": journal.e7_asking_changes_nothing,
        "E8": journal.e8_one_spelling,
        "S1": settlement.s1_settled_and_unsettled,
        "S2": settlement.s2_each_fill_settles_once,
        "T1": journal.t1_time_never_falls,
        "T2": days.t2_each_day_once,
        "T5": days.t5_days_add_up,
        "A2": journal.a2_misuse_changes_nothing,
        "A3": journal.a3_views_from_events,
        "A4": journal.a4_own_events_only,
    }
)
"""Every check by its id. P5, P7, M8 and M9 compare several accounts and are tests; T4 is one about data."""


def check_account(broker: PaperBroker, ids: Iterable[str] = CHECKS, restarts: Sequence[int] = ()) -> None:
    """Check an account; raises ``BrokenInvariantError`` with the id and the numbers of the first that is broken.

    ``restarts`` are the versions at which the process began anew: market data is counted from there again.
    """
    case = Case(broker, restarts)
    for name in ids:
        CHECKS[name](case)
