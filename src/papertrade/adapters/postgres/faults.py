"""What PostgreSQL says went wrong, as the store errors that say what to do about it."""

from __future__ import annotations

import re
from typing import Final

import psycopg

from papertrade.adapters.postgres.place import Place
from papertrade.adapters.tables import BY_NAME, missing
from papertrade.errors import (
    OutcomeUnknownError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)

# SQLSTATE, or its class (the first two characters), to what it means for the host. The longest match counts.
_KINDS: Final[dict[str, type[StoreError]]] = {
    "0A": StoreMisconfiguredError,  # a server that lacks something we use
    "0P": StoreMisconfiguredError,  # invalid role
    "22": StoreCorruptError,  # our parameters are fixed in type, so a column is not what it was
    "23": StoreCorruptError,  # what is unique is looked up before it is inserted; races are answered elsewhere
    "25006": StoreMisconfiguredError,  # a read-only transaction
    "28": StoreMisconfiguredError,  # not allowed to connect
    "3D": StoreMisconfiguredError,  # no such database
    "3F": StoreMisconfiguredError,  # no such schema
    "42": StoreCorruptError,  # our statements are fixed, so a table is not what it was
    "23502": StoreCorruptError,  # a commit id that leads nowhere gets no seal, and none may be without
    "42P06": StoreMisconfiguredError,  # somebody else's schema or table has one of our names
    "42P07": StoreMisconfiguredError,
    "42501": StoreMisconfiguredError,  # no right to do it
    "42939": StoreMisconfiguredError,  # a reserved name for the schema
    "53": StoreFullError,
    "53300": StoreUnavailableError,  # too many connections: wait for one
    "XX001": StoreCorruptError,
    "XX002": StoreCorruptError,
}
OURS: Final = frozenset({"streams_name", "events_version", "commits_key"})
"""The constraints that tell which promise another writer was quicker to claim."""

_HISTORY: Final = re.compile(rf"\b({'|'.join((*BY_NAME, 'tabled'))})\b(?=\W*does not exist)")
_REFUSED: Final = ("authentication failed", "no password supplied", "does not exist", "pg_hba.conf")


def typed(why: psycopg.Error, place: Place) -> StoreError:
    """The store error for what the server said while nothing was in doubt."""
    text = said(why, place)
    state = why.sqlstate or ""
    if state == "42P01" and (named := _HISTORY.search(str(why))):
        return StoreMisconfiguredError(f"{text}: {missing('table', named[1])}")
    kind = _KINDS.get(state) or _KINDS.get(state[:2])
    if kind is None and not state and isinstance(why, psycopg.OperationalError):
        # libpq tells the reason of a failed connection only in words.
        kind = StoreMisconfiguredError if any(word in str(why) for word in _REFUSED) else None
    if kind is None and isinstance(why, psycopg.NotSupportedError):
        kind = StoreMisconfiguredError
    return (kind or StoreUnavailableError)(text)


def typed_in_doubt(why: psycopg.Error, place: Place) -> StoreError:
    """The same for what was said after the commit was sent: an error of the server's means that it rolled back,

    but from a line that broke, or a server that went down, nobody can tell.
    """
    state = why.sqlstate or ""
    if not state or state.startswith(("08", "57P")):
        return OutcomeUnknownError(f"{said(why, place)} (after the commit was sent: it may be stored or not)")
    return typed(why, place)


def another_writer(why: psycopg.Error) -> bool:
    """Whether somebody who does not take our locks stored something first."""
    return isinstance(why, psycopg.errors.UniqueViolation) and why.diag.constraint_name in OURS


def said(why: psycopg.Error, place: Place) -> str:
    """One line, without secrets."""
    text = " ".join(str(why).split()) or type(why).__name__
    state = f" [{why.sqlstate}]" if why.sqlstate else ""
    return place.without_secrets(f"{place}: {text[:500]}{state}")
