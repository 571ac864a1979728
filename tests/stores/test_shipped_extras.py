"""What the shipped stores hold to in their extras beyond what the conformance kit asks of everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from store_cases import batch

from papertrade.errors import InvalidValueError, StoreCorruptError, StoreMismatchError
from papertrade.ports.store import Conflict
from papertrade.ports.store_extras import Commit, Fencing, Moving, Waiting


def test_shipped_stores_can_do_all_of_it(store: Any) -> None:
    """A host asks by isinstance."""
    assert isinstance(store, Fencing)
    assert isinstance(store, Moving)
    assert isinstance(store, Waiting)


def test_c39_the_same_records_under_another_key(store: Any) -> None:
    """A key that was not stored with them is a mismatch; a version that is no whole number is a conflict."""
    store.append(batch(0, 2, commit="k"))
    with pytest.raises(StoreMismatchError):
        store.put_records("main", 0, list(store.records("main")), [Commit("other", 1, 2)])
    for expected in (2.0, "2", None):
        assert store.put_records("main", expected, []) == Conflict(2)


@pytest.mark.parametrize("commit", [("k", 1.0, 1), (5, 1, 1)])
def test_c39_keys_are_texts_and_versions_whole_numbers(store: Any, commit: tuple[Any, Any, Any]) -> None:
    """What is neither is refused with everything."""
    store.append(batch(0, stream="source"))
    with pytest.raises(StoreCorruptError):
        store.put_records("main", 0, list(store.records("source")), [Commit(*commit)])
    assert store.head("main") == 0


@pytest.mark.parametrize("odd", [-1, float("nan"), "1", None])
def test_the_time_to_wait_is_seconds(store: Any, odd: Any) -> None:
    """Anything else is misuse."""
    wait: Callable[..., int] = store.wait
    with pytest.raises(InvalidValueError):
        wait("main", 0, odd)
