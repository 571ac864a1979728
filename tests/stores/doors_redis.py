"""Where the conformance kit's child processes open stores on Redis: with the driver loaded before they fork.

A writer that dies is forked by the one that imported this, so what it does, and is killed in, is the store's own work:
loading the driver takes each of them longer than that.
"""

from __future__ import annotations

import email.parser  # noqa: F401  # the driver and an address load these at the first connection
import encodings.idna  # noqa: F401

from opening_stores import open_async_redis, open_redis, open_restless

import papertrade.adapters.redis  # noqa: F401

__all__ = ["open_async_redis", "open_redis", "open_restless"]
