"""Where the conformance kit's child processes open stores on PostgreSQL: with the driver loaded before they fork.

A writer that dies is forked by the one that imported this, so what it does, and is killed in, is the store's own work:
loading the driver takes each of them longer than that.
"""

from __future__ import annotations

from opening_stores import open_async_postgres, open_postgres

from papertrade.adapters.migrations import numbered
from papertrade.adapters.postgres.opening import PACKAGE

__all__ = ["open_async_postgres", "open_postgres"]

numbered(PACKAGE)  # read once for all
