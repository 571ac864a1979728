"""What every test runs under: settled Hypothesis profiles, no network, and no test that quietly did not run."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# ------------------------------------------------------------------ Hypothesis

# A deadline measures the machine, not the code, so no profile has one. "ci" draws the same examples every time: a
# failure there is about the change at hand. "long" is for the night before a release.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile(
    "long", deadline=None, max_examples=5_000, stateful_step_count=200, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if IN_CI else "default"))

# ------------------------------------------------------------------ temporary folders

MEMORY, ENOUGH = Path("/dev/shm"), 2 * 1024**3
_SAID = ("TMPDIR", "TEMP", "TMP", "PYTEST_DEBUG_TEMPROOT")

# Files and servers of the tests live in memory, where a sync costs nothing; every store still asks for each of its
# syncs. No test turns the machine off, and a kill takes nothing from a file in memory either, so each finds what it
# would find on a disk. Whoever wants a disk says where: TMPDIR=/var/tmp pytest.
if (
    not any(map(os.environ.get, _SAID))
    and os.access(MEMORY, os.W_OK | os.X_OK)
    and shutil.disk_usage(MEMORY).free >= ENOUGH
):
    os.environ["TMPDIR"] = str(MEMORY)  # children are to see it, too
    tempfile.tempdir = None  # it may have been asked for already

# ------------------------------------------------------------------ no network


class NetworkRefusedError(RuntimeError):
    """Not an OSError, so that code which survives a dropped line does not survive this."""


def _refuse_remote(host: object) -> None:
    """Loopback and UNIX sockets (whose address is text or bytes, not a tuple) are this machine; the rest is not."""
    try:
        remote = host not in (None, "", "localhost", b"localhost") and not ipaddress.ip_address(
            host.decode() if isinstance(host, bytes) else str(host).partition("%")[0]
        ).is_loopback
    except ValueError:
        remote = True  # a name: finding out where it points would already be a question to the network
    if remote:
        raise NetworkRefusedError(f"a test tried to reach {host!r}; tests talk to this machine only")


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any, *rest: Any) -> Any:
        if isinstance(address, tuple):
            _refuse_remote(address[0])
        return real(self, address, *rest)

    return connect


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """For the session and not per test, so that long-lived fixtures are under it too."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_remote(host)
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


# ------------------------------------------------------------------ child processes


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The children of a run share compiled modules: to compile them anew takes each of them longer than its work.

    They are kept in a folder of the run's own, so nothing is written beside the source and nothing old is read.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield



@pytest.fixture(scope="session")
def package_root() -> Path:
    """The folder to put on sys.path to get the papertrade under test, installed or not."""
    spec = importlib.util.find_spec("papertrade")
    if spec is None or not spec.submodule_search_locations:
        pytest.fail("papertrade cannot be imported: install it first, as the README says")
    return Path(next(iter(spec.submodule_search_locations))).resolve().parent


@pytest.fixture(scope="session")
def child_env(package_root: Path, _compiled_once: None) -> dict[str, str]:
    """An environment in which a child process sees the same papertrade from any working directory."""
    return {**os.environ, "PYTHONPATH": str(package_root)}


# ------------------------------------------------------------------ tests that need a server

NOT_RUN = "external service not run"


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI every server is there, so a skip of such a test means that nobody would notice it is broken."""
    outcome: Any = yield
    report = outcome.get_result()
    ran_and_failed_as_expected = hasattr(report, "wasxfail")
    if not report.skipped or ran_and_failed_as_expected or not item.get_closest_marker("external_service"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "NOT RUN: " in reason:
        return  # the conformance kit says what it does not ask of this store; the server was there
    report.user_properties.append((NOT_RUN, reason.removeprefix("Skipped: ")))
    if IN_CI:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not run ({reason}); in CI a missing server is a failure"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say plainly which tests were left out, so that a green line is not read as more than it is."""
    left_out: dict[str, str] = {}
    for category, reports in terminalreporter.stats.items():
        for report in reports:
            if category == "deselected" and report.get_closest_marker("external_service"):
                left_out[report.nodeid] = "deselected"
            for key, reason in getattr(report, "user_properties", ()):
                if key == NOT_RUN:
                    left_out[report.nodeid] = reason
    if left_out:
        terminalreporter.section("tests with an external service that did NOT run")
        for nodeid, reason in sorted(left_out.items()):
            terminalreporter.line(f"{nodeid}: {reason}")
