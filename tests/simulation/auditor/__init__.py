"""An independent auditor: it reads the journal and shares no code with the engine that wrote it."""

from __future__ import annotations

from .auditor import Auditor
from .broken import BrokenInvariantError
from .facts import Facts

__all__ = ["Auditor", "BrokenInvariantError", "Facts"]
