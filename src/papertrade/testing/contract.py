"""What the conformance kits have in common: how a broken promise is told, and how cases are run without pytest.

A case is a method whose name begins with ``test_``; its docstring is the rule. What cannot be asked is skipped, and
says why.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol
from unittest import SkipTest


class ContractViolation(AssertionError):  # noqa: N818 - it names what happened, as AssertionError does not
    """What was tested broke a promise of its protocol; the message says which, and what was found."""

    def __init__(self, rule: str, *found: object) -> None:
        self.rule, self.found = rule, found
        super().__init__(rule + (f"; found {', '.join(map(repr, found))}" if found else ""))


def expect(truth: object, rule: str, *found: object) -> None:
    """Report a broken promise unless it was kept."""
    if not truth:
        raise ContractViolation(rule, *found)


class _Raises(AbstractContextManager["_Raises"]):
    """The block must raise this; ``error`` holds it afterwards."""

    def __init__(self, wanted: type[BaseException], rule: str) -> None:
        self.wanted, self.rule = wanted, rule
        self.error: BaseException | None = None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.error = error
        if error is None:
            raise ContractViolation(f"{self.rule}: raises {self.wanted.__name__}", "no error")
        if not isinstance(error, self.wanted) and isinstance(error, Exception):
            raise ContractViolation(f"{self.rule}: raises {self.wanted.__name__}", error) from error
        return isinstance(error, self.wanted)


def refuses(wanted: type[BaseException], rule: str) -> _Raises:
    """A block that must raise this error."""
    return _Raises(wanted, rule)


class Contract(Protocol):
    """A set of cases about one thing under test."""

    def case_names(self) -> list[str]:
        """The cases by name, in order."""
        ...

    def run_case(self, name: str) -> None:
        """One case with a fresh thing under test."""
        ...


def run_cases(contract: Contract) -> dict[str, str]:
    """Every case by name, with ``"kept"``, ``"skipped: …"`` or what was broken."""
    found: dict[str, str] = {}
    for name in contract.case_names():
        try:
            contract.run_case(name)
        except SkipTest as why:
            found[name] = f"skipped: {why}"
        except Exception as why:
            found[name] = f"{type(why).__name__}: {why}"
        else:
            found[name] = "kept"
    return found
