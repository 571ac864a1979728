"""The conformance kit for stores as a command, for an author who does not want to write a test.

    python -m pytest -p papertrade.testing.plugin --papertrade-store mypkg.store:open_store --papertrade-level durable \
           --papertrade-kills 500 --papertrade-seed 7

It is loaded by name only: whoever has papertrade installed and does not ask for it has the pytest he had before. The
report, ``conformance.json``, says what was asked, what was kept and what was NOT RUN, so that it can be published.
"""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from papertrade.errors import UsageError
from papertrade.testing.store_cases.base import Level
from papertrade.testing.store_cases.opening import opener_of
from papertrade.testing.store_kit import StoreContract

if TYPE_CHECKING:
    import pytest

CASES = Path(__file__).with_name("store_cases") / "by_command.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("papertrade", "conformance of a store")
    levels = [level.name.lower() for level in Level]
    group.addoption("--papertrade-store", metavar="MODULE:NAME", help="what opens the store, called with a location")
    place = "a fresh place each time; {folder} is a new folder, {number} counts (default: %(default)s)"
    group.addoption("--papertrade-location", metavar="TEXT", default="{folder}/store.db", help=place)
    group.addoption("--papertrade-in-process", action="store_true", help="a place is not shared between processes")
    group.addoption("--papertrade-level", choices=levels, default="basic", help="what the store promises")
    group.addoption("--papertrade-kills", type=int, default=StoreContract.kills, help="how many writers are killed")
    group.addoption("--papertrade-races", type=int, default=StoreContract.races, help="versions that are raced for")
    group.addoption("--papertrade-seed", type=int, default=StoreContract.seed, help="of everything that is drawn")
    group.addoption("--papertrade-report", metavar="FILE", default="conformance.json", help="default: %(default)s")


def pytest_configure(config: pytest.Config) -> None:
    """With a store to test, its cases are collected and reported; tests named besides run as they would."""
    target = config.getoption("--papertrade-store")
    if target:
        _check_target(target)
        named = config.args_source.name == "ARGS"
        config.args = [*(config.args if named else []), str(CASES)]
        config.pluginmanager.register(Report(config), "papertrade-report")


def _check_target(target: str) -> None:
    """A store that cannot be imported is one answer, and not that of every case."""
    import pytest

    try:
        opener_of(target)
    except (ImportError, AttributeError, UsageError) as why:
        hint = "python -m pytest looks into this folder, too" if isinstance(why, ModuleNotFoundError) else ""
        said = f"--papertrade-store {target}: {why}"
        raise pytest.UsageError(f"{said}; {hint}" if hint else said) from None


def contract_of(config: pytest.Config) -> type[StoreContract]:
    """The contract that the options describe."""
    number = iter(range(10**9))

    class Asked(StoreContract):
        """A store by its import string."""

        level = Level[config.getoption("--papertrade-level").upper()]
        target = config.getoption("--papertrade-store")
        shared = not config.getoption("--papertrade-in-process")
        kills = config.getoption("--papertrade-kills")
        races = config.getoption("--papertrade-races")
        seed = config.getoption("--papertrade-seed")

        def new_location(self) -> str:
            """As the option says."""
            folder = tempfile.TemporaryDirectory(prefix="papertrade-")
            self._folders.append(folder)
            text: str = config.getoption("--papertrade-location")
            return text.replace("{folder}", folder.name).replace("{number}", f"{next(number)}")

    return Asked


class Report:
    """Hears what came of each case, and writes it down."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.contract = config, contract_of(config)
        self.ours: dict[str, str] = {}
        self.kept: list[str] = []
        self.failed: dict[str, str] = {}
        self.not_run: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Which of the collected tests are cases of the store."""
        self.ours = {item.nodeid: item.name for item in items if item.path == CASES}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One stage of one test."""
        name = self.ours.get(report.nodeid)
        if name is None:
            return
        if report.skipped:
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.not_run[name] = why.partition("NOT RUN: ")[2] or why
        elif report.failed:
            self.failed[name] = str(report.longrepr).strip().splitlines()[-1]
        elif report.when == "call":
            self.kept.append(name)

    def pytest_sessionfinish(self) -> None:
        """Everything ran: the report."""
        path = Path(self.config.getoption("--papertrade-report"))
        path.write_text(json.dumps(self.content(), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was not run is said, so that a green line is not read as more than it is."""
        kept, failed, left = len(self.kept), len(self.failed), len(self.not_run)
        terminalreporter.section(f"papertrade: {self.contract.target} at level {self.contract.level.name.lower()}")
        terminalreporter.line(f"{kept} cases kept, {failed} failed, {left} NOT RUN")
        for name, why in sorted(self.not_run.items()):
            terminalreporter.line(f"NOT RUN {name}: {why}")

    def content(self) -> dict[str, Any]:
        """What is published."""
        import papertrade

        return {
            "adapter": self.contract.target,
            "level": self.contract.level.name.lower(),
            "passed": not self.failed and bool(self.kept),
            "versions": {"papertrade": papertrade.__version__, "python": platform.python_version()},
            "settings": dict(self._described()),
            "counts": {"kept": len(self.kept), "failed": len(self.failed), "not_run": len(self.not_run)},
            "kills": self.contract.kills,
            "races": self.contract.races,
            "seed": self.contract.seed,
            "kept": sorted(self.kept),
            "failed": self.failed,
            "not_run": self.not_run,
        }

    def _described(self) -> Iterator[tuple[str, str]]:
        asked = self.contract()
        asked.setup_method()
        try:
            yield from asked.store.describe().items()
        except Exception as why:  # the cases said so, too
            yield "could not be opened", f"{type(why).__name__}: {why}"
        finally:
            asked.teardown_method()
