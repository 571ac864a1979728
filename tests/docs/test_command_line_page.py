"""The page of the command line names what can be typed, and nothing else."""

from __future__ import annotations

import re

import pytest
from test_reference import plain, tables, text_of

from papertrade.__main__ import main

COMMANDS, _ = tables(plain(text_of("command-line.md")))


def helped(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    return re.sub(r"\s+", " ", capsys.readouterr().out)


def test_every_command_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as the program lists, in no other spelling."""
    listed = re.search(r"\{([a-z,-]+)\}", helped(capsys))
    assert listed is not None
    assert sorted(listed[1].split(",")) == sorted(row["command"] for row in COMMANDS)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row["command"])
def test_what_a_command_takes(row: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its arguments in their order, and its options."""
    usage = helped(capsys, row["command"]).partition(" positional")[0].partition(" options:")[0]
    taken = re.sub(r"\[-[^]]*\]", "", usage).partition(row["command"])[2].split()
    assert taken == row["takes"].split()
    assert sorted(re.findall(r"\[(--[a-z]+)", usage)) == sorted(re.findall(r"--[a-z]+", row["options"]))
