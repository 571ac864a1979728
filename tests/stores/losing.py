"""The loss of power for the conformance kit, by the disk of ``tests/proofs/power_disk.py``, which needs apsw."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "proofs"))
from power_disk import Left, Log
from power_scenarios import on_disk


class Power:
    """While it is on, stores are opened on a disk that writes down what is done to one folder."""

    def __init__(self) -> None:
        self.log, self.draw = Log(), Random(1)
        self.files: dict[str, bytes] = {}
        self.off = ExitStack()
        self.off.enter_context(on_disk(self.log))

    def begin(self, files: dict[str, bytes]) -> None:
        """A folder with these files, all of them synced."""
        self.files = files
        self.log.names = {name: number for number, name in enumerate(sorted(files), 1)}
        self.log.files = len(files)
        self.log.steps.clear()

    def lose(self, folder: Path) -> None:
        """Whatever was not synced is gone, kept, or torn. Who has the old files open goes on with those."""
        left = Left(self.files)
        for step in self.log.steps:
            left.play(step)
        image = self.draw.choice(list(left.images(str(self.draw.random()))))
        for old in folder.iterdir():
            old.unlink()
        for name, data in image.items():
            (folder / name).write_bytes(data)
        self.begin(image)
