"""Flows: host logic written once, for the synchronous and the asynchronous host.

A flow is a generator. Where it needs the store it yields the call; whoever drives it makes the call, waits as it must,
and sends back the answer or throws the error. The synchronous driver is here; the asynchronous one is in ``aio``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

StoreCall: TypeAlias = "tuple[Callable[..., Any], tuple[Any, ...]]"
T = TypeVar("T")
Flow: TypeAlias = "Generator[StoreCall, Any, T]"


def drive(flow: Flow[T]) -> T:
    """Run a flow to its end, making its store calls here and now."""
    try:
        call, args = next(flow)
        while True:
            try:
                answer = call(*args)
            except BaseException as why:
                call, args = flow.throw(why)
            else:
                call, args = flow.send(answer)
    except StopIteration as stop:
        found: T = stop.value
        return found
