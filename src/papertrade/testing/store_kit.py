"""The store conformance kit: what every store has to keep, as numbered cases at four levels.

A store's test is a few lines; pytest collects the cases from the class. The methods of the store may be coroutines.
Without pytest, ``papertrade.testing.contract.run_cases`` runs them all; with it, ``-p papertrade.testing.plugin`` runs
them from the command line and writes a report.

    class TestMyStore(StoreContract):
        level = Level.DURABLE
        target = "mypkg.store:open_store"
"""

from __future__ import annotations

from papertrade.testing.contract import ContractViolation, run_cases
from papertrade.testing.store_cases.attested import AttestedCases
from papertrade.testing.store_cases.base import Level
from papertrade.testing.store_cases.hooks import Faults, Proxy, Server

__all__ = ["ContractViolation", "Faults", "Level", "Proxy", "Server", "StoreContract", "run_cases"]


class StoreContract(AttestedCases):
    """The contract of ``Store``: subclass it, name the ``target`` and the ``level``, and run the cases.

    What can be defined besides is in ``papertrade.testing.store_cases.base.StoreCases``: ``new_location``, ``shared``,
    ``server``, ``faults``, ``misconfigured``, ``make_newer``, ``damage``, ``lose_power`` and ``control``.
    """

    @classmethod
    def case_names(cls) -> list[str]:
        """The cases by name, in order."""
        return sorted(name for name in dir(cls) if name.startswith(("test_c", "test_a")))

    def run_case(self, name: str) -> None:
        """One case with a place of its own; a broken promise is a ``ContractViolation``."""
        case = getattr(self, name)
        self.setup_method(case)
        try:
            case()
        finally:
            self.teardown_method(case)
