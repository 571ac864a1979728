"""The command line: ``python -m papertrade demo``."""

from __future__ import annotations

import argparse

import papertrade


def main() -> None:
    """Run a command by its name."""
    parser = argparse.ArgumentParser(prog="papertrade", description="A paper broker you can import.")
    parser.add_argument("--version", action="version", version=f"papertrade {papertrade.__version__}")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("demo", help="replay the bundled day and print what happened, with every assumption")
    if parser.parse_args().command == "demo":
        from papertrade.demo.run import main as demo

        demo()
    else:
        parser.print_help()


if __name__ == "__main__":
    main()
