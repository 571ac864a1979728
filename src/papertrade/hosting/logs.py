"""The log of the library: silent until its host asks to hear it.

It is made when something is first said, because the standard library's logging is a good part of what an import costs.
"""

from __future__ import annotations

import logging


def log() -> logging.Logger:
    """The logger ``papertrade``, with a handler that does nothing, so that nothing is printed for want of one."""
    found = logging.getLogger("papertrade")
    if not found.handlers:
        found.addHandler(logging.NullHandler())
    return found
