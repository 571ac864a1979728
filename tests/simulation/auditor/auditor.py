"""The auditor: reads a journal record by record as it is written, and holds the live account against it.

It shares no code with the engine and was written from the documents, so a rule that one of the two understood wrongly
shows as a difference.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from . import live, risk, views
from .books import Books
from .broken import BrokenInvariantError
from .facts import Facts
from .folding import Folding
from .matching import Market
from .reached import count
from .reading import INSTANTS, MisspeltError, read
from .sight import Seen, Sight
from .starting import Origin

_VERSIONS = 2**53


class Auditor:
    """Audits one account.

    Tell it of each datum that a process was shown (``saw``), give it each record of the journal (``take``), and let it
    look at the account after each step (``after_step``) and thoroughly now and then (``full``).
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._books = Books(facts)
        self._sight = Sight(self._books.tools, facts.fill.half_spread_bp)
        self._folding = Folding(self._books, Market(self._books, self._sight))
        self._heard: list[tuple[Any, ...]] = []  # everything that it was told, to tell a second one
        self._records = 0
        self._averaged: dict[int, int] = {}  # how much of each order has filled when its average was looked at

    def saw(
        self,
        process: int,
        symbol: str,
        kind: str,
        at_ns: int,
        seen_units: Seen,
        *,
        stamped: bool | None = None,
        sequence: int | None = None,
        begins: int | None = None,
        auction: str | None = None,
        now: int | None = None,
    ) -> None:
        """A datum was delivered to a process.

        ``stamped`` says that its instant was given on arrival, so that an equal one is no repetition; with None the
        auditor takes whatever it cannot tell for news. A depth is told as two data, one for each side; ``begins`` is
        where a bar begins, ``auction`` which auction a price is of, and ``now`` the latest instant that the process
        has heard of with this datum.
        """
        heard = (process, symbol, kind, at_ns, tuple(seen_units), stamped, sequence, begins, auction, now)
        self._heard.append(heard)
        self._sight.saw(*heard)

    def begins_as(self, other: Auditor, version: int | None = None) -> None:
        """The account is a copy of another one, as that one's auditor knows it now or knew it at a version.

        What processes were shown before there was a copy, they were shown.
        """
        then = other if version in (None, other._books.version) else other.again(version)
        self._folding.origin = Origin.of(then._books)
        for heard in other._heard:
            if type(heard[0]) is not bytes:
                self._heard.append(heard)
                self._sight.saw(*heard)

    def take(
        self, data: bytes, process: int, now_ns: int, commit_id: str | None, clock_ns: int | None = None
    ) -> None:
        """The next record of the journal, appended by a process at an instant of its clock."""
        self._heard.append((data, process, now_ns, commit_id, clock_ns))
        self._records += 1
        try:
            self._take(data, process, now_ns, commit_id, clock_ns)
        except (MisspeltError, KeyError, TypeError) as why:
            raise BrokenInvariantError("E8", self.facts.account, f"{why!r} in {data[:300]!r}", "a record") from why

    def _take(
        self, data: bytes, process: int, now_ns: int, commit_id: str | None, clock_ns: int | None
    ) -> None:
        books = self._books
        books.clock = clock_ns
        kind, fields = read(data)
        version, at = fields["version"], INSTANTS[fields["at"]]
        if fields["account"] != books.account:
            books.fail("A4", f"a record of account {fields['account']!r}", books.account)
        if version != books.version + 1 or type(version) is not int:
            books.fail("E1", f"version {version}", books.version + 1)
        if version >= _VERSIONS:
            books.fail("L8", f"version {version}", f"less than {_VERSIONS}")
        if at < books.at:
            books.fail("T1", f"an instant of {at}", f"not before {books.at}")
        evidence = fields.get("evidence")
        if evidence is not None and INSTANTS[evidence["at"]] > max(now_ns, books.at):
            books.fail("M2", f"evidence of {evidence['at']}", f"nothing later than the clock, {now_ns}")
        if at > now_ns and at != books.at:
            books.fail("T1", f"an instant of {at}", f"not after the clock, {now_ns}")
        books.version = version
        self._folding.fold(kind, fields, at, process, commit_id)
        books.at_before, books.at = books.at, at
        count(books.reached, kind, fields)

    def after_step(self, broker: Any) -> None:
        """A step is over: compare the live account with the books."""
        folding, books = self._folding, self._books
        folding.settle()
        touched, folding.touched = folding.touched, {}
        live.compare(books, live.state_of(broker, books.account), touched)
        for number, order in touched.items():
            if number in books.open:
                risk.covered(books, order)

    def full(self, broker: Any, entries: bool = True) -> None:
        """Compare everything that is shown with the books; the long list of entries may be left for later."""
        self._folding.settle()
        books = self._books
        live.compare_rest(books, live.state_of(broker, books.account))
        views.compare(books, broker, self._records, self._averaged, entries)

    def read_again(self) -> None:
        """The books hold what a second auditor makes of the same records in one go."""
        self._books.equal("E2", self.again().figures(), self.figures(), "a second reading gives")

    def again(self, version: int | None = None) -> Auditor:
        """A second auditor that was told the same, up to a version if one is given."""
        second = Auditor(self.facts)
        second._folding.origin = self._folding.origin
        for heard in self._heard:
            if type(heard[0]) is not bytes:
                second._sight.saw(*heard)
            elif version is None or second._books.version < version:
                second._take(*heard)
        second._folding.settle()
        return second

    def figures(self) -> tuple[object, ...]:
        """Everything that it counted."""
        books = self._books
        orders = [[getattr(order, name) for name in order.__slots__] for order in books.orders.values()]
        holdings = [[getattr(held, name) for name in held.__slots__] for _, held in sorted(books.holdings.items())]
        bases = (books.day, books.day_equity, books.day_deposits, books.loss_base, books.peak)
        return books.version, books.at, books.balances, orders, holdings, sorted(books.latches), books.called, bases

    def reached(self) -> Counter[str]:
        """Rare situations seen in the journal so far."""
        return Counter(self._books.reached)
