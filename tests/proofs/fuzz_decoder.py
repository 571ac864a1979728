"""Fuzz the readers of stored bytes, guided by coverage: ``python tests/proofs/fuzz_decoder.py -max_total_time=300``.

Arguments are libFuzzer's; a folder among them is the corpus to go on from. Without one, the corpus is made from
``tests/golden`` and thrown away. The first finding ends the run and is written to a file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["papertrade"]):
    import decoder_checks as checks

DEFAULTS = ("-max_len=20000", "-mutate_depth=1", "-timeout=20", "-rss_limit_mb=2048")


def main() -> None:
    """Run until libFuzzer is done, which ends the process; say now and then what was seen."""
    seen = checks.Seen()
    given = sys.argv[1:]
    folder = tempfile.mkdtemp(prefix="papertrade-corpus-")
    for number, data in enumerate(checks.seeds()):
        (Path(folder) / str(number)).write_bytes(data)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        changed = checks.change(data, seed) if seed % 4 else atheris.Mutate(data, max_size)
        return changed if len(changed) <= max_size else atheris.Mutate(data, max_size)

    def one(data: bytes) -> None:
        one.runs += 1
        try:
            checks.check(data, seen)
        except BaseException:
            print(f"after {one.runs:,} inputs\n{seen}", flush=True)
            raise
        if one.runs % 100_000 == 0:
            print(f"--- {one.runs:,} inputs\n{seen}", flush=True)

    one.runs = 0
    corpus = [] if any(not word.startswith("-") for word in given) else [folder]
    atheris.Setup([sys.argv[0], *DEFAULTS, *given, *corpus], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
