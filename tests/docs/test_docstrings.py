"""Every example in a docstring is run: it is what a reader types first."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import papertrade
from papertrade.hosting.setup import AccountOptions

HOME = Path(papertrade.__file__).parent
MODULES = sorted(
    ".".join(("papertrade", *path.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__")
    for path in HOME.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_say_what_comes_of_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A module that shows an answer gives it."""
    done = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert done.failed == 0, capsys.readouterr().out
    assert done.attempted, "the example is where nobody finds it"


def test_each_option_of_an_account_is_explained_where_it_is_typed() -> None:
    """The help of ``open_account`` has every option, that of the one-account form names them."""
    for told in (papertrade.Exchange.open_account.__doc__, papertrade.open_paper_broker.__doc__):
        assert told is not None
        assert [option for option in sorted(AccountOptions.__optional_keys__) if option not in told] == []
