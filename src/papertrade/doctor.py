"""``papertrade doctor [address]``: what is installed, what a store says of itself, and what is wrong with it.

It opens a store as a host does and changes nothing in it. A password in an address is never shown, whoever quotes it.
"""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import papertrade
from papertrade.compose import open_store
from papertrade.errors import PaperTradeError

NEEDED: Final = ("attrs", "python-dateutil", "tzdata")
DRIVERS: Final = ("psycopg", "psycopg-binary", "redis", "hiredis", "msgspec", "pytest")
HIDDEN: Final = "…"

_USER: Final = re.compile(r"//[^/?#]*@")
_PARAMETER: Final = re.compile(r"(?i)\b(?:password|passwd|pwd|secret|token|sslpassword)\s*=\s*('[^']*'|[^&\s;]*)")


def run(address: str | None, say: Callable[[str], None]) -> int:
    """Say everything; 1 if there is a problem."""
    problems = [line for line in _said(_versions(), say) if line.startswith("problem")]
    if address is not None:
        hide = hider(address)
        problems += [line for line in _said(map(hide, _store(address)), say) if line.startswith("problem")]
    say("nothing wrong was found" if not problems else f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
    return 1 if problems else 0


def _said(lines: Iterator[str], say: Callable[[str], None]) -> list[str]:
    heard = []
    for line in lines:
        say(line)
        heard.append(line)
    return heard


def _versions() -> Iterator[str]:
    yield f"papertrade {papertrade.__version__}"
    yield f"python {platform.python_version()} ({platform.system()})"
    yield f"sqlite {sqlite3.sqlite_version}"
    for name in NEEDED:
        found = _version(name)
        yield f"{name} {found}" if found else f"problem: {name} is not installed, and papertrade needs it"
    for name in DRIVERS:
        yield f"{name} {_version(name) or 'not installed'}"


def _version(name: str) -> str:
    with suppress(PackageNotFoundError):
        return version(name)
    return ""


def _store(address: str) -> Iterator[str]:
    yield f"store {address}"
    if _names_a_file(address) and not Path(_path(address)).exists():
        yield "problem: there is no such file; opening it would have made one"
        return
    try:
        store = open_store(address)
    except (PaperTradeError, OSError, ImportError) as why:
        yield f"problem: {type(why).__name__}: {why}"
        return
    try:
        for key, value in store.describe().items():
            shown = "warning: " if "warning" in value else ""
            yield f"{shown}  {key}: {value.removeprefix('warning: ')}" if shown else f"  {key}: {value}"
        yield f"  accounts: {_count(store.streams(limit=1000))}"
    except PaperTradeError as why:
        yield f"problem: {type(why).__name__}: {why}"
    finally:
        with suppress(PaperTradeError):
            store.close()


def _count(names: list[str]) -> str:
    return "1000 or more" if len(names) == 1000 else str(len(names))


def _names_a_file(address: str) -> bool:
    return address.startswith("sqlite:") or address.endswith((".db", ".sqlite", ".sqlite3"))


def _path(address: str) -> str:
    rest = address.removeprefix("sqlite:")
    return rest.removeprefix("//") if rest.startswith("//") else rest


def _meant(text: str) -> str:
    """A part of an address without its percent signs."""
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "replace"))
    return raw.decode("utf-8", "replace")


def hider(address: str) -> Callable[[str], str]:
    """A function that takes the secrets of an address out of any text: as they are written, and as they are meant."""
    user = _USER.search(address)
    secrets = [user[0][2:-1].partition(":")[2]] if user else []
    secrets += [found.strip("'") for found in _PARAMETER.findall(address)]
    known = sorted({form for one in secrets for form in (one, _meant(one)) if form}, key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in known:
            text = text.replace(secret, HIDDEN)
        return text

    return hide
