"""C24 to C30, C32, C33, C40: servers, lines, calls, settings and bytes that fail. The author lends what is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, TypeAlias

from papertrade.errors import (
    OutcomeUnknownError,
    PaperTradeError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Appended, Store, StoredSnapshot
from papertrade.ports.store_extras import Moving
from papertrade.testing.contract import expect
from papertrade.testing.store_cases.base import Level, at
from papertrade.testing.store_cases.durable import KillCases
from papertrade.testing.store_cases.hooks import Faults, Proxy, Server
from papertrade.testing.store_cases.opening import inner_of
from papertrade.testing.store_cases.samples import batch, chain, event

FOREVER = 10**9
MOST_CALLS = 200
OPERATIONS: dict[str, Callable[[Store, str], Any]] = {
    "append": lambda s, p: s.append(batch(5, 2, f"{p}main", "new")),
    "append to a new stream": lambda s, p: s.append(batch(0, 2, f"{p}new", "new")),
    "append_many": lambda s, p: s.append_many([batch(5, 2, f"{p}main", "new"), batch(2, 1, f"{p}other", "new")]),
    "repeat": lambda s, p: s.append(batch(0, 3, f"{p}main", "k")),
    "load": lambda s, p: list(s.load(f"{p}main")),
    "head": lambda s, p: s.head(f"{p}main"),
    "find": lambda s, p: s.find(f"{p}main", "k"),
    "streams": lambda s, p: s.streams(limit=3),
    "put_snapshot": lambda s, p: s.put_snapshot(f"{p}main", StoredSnapshot(5, chain(5, f"{p}main"), b"later")),
    "get_snapshot": lambda s, p: s.get_snapshot(f"{p}main"),
    "verify": lambda s, p: s.verify(f"{p}main"),
}
Sizes: TypeAlias = "dict[str, int]"


class FaultCases(KillCases):
    """What is behind the store fails."""

    # ------------------------------------------------------------ the server

    def _server(self) -> Server:
        server = self.server()
        self.need(server is not None, "there is no server behind the store, or its author lends none")
        return server  # type: ignore[return-value]  # need() does not come back for None

    def _line(self) -> tuple[Proxy, Store]:
        proxy = self._server().proxy(self.location)
        self.need(proxy is not None, "the author lends no line on which answers can be lost")
        return proxy, self.open(proxy.location)  # type: ignore[return-value,union-attr]  # as above

    @at(Level.DURABLE)
    def test_c24_the_server_is_killed(self) -> None:
        """While the server is away every call is a typed error; when it is back, what was answered is there."""
        server = self._server()
        version = 0
        for end in (server.kill, server.stop, server.kill):
            outcome = self.store.append(batch(version, 2, commit=f"k{version}"))
            expect(outcome == Appended(version + 1, version + 2), "stored", outcome)
            version += 2
            end()
            try:
                found = self.said(partial(self.store.append, batch(version, commit="away")))
                expect(isinstance(found, StoreError), "without a server an append is a typed error", found)
                found = self.said(lambda: self.store.head("main"))
                expect(isinstance(found, StoreError), "and so is a reading", found)
            finally:
                server.restart()
            store = self.open()
            expect(self.versions(store) == list(range(1, version + 1)), "what was answered is stored")
            store.verify("main")
            found = self.said(lambda: self.store.head("main"))
            if isinstance(found, StoreError):
                found = self.said(lambda: self.store.head("main"))  # the first call may be the one that reconnects
            expect(found == version, "the open store works again", found)

    @at(Level.DURABLE)
    def test_c25_an_answer_that_is_cut(self) -> None:
        """Executed and not answered is an unknown outcome, never a guess; afterwards the key tells."""
        proxy, store = self._line()
        for version in range(5):
            made = batch(version, commit=f"k{version}")
            store.head("main")
            proxy.cut_answer()
            found = self.said(partial(store.append, made))
            proxy.heal()
            expect(isinstance(found, OutcomeUnknownError), "a cut answer is an unknown outcome", found)
            kept = self._patiently(partial(store.find, "main", f"k{version}"))
            outcome = store.append(made)
            wanted = Appended(version + 1, version + 1) if kept is None else AlreadyAppended(*kept)
            expect(outcome == wanted, "the key tells whether it was stored, and it is stored once", kept, outcome)
            expect(len(self.versions(self.store)) == version + 1, "once")

    @at(Level.DURABLE)
    def test_c26_no_answer_is_no_success(self) -> None:
        """A server that says nothing is waited for only so long, and then it is an error."""
        proxy, store = self._line()
        store.append(batch(0))
        proxy.hold_answers()
        found = self.said(lambda: store.append(batch(1, commit="k")))
        proxy.heal()
        expect(isinstance(found, (OutcomeUnknownError, StoreUnavailableError)), "silence is no success", found)
        outcome = self._patiently(lambda: store.append(batch(1, commit="k")))
        expect(outcome in (Appended(2, 2), AlreadyAppended(2, 2)), "the key tells", outcome)
        expect(self.versions(self.store) == [1, 2], "once")

    @at(Level.DURABLE)
    def test_c40_no_hidden_retry(self) -> None:
        """An append whose answer is cut makes no more requests than one that is answered."""
        proxy, store = self._line()
        counts = []
        for version, cut in enumerate((False, False, True)):
            store.head("main")
            before = proxy.requests()
            if cut:
                proxy.cut_answer()
            self.said(partial(store.append, batch(version)))
            counts.append(proxy.requests() - before)
            proxy.heal()
        expect(counts[1] > 0, "requests are counted", counts)
        expect(counts[2] <= counts[1], "what was not answered is not asked again", counts)

    def _patiently(self, work: Callable[[], object]) -> Any:
        """Once more if the first call after a break is the one that reconnects."""
        found = self.said(work)
        return self.said(work) if isinstance(found, StoreError) else found

    # ------------------------------------------------------------ the calls

    def _breakable(self, kind: str) -> tuple[Store, Faults]:
        """A store whose calls can fail in this way."""
        faults = self.faults(inner_of(self.store))
        self.need(faults is not None, "the author lends no way to make the store's calls fail")
        self.need(kind in faults.kinds, f"the author lends no way to fail a call as {kind!r}")  # type: ignore[union-attr]
        return self.store, faults  # type: ignore[return-value]  # need() does not come back for None

    @at(Level.DURABLE)
    def test_c27_the_kth_call_fails(self) -> None:
        """Each call below the store fails once and for ever: typed errors, nothing half done, and healed it works."""
        store, faults = self._breakable("unavailable")
        for kind in ("unavailable", "unknown"):
            for name in OPERATIONS if kind in faults.kinds else ():
                for last in (0, FOREVER):
                    self._every_call(store, faults, kind, name, last)

    def _every_call(self, store: Store, faults: Faults, kind: str, name: str, last: int) -> None:
        """One operation with each of its calls failing in turn, on fresh streams each time."""
        place = f"{kind} {name} {last} "
        _fill(store, place)
        before = _sizes(store, place)
        OPERATIONS[name](store, place)
        done = _sizes(store, place)
        for k in range(1, MOST_CALLS):
            place = f"{kind} {name} {last} {k} "
            _fill(store, place)
            faults.fail(kind, k, last or k)
            answer = self.said(partial(OPERATIONS[name], store, place))
            made = faults.calls()
            faults.heal()
            what = f"{name}, call {k} fails as {kind} {'for ever' if last else 'once'}"
            self._whole(store, place, what, _errors(answer), before, done)
            again = _errors(self.said(partial(OPERATIONS[name], store, place)))
            expect(not again and _sizes(store, place) == done, f"{what}: asked again, it has happened once", again)
            if made < k:
                expect(not _errors(answer), f"{what}: where nothing fails there is no error", answer)
                return
        expect(False, f"{name} comes to an end")

    def _whole(self, store: Store, place: str, what: str, errors: list[StoreError], before: Sizes, done: Sizes) -> None:
        after = self._patiently(partial(_sizes, store, place))
        expect(not isinstance(after, StoreError), f"{what}: healed, it can be read", after)
        if not errors:
            expect(after == done, f"{what}: what was answered has happened", after)
        elif "append_many" not in what and not any(isinstance(why, OutcomeUnknownError) for why in errors):
            expect(after == before, f"{what}: an error that is no doubt changed nothing", errors, after)
        for stream, size in after.items():
            whole = size in (before[stream], done[stream])
            expect(whole, f"{what}: a batch is whole or not there", stream, after)
            store.verify(stream)

    @at(Level.DURABLE)
    def test_c28_full(self) -> None:
        """Without room an append is a StoreFullError that stored nothing; with room again it works."""
        store, faults = self._breakable("full")
        _fill(store, "")
        for k in range(1, MOST_CALLS):
            faults.fail("full", k, FOREVER)
            found = self.said(lambda: store.append(batch(5, commit="new")))
            made = faults.calls()
            faults.heal()
            if made < k:
                break
            kinds = (StoreFullError, OutcomeUnknownError)
            expect(isinstance(found, kinds), f"no room at call {k} is said", found)
            if isinstance(found, StoreFullError):
                expect(self._patiently(lambda: store.head("main")) == 5, "and nothing is stored")
            elif self._patiently(lambda: store.find("main", "new")) is not None:
                break
        found = self.said(lambda: store.append(batch(5, commit="new")))
        expect(found in (Appended(6, 6), AlreadyAppended(6, 6)), "with room again the same append works", found)
        store.verify("main")

    @at(Level.DURABLE)
    def test_c29_read_only(self) -> None:
        """Where nothing can be written an append says so, stores nothing, and reading goes on."""
        store, faults = self._breakable("read only")
        _fill(store, "")
        faults.fail("read only", 1, FOREVER)
        found = self.said(lambda: store.append(batch(5)))
        wanted = isinstance(found, (StoreMisconfiguredError, StoreUnavailableError))
        expect(wanted, "what cannot be written is a setting to mend", found)
        read = self.said(lambda: list(store.load("main")))
        expect(read == [event(v) for v in range(1, 6)], "reading goes on", read)
        faults.heal()
        expect(store.append(batch(5)) == Appended(6, 6), "and it works when that is mended")

    # ----------------------------------------------- settings, schema and damage

    @at(Level.DURABLE)
    def test_c30_misconfiguration_is_detected(self) -> None:
        """Settings that break the promise are refused at opening, or describe() warns of them."""
        places = list(self.misconfigured())
        self.need(places, "the author lends no misconfigured place")
        for place in places:
            found = self.said(partial(self.open, place))
            if not isinstance(found, StoreMisconfiguredError):
                expect(not isinstance(found, StoreError), "a wrong setting is a StoreMisconfiguredError", found)
                said: Sequence[str] = list(found.describe().values())  # type: ignore[attr-defined]  # a store
                expect(any("warning" in text for text in said), "a setting that breaks the promise is said", place)

    @at(Level.DURABLE)
    def test_c32_a_newer_schema_is_refused(self) -> None:
        """What a newer version wrote is refused at opening, and is untouched."""
        self.store.append(batch(0, 3))
        self.store.close()
        self.need(self.make_newer(self.location), "the author lends no place of a newer version")
        for _ in range(2):
            found = self.said(self.open)
            expect(isinstance(found, StoreMisconfiguredError), "a newer schema is refused", found)

    @at(Level.DURABLE)
    def test_c33_damage_is_detected(self) -> None:
        """After a change of stored bytes everything is as it was, or somebody says that it is corrupt."""
        draw = Random(f"damage {self.seed}")
        detected = 0
        for number in range(self.damages):
            place = self.new_location()
            store = self.open(place)
            store.append(batch(0, 5, commit="k"))
            store.append(batch(5, 5, amount=7))
            store.put_snapshot("main", StoredSnapshot(5, chain(5), b"snapshot"))
            wanted = _content(store)
            store.close()
            self.need(self.damage(place, draw), "the author lends no way to damage what is stored")
            found = self.said(partial(self._content_at, place))
            if isinstance(found, PaperTradeError):
                kinds = (StoreCorruptError, StoreMisconfiguredError)
                expect(isinstance(found, kinds), "damage is a StoreCorruptError", number, found)
                detected += 1
            else:
                expect(found == wanted, "never another content in silence", number, found, wanted)
        expect(detected, "some of the damage was damage")

    def _content_at(self, place: str) -> tuple[object, ...]:
        return _content(self.open(place))


def _fill(store: Store, place: str) -> None:
    """Two streams, two keys and a snapshot, under names of their own."""
    store.append_many([batch(0, 3, f"{place}main", "k"), batch(0, 2, f"{place}other", "k")])
    store.append(batch(3, 2, f"{place}main"))
    store.put_snapshot(f"{place}main", StoredSnapshot(4, chain(4, f"{place}main"), b"snapshot"))


def _sizes(store: Store, place: str) -> Sizes:
    found = {name: store.head(f"{place}{name}") for name in ("main", "other", "new")}
    kept = store.get_snapshot(f"{place}main")
    return {**found, "snapshot": 0 if kept is None else kept.version}


def _errors(answer: object) -> list[StoreError]:
    found = answer if isinstance(answer, list) else [answer]
    return [one for one in found if isinstance(one, StoreError)]


def _content(store: Store) -> tuple[object, ...]:
    """Everything that can be read."""
    raw: Any = store
    commits = list(raw.commits("main")) if isinstance(inner_of(raw), Moving) else []
    found = store.find("main", "k"), commits, store.get_snapshot("main")
    return store.verify("main"), list(store.load("main")), *found
