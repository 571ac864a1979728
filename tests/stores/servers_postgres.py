"""A PostgreSQL server of the tests' own: from the distribution's programs, on a free port, in a temporary folder.

It listens on loopback and demands a password, so that there is one that must never be shown. Started once for a test
run; each store gets a schema of its own. A server will not run as root, so it runs as a system user then.
"""

from __future__ import annotations

import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

PASSWORD = "marker-Pa55word/x"  # with a letter that an address has to quote
USER = "trader"
_SCHEMAS = count(1)


class NoServerError(RuntimeError):
    """There is nothing to start."""


def programs() -> Path:
    """The folder of initdb and postgres."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda name: int(name.split("/")[4]))
    if not folders or not Path(folders[-1], "initdb").exists():
        raise NoServerError("there is no initdb on PATH or in /usr/lib/postgresql")
    return Path(folders[-1])


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _runs(pid: int) -> bool:
    """Whether a process still runs; a dead one that nobody asked about may stay listed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class PostgresServer:
    """A cluster in a temporary folder; ``start`` and the ways to end it may be called again and again."""

    def __init__(self, **settings: str) -> None:
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="papertrade-pg-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.user = self._system_user()
        self._child: subprocess.Popen[bytes] | None = None
        self.settings = {
            "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
            "max_connections": "60", "shared_buffers": "16MB", "log_min_messages": "fatal", **self._quick_recovery(),
            # Hundreds of schemas come, and none is used for long: looking after their tables is work for nobody.
            "autovacuum": "off", **settings,
        }  # fmt: skip
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self.user:
            self._give(self.folder, secret)
        # A password is asked for, by the method that takes no time: the other one is slow so that nobody guesses.
        self._run("initdb", "-D", str(self.data), "-U", USER, f"--pwfile={secret}", "-A", "md5",
                  "-E", "UTF8", "--no-locale", "--no-sync")  # fmt: skip
        self.start()

    def _quick_recovery(self) -> dict[str, str]:
        """After a crash the server syncs its files: one call instead of a thousand, where it knows how to (14)."""
        said = subprocess.run([str(self.bin / "postgres"), "--version"], capture_output=True, text=True, check=True)
        major = int(said.stdout.split()[2].split(".")[0])
        return {"recovery_init_sync_method": "syncfs"} if major >= 14 and sys.platform == "linux" else {}

    @staticmethod
    def _system_user() -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise NoServerError("running as root, and there is no user postgres or nobody to run a server")

    def _give(self, *paths: Path) -> None:
        assert self.user is not None
        for path in paths:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _as_user(self) -> dict[str, object]:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *arguments], cwd=self.folder, capture_output=True, text=True, check=False,
            **self._as_user(),  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode:
            raise NoServerError(f"{program} failed: {done.stdout[-500:]}{done.stderr[-500:]}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self._child = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *options], cwd=self.folder, stdout=log, stderr=log,
                **self._as_user(),  # type: ignore[call-overload]
            )  # fmt: skip
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 60
        while not self._answers():
            if self._child is None or self._child.poll() is not None or time.monotonic() > until:
                raise NoServerError(f"postgres did not start: {(self.folder / 'log').read_text()[-1000:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.dsn, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def end(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it: SIGQUIT is an immediate stop, SIGINT a fast one, SIGKILL is a crash of the postmaster."""
        if self._child is None:
            return
        child, self._child = self._child, None
        backends = self._children(child.pid) if how is signal.SIGKILL else []
        child.send_signal(how)
        child.wait(60)
        for backend in backends:  # a machine that crashes takes all of them
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGKILL)
        while any(map(_runs, backends)):
            time.sleep(0.01)

    @staticmethod
    def _children(pid: int) -> list[int]:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(one) for one in text.split()]

    def remove(self) -> None:
        """End it for good."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def dsn(self) -> str:
        """The address, with the password."""
        return self.dsn_at(self.port)

    def dsn_at(self, port: int) -> str:
        """The address by way of another port, a proxy's."""
        from urllib.parse import quote

        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"

    @staticmethod
    def schema() -> str:
        """A name that no store has had."""
        return f"t{next(_SCHEMAS)}_{secrets.token_hex(4)}"
