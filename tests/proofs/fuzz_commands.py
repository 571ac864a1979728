"""Fuzz what people type, guided by coverage: ``python tests/proofs/fuzz_commands.py -max_total_time=300``.

Arguments are libFuzzer's; a folder among them is the corpus to go on from. Without one, a small corpus is made and
thrown away. The first finding ends the run and is written to a file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["papertrade"]):
    import command_checks as checks

DEFAULTS = ("-max_len=2000", "-len_control=0", "-timeout=20", "-rss_limit_mb=2048")


def main() -> None:
    """Run until libFuzzer is done, which ends the process; say now and then what was seen."""
    seen = checks.Seen()
    given = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="papertrade-corpus-"))
    (folder / "seeds").mkdir()
    for number, data in enumerate(checks.seeds()):
        (folder / "seeds" / str(number)).write_bytes(data)
    words = "\n".join('"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"' for word in checks.WORDS)
    (folder / "words").write_text(words + "\n", encoding="ascii")

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        changed = checks.change(data, seed) if seed % 2 else data
        return changed if seed % 4 == 1 and len(changed) <= max_size else atheris.Mutate(changed[:max_size], max_size)

    def one(data: bytes) -> None:
        one.runs += 1
        try:
            checks.check_commands(data, seen)
        except BaseException:
            print(f"after {one.runs:,} inputs\n{seen}", flush=True)
            raise
        if one.runs % 20_000 == 0:
            print(f"--- {one.runs:,} inputs\n{seen}", flush=True)

    one.runs = 0
    corpus = [] if any(not word.startswith("-") for word in given) else [str(folder / "seeds")]
    atheris.Setup([sys.argv[0], f"-dict={folder / 'words'}", *DEFAULTS, *given, *corpus], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
