"""The kit for stores as a command: what it collects, what it writes down, and whom it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

OPEN = """
from papertrade.testing.store_saboteurs.plain import PlainStore
from papertrade.testing.store_saboteurs.spoiled import ForgetsKeys
"""


def pytest_run(folder: Path, env: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(OPEN)
    path = f"{folder}:{env['PYTHONPATH']}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env={**env, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("store", "passed"), [("mine:PlainStore", True), ("mine:ForgetsKeys", False)])
def test_a_report_to_publish(store: str, passed: bool, tmp_path: Path, child_env: dict[str, str]) -> None:
    """Adapter, versions, settings, counts, seed, and everything that was not run with its reason."""
    done = pytest_run(
        tmp_path, child_env, "-p", "papertrade.testing.plugin", "--papertrade-store", store, "--papertrade-seed", "7"
    )
    assert done.returncode == (0 if passed else 1), done.stdout + done.stderr
    report = json.loads((tmp_path / "conformance.json").read_text())
    assert (report["adapter"], report["level"], report["passed"], report["seed"]) == (store, "basic", passed, 7)
    assert report["settings"]["kind"] == "plain"
    assert set(report["versions"]) == {"papertrade", "python"}
    assert report["counts"] == {name: len(report[name]) for name in ("kept", "failed", "not_run")}
    assert ("test_c06_a_repeat_is_answered_with_the_first_range" in report["kept"]) is passed
    assert report["not_run"]["test_c22_killed_at_random"] == "beyond the level asked for (basic), it is DURABLE"
    assert "NOT RUN test_c22_killed_at_random: beyond the level" in done.stdout


@pytest.mark.parametrize(
    ("store", "said"), [("nowhere:open_store", "python -m pytest"), ("mine:Absent", "Absent"), ("mine", "found")]
)
def test_a_store_that_cannot_be_imported(store: str, said: str, tmp_path: Path, child_env: dict[str, str]) -> None:
    """It is said once, before any case, and nothing is reported about a store that nobody saw."""
    done = pytest_run(tmp_path, child_env, "-p", "papertrade.testing.plugin", "--papertrade-store", store)
    assert (done.returncode, done.stdout) == (4, "")
    assert said in done.stderr
    assert store in done.stderr
    assert not (tmp_path / "conformance.json").exists()


def test_nobody_else_notices(tmp_path: Path, child_env: dict[str, str]) -> None:
    """Without the option the plugin changes nothing, and without its name it is not there."""
    (tmp_path / "test_theirs.py").write_text("import sys\ndef test_it(): assert 'papertrade' not in sys.modules\n")
    assert pytest_run(tmp_path, child_env).returncode == 0
    (tmp_path / "test_theirs.py").write_text("def test_it(): pass\n")
    done = pytest_run(tmp_path, child_env, "-p", "papertrade.testing.plugin")
    assert "1 passed" in done.stdout
    assert not (tmp_path / "conformance.json").exists()
