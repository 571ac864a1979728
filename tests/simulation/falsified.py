"""Journals that were tampered with: one record changed, dropped, repeated or put in, and what the auditor calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from papertrade.testing.oracle import Setup

from .audited import Audited, facts_of
from .auditor import Auditor, BrokenInvariantError, Facts
from .auditor.reading import SCHEMAS

Fields = dict[str, Any]


def written(kind: str, fields: Fields) -> bytes:
    """The canonical bytes of a record."""
    record = {"kind": kind, "schema": SCHEMAS.get(kind, 1), "data": fields}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Story:
    """Everything the auditor of a run was told, in order, to be told again with a lie in it."""

    def __init__(self, setup: Setup, told: list[tuple[Any, ...]]) -> None:
        self.setup, self.told = setup, told

    def records(self) -> Iterator[tuple[int, str, Fields]]:
        """Place, kind and fields of each record."""
        for place, call in enumerate(self.told):
            if type(call[0]) is bytes:
                record = json.loads(call[0])
                yield place, record["kind"], record["data"]

    def find(self, kind: str, wanted: Callable[[Fields], bool]) -> int | None:
        """The place of the first such record."""
        return next((place for place, found, fields in self.records() if found == kind and wanted(fields)), None)

    def with_call(self, place: int, call: tuple[Any, ...]) -> Story:
        """One call replaced."""
        return Story(self.setup, [*self.told[:place], call, *self.told[place + 1 :]])

    def with_bytes(self, place: int, data: bytes) -> Story:
        """One record replaced by other bytes."""
        return self.with_call(place, (data, *self.told[place][1:]))

    def changed(self, place: int, change: Callable[[Fields], object]) -> Story:
        """One record with other fields."""
        record = json.loads(self.told[place][0])
        change(record["data"])
        return self.with_bytes(place, written(record["kind"], record["data"]))

    def without(self, place: int) -> Story:
        """One call missing, as it is."""
        return Story(self.setup, [*self.told[:place], *self.told[place + 1 :]])

    def put(self, place: int, kind: str, fields: Fields) -> Story:
        """One record more, right after the record before this place."""
        before = next(call for call in reversed(self.told[:place]) if type(call[0]) is bytes)
        record = json.loads(before[0])["data"]
        data = written(kind, {"account": record["account"], "at": record["at"], "version": 0, **fields})
        return Story(self.setup, [*self.told[:place], (data, *before[1:]), *self.told[place:]])

    def numbered(self) -> Story:
        """Versions made dense again, so that the lie is not in them."""
        told = list(self.told)
        for version, (place, kind, fields) in enumerate(self.records(), 1):
            told[place] = (written(kind, {**fields, "version": version}), *told[place][1:])
        return Story(self.setup, told)

    def audit(self, facts: Facts | None = None, broker: Any = None) -> str | None:
        """The id of what the auditor finds wrong; None if nothing."""
        auditor = Auditor(facts or facts_of(self.setup))
        try:
            for call in self.told:
                if type(call[0]) is bytes:
                    auditor.take(*call)
                else:
                    auditor.saw(*call[:5], stamped=call[5], sequence=call[6])
            auditor._folding.settle()
            if broker is not None:
                auditor.after_step(broker)
                auditor.full(broker)
        except BrokenInvariantError as wrong:
            return wrong.name
        return None


def story_of(run: Audited) -> Story:
    """What the auditor of a run was told."""
    return Story(run.setup, list(run.told))


class Pretender:
    """A broker whose answers are bent: each by a function from the true answer."""

    def __init__(self, broker: Any, **bent: Callable[[Any], Any]) -> None:
        self._broker, self._bent = broker, bent

    def __getattr__(self, name: str) -> Any:
        true = getattr(self._broker, name)
        bend = self._bent.get(name)
        return true if bend is None else lambda *args: bend(true(*args))
