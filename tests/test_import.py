"""``import papertrade`` is quick because it loads little, and it touches nothing of its host.

The import happens in a fresh, isolated interpreter that watches itself; what it saw comes back as lines of text.
The same probe is then run on small packages that misbehave, one way each, to show that it would notice.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = '''
import _thread, decimal, gc, locale, logging, os, signal, sys, threading, warnings

name, root = sys.argv[1:]
sys.path.insert(0, root)
sys.dont_write_bytecode = True
seen = []

# Where the import machinery itself reads: the entries of sys.path and the standard library.
homes = {*sys.path, sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)}
readable = tuple(os.path.realpath(home) + os.sep for home in homes if home)
FORBIDDEN = ("socket.", "subprocess.", "os.putenv", "os.unsetenv", "os.system", "os.exec", "os.fork", "os.chdir",
             "os.posix_spawn", "os.mkdir", "os.remove", "os.rename", "sqlite3.", "urllib.", "_thread.start_new_thread")

def watch(event, args):
    if not watching:
        return
    if event == "open":
        path, mode, flags = args
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        inside = isinstance(path, (str, bytes)) and os.path.realpath(os.fsdecode(path)).startswith(readable)
        if writes or not inside:
            seen.append(f"opened {path!r} mode={mode}")
    elif event.startswith(FORBIDDEN):
        seen.append(f"did {event} {args!r:.80}")

def handlers():
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return {(l.name, type(h).__name__) for l in loggers for h in getattr(l, "handlers", ())}

def host():
    signals = {s: signal.getsignal(s) for s in signal.valid_signals()}
    return {
        "environment": dict(os.environ), "working directory": os.getcwd(), "sys.path": list(sys.path),
        "decimal context": repr(decimal.getcontext()), "decimal default": repr(decimal.DefaultContext),
        "locale": locale.setlocale(locale.LC_ALL), "warnings filters": list(warnings.filters), "signals": signals,
        "threads": (_thread._count(), threading.active_count()), "root log level": logging.root.level,
        "hooks": (sys.excepthook, sys.displayhook, threading.excepthook, sys.gettrace(), sys.getprofile()),
        "recursion limit": sys.getrecursionlimit(), "int digits": sys.get_int_max_str_digits(),
        "garbage collector": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "switch interval": sys.getswitchinterval(), "streams": (id(sys.stdin), id(sys.stdout), id(sys.stderr)),
    }

watching = False
sys.addaudithook(watch)
modules, had, before = set(sys.modules), handlers(), host()
watching = True
__import__(name)
watching = False
for key, value in host().items():
    if value != before[key]:
        seen.append(f"changed {key}: {before[key]!r:.200} -> {value!r:.200}")
for logger, handler in handlers() - had:
    if (logger, handler) != (name, "NullHandler"):
        seen.append(f"added {handler} to logger {logger!r}")
roots = {module.partition(".")[0] for module in set(sys.modules) - modules}
for root in sorted(roots - set(sys.stdlib_module_names) - {name, "attr", "attrs"}):
    if root.startswith("_sysconfigdata_"):
        continue  # the standard library under a name that depends on the machine
    seen.append(f"loaded the package {root}")
for heavy in sorted(roots & {"asyncio", "http", "multiprocessing", "socket", "sqlite3", "ssl"}):
    seen.append(f"loaded {heavy}")
print("\\n".join(seen))
'''


def probe(name: str, root: Path) -> list[str]:
    """What importing ``name`` from ``root`` did to a fresh interpreter; -I shuts out the environment and the cwd."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, name, str(root)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_import_touches_nothing(package_root: Path) -> None:
    assert [line for line in probe("papertrade", package_root) if line] == []


def test_import_is_silent(package_root: Path) -> None:
    """Not a word on stdout or stderr, with every warning shown."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import papertrade"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "always", "-X", "dev", "-c", code, str(package_root)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("body", "noticed"),
    [
        ("open(__file__ + '.log', 'w').close()", "opened"),
        ("import os; open(os.devnull).close()", "opened"),
        ("import socket; socket.socket().close()", "did socket."),
        ("import sqlite3", "loaded sqlite3"),
        ("import asyncio", "loaded asyncio"),
        ("import dateutil.tz", "loaded the package dateutil"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', ''])", "did subprocess."),
        ("import os; os.environ['A_NAME'] = '1'", "changed environment"),
        ("import os; os.putenv('A_NAME', '1')", "did os.putenv"),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "changed threads"),
        ("import logging; logging.getLogger('host').addHandler(logging.NullHandler())", "added NullHandler to logger"),
        ("import logging; logging.getLogger(__name__).addHandler(logging.StreamHandler())", "added StreamHandler"),
        ("import decimal; decimal.getcontext().prec = 50", "changed decimal context"),
        ("import warnings; warnings.simplefilter('ignore')", "changed warnings filters"),
        ("import signal; signal.signal(signal.SIGTERM, lambda *_: None)", "changed signals"),
        ("from locale import *; setlocale(0, 'C.UTF-8' if setlocale(0) == 'C' else 'C')", "changed locale"),
        ("import sys; sys.setrecursionlimit(5000)", "changed recursion limit"),
    ],
)  # fmt: skip
def test_probe_notices(tmp_path: Path, body: str, noticed: str) -> None:
    (tmp_path / "rude.py").write_text(body)
    assert any(line.startswith(noticed) for line in probe("rude", tmp_path)), f"not noticed: {body}"


def test_probe_lets_a_polite_package_pass(tmp_path: Path) -> None:
    body = "import json, attrs, decimal, logging\nlogging.getLogger(__name__).addHandler(logging.NullHandler())"
    (tmp_path / "polite.py").write_text(body)
    assert [line for line in probe("polite", tmp_path) if line] == []


LATER = '''
import sys
sys.path.insert(0, sys.argv[1])
import papertrade
late = {"logging", "zoneinfo", "papertrade.hosting.explaining", "papertrade.hosting.previewing"}
late |= {"papertrade.ledger.fee_models", "papertrade.matching.slippage"}
early = sorted(late & set(sys.modules))
from papertrade.hosting.logs import log
log().warning("nobody asked to hear this")
log()
print(early, [type(handler).__name__ for handler in log().handlers])
'''


def test_what_only_some_need_is_loaded_later_and_the_log_is_silent() -> None:
    """Logging and zones are not loaded with the library; its first warning is printed by nobody who did not ask."""
    root = str(Path(__file__).parents[1] / "src")
    found = subprocess.run([sys.executable, "-I", "-c", LATER, root], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("[] ['NullHandler']\n", "")
