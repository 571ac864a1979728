"""The command line: ``papertrade demo``, ``papertrade verify paper.db``; ``papertrade --help`` lists all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import papertrade
from papertrade.commands import books, checking, moving


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command by its name; answers 0, 1 when something is wrong, and 2 when the command itself is."""
    parser = argparse.ArgumentParser(prog="papertrade", description="A paper broker you can import.")
    parser.add_argument("--version", action="version", version=f"papertrade {papertrade.__version__}")
    commands = parser.add_subparsers(dest="command")
    demo = commands.add_parser("demo", help="replay the bundled day and print what happened, with every assumption")
    demo.set_defaults(run=_demo)
    doctor = commands.add_parser("doctor", help="say what is installed and what a store says of itself")
    doctor.add_argument("address", nargs="?", help="of a store, for example paper.db; a password in it is not shown")
    doctor.set_defaults(run=_doctor)
    for group in (moving, checking, books):
        group.add(commands)
    asked = parser.parse_args(arguments)
    if asked.command is None:
        parser.print_help()
        return 0
    try:
        done: int = asked.run(asked)
        return done
    except (papertrade.PaperTradeError, OSError) as why:
        print(f"papertrade {asked.command}: {why}", file=sys.stderr)
        return 2 if isinstance(why, papertrade.UsageError) else 1


def _demo(asked: argparse.Namespace) -> int:
    from papertrade.demo.run import main as demo

    demo()
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    from papertrade.doctor import run

    return run(asked.address, print)


if __name__ == "__main__":
    sys.exit(main())
