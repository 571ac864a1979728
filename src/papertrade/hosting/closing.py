"""Closing: how a broker is done with, and what whoever goes on using it hears.

A broker that has an exchange of its own (``open_paper_broker``) closes it, with its store. One of several accounts on
an exchange leaves the exchange to the others and is only forgotten there, as by ``Exchange.close_account``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from papertrade.errors import StoreClosedError, UnknownAccountError

if TYPE_CHECKING:
    from papertrade.aio import AsyncExchange
    from papertrade.exchange import Exchange

S = TypeVar("S", bound="Closable")
A = TypeVar("A", bound="AsyncClosable")


def closed_error() -> StoreClosedError:
    """What a call after ``close()`` hears."""
    return StoreClosedError("this broker's exchange was closed, and its store with it: open it again")


class Closable:
    """A broker that can be closed, by a call or by the end of a ``with`` block."""

    __slots__ = ()
    exchange: Exchange
    account_id: str
    owns_exchange: bool

    def close(self) -> None:
        """Be done with the account: its exchange and store too if they were opened with it. Twice is fine."""
        if self.owns_exchange:
            self.exchange.close()
            return
        with suppress(UnknownAccountError, StoreClosedError):  # it was closed already
            self.exchange.close_account(self.account_id)

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClosable:
    """The same, awaited."""

    __slots__ = ()
    exchange: AsyncExchange
    account_id: str
    owns_exchange: bool

    async def close(self) -> None:
        """Be done with the account: its exchange and store too if they were opened with it. Twice is fine."""
        if self.owns_exchange:
            await self.exchange.close()
            return
        with suppress(UnknownAccountError, StoreClosedError):  # it was closed already
            await self.exchange.close_account(self.account_id)

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
