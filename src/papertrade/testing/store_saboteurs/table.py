"""Who is honest, who is not, and which case finds him out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final, NamedTuple

from papertrade.testing.store_cases.base import Level
from papertrade.testing.store_cases.hooks import Faults, Server
from papertrade.testing.store_kit import StoreContract
from papertrade.testing.store_saboteurs.served import new_place, place_of

ROOT = "papertrade.testing.store_saboteurs"


class PlainFaults:
    """Statements of a plain store that fail."""

    kinds = ("unavailable", "unknown", "full", "read only")

    def __init__(self) -> None:
        self.kind, self.first, self.last, self.made = "", 0, 0, 0

    def fail(self, kind: str, first: int, last: int) -> None:
        """From the first-th to the last-th."""
        self.kind, self.first, self.last, self.made = kind, first, last, 0

    def calls(self) -> int:
        """How many there were."""
        return self.made

    def heal(self) -> None:
        """None any more."""
        self.kind = ""

    def meet(self, text: str, work: Callable[[], object]) -> None:
        """One statement comes along."""
        self.made += 1
        if not self.kind or not self.first <= self.made <= self.last:
            return
        if self.kind == "read only":
            if text.startswith(("INSERT", "DELETE")):
                raise sqlite3.OperationalError("attempt to write a readonly database")
            return
        if self.kind == "unknown":
            work()
        raise sqlite3.OperationalError("database or disk is full" if self.kind == "full" else "planned")


class PlainContract(StoreContract):
    """The honest plain store, with everything that an author can lend for a file."""

    level = Level.DURABLE
    target = f"{ROOT}.plain:PlainStore"

    def faults(self, store: Any) -> Faults | None:
        """Through the one place where it talks to its file."""
        store.faults = PlainFaults()
        found: Faults = store.faults
        return found

    def make_newer(self, location: str) -> bool:
        """A schema of the future."""
        self._sql(location, "PRAGMA user_version = 99")
        return True

    def damage(self, location: str, draw: Random) -> bool:
        """One byte of one record, or one thing about the key."""
        line = sqlite3.connect(location)
        if draw.random() < 0.5:
            change = draw.choice(("id = x'6c'", "first = first + 1", "last = last - 1", "seal = 'none'"))
            line.execute(f"UPDATE commits SET {change}")
            line.commit()
            line.close()
            return True
        ((data,),) = line.execute("SELECT data FROM records WHERE version = ?", (draw.randint(1, 10),))
        at = draw.randrange(len(data))
        changed = data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
        line.execute("UPDATE records SET data = ? WHERE data = ?", (changed, data))
        line.commit()
        line.close()
        return True

    def _sql(self, location: str, text: str) -> None:
        line = sqlite3.connect(location, isolation_level=None)
        line.execute(text)
        line.close()


class TrimmedContract(PlainContract):
    """The honest store of a trading day."""

    target = f"{ROOT}.trimmed:TrimmedStore"


class ServedContract(StoreContract):
    """The honest client of the pretended server; the server lives in this process, so that no other can reach it."""

    level = Level.ATTESTED
    target = f"{ROOT}.served:ServedStore"
    control = f"{ROOT}.served:NoSync"
    shared = False

    def new_location(self) -> str:
        """A place on the server."""
        return new_place()

    def server(self) -> Server | None:
        """The server."""
        return place_of(self.location)

    def misconfigured(self) -> Iterable[str]:
        """A server that does not sync."""
        return [new_place(sync_works=False)]

    def lose_power(self, location: str) -> bool:
        """What was not synced is lost."""
        place_of(location).lose_power()
        return True


class AwaitedContract(StoreContract):
    """The honest plain store behind coroutines."""

    level = Level.CONCURRENT
    target = f"{ROOT}.awaited:open_awaited"


class Sabotage(NamedTuple):
    """A store that breaks a promise, and the case that has to fail on it."""

    name: str
    case: str
    contract: type[StoreContract] = PlainContract
    module: str = "spoiled"

    @property
    def target(self) -> str:
        """Where it is opened from."""
        return f"{ROOT}.{self.module}:{self.name}"

    def under_test(self) -> StoreContract:
        """The contract with the saboteur as its target."""
        made = self.contract()
        made.target = self.target
        return made


SABOTAGES: Final = (
    Sabotage("IgnoresVersion", "test_c03_wrong_expected_version"),
    Sabotage("CheckThenWrite", "test_c15_threads_race"),
    Sabotage("CheckThenWrite", "test_c16_processes_race"),
    Sabotage("TornBatch", "test_c04_a_batch_is_whole_or_nothing"),
    Sabotage("TornBatch", "test_c23_killed_at_named_points"),
    Sabotage("AckBeforeWrite", "test_c22_killed_at_random"),
    Sabotage("VersionBeforeKey", "test_c08_the_key_is_looked_up_before_the_version"),
    Sabotage("ForgetsKeys", "test_c06_a_repeat_is_answered_with_the_first_range"),
    Sabotage("KeysExpire", "test_c43_keys_are_kept_for_as_long_as_the_stream"),
    Sabotage("UnsealedKeys", "test_c33_damage_is_detected"),
    Sabotage("LossyBytes", "test_c10_every_byte_comes_back"),
    Sabotage("FloatVersions", "test_c11_numbers_are_whole_and_exact"),
    Sabotage("StaleReader", "test_c13_read_your_own_write"),
    Sabotage("GappyReader", "test_c14_readers_see_a_dense_prefix"),
    Sabotage("CaseFoldsNames", "test_c09_hostile_names_stay_apart"),
    Sabotage("SnapshotAhead", "test_c19_snapshot_rules"),
    Sabotage("KeepsTheLatestPut", "test_c19_the_newest_snapshot_stays"),
    Sabotage("SwallowsErrors", "test_c27_the_kth_call_fails"),
    Sabotage("SwallowsErrors", "test_c28_full"),
    Sabotage("RaisesForeignErrors", "test_c27_the_kth_call_fails"),
    Sabotage("LeaksLines", "test_c38_opening_and_closing_leaks_nothing"),
    Sabotage("IgnoresFences", "test_c18_the_latest_fence_writes"),
    Sabotage("ReusesErased", "test_c42_an_erased_name_stays_erased"),
    Sabotage("RewritesBytes", "test_c39_records_are_the_stored_bytes"),
    Sabotage("RewritesBytes", "test_c39_a_stream_that_moved_has_the_same_hash"),
    Sabotage("ForgetsBase", "test_c45_head_and_chain_stay", TrimmedContract, "trimmed"),
    Sabotage("TrimsInSilence", "test_c45_what_was_dropped_is_said", TrimmedContract, "trimmed"),
    Sabotage("TrimsKeys", "test_c45_keys_of_what_stays_are_kept", TrimmedContract, "trimmed"),
    Sabotage("TrimsFence", "test_c45_the_fence_stays", TrimmedContract, "trimmed"),
    Sabotage("SilentRetry", "test_c40_no_hidden_retry", ServedContract, "served"),
    Sabotage("SilentRetry", "test_c25_an_answer_that_is_cut", ServedContract, "served"),
    Sabotage("GuessesSuccess", "test_c26_no_answer_is_no_success", ServedContract, "served"),
    Sabotage("NoSync", "test_a01_power_loss", ServedContract, "served"),
    Sabotage("GlobalLockLeak", "test_c37_cancel_at_every_await", AwaitedContract, "awaited"),
)
