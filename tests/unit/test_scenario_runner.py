"""The scenario runner: a wrong expectation fails, in the right line, and nothing that is not understood passes."""

from __future__ import annotations

from pathlib import Path

import pytest

import papertrade as pt
from papertrade.testing.scenario import ScenarioError, ScenarioFailure, load_scenarios, run_scenario

# Everything in it is so. Each planted mistake below changes one thing and has to be found.
GOOD = """\
account cash=10000
instrument AAPL tick=0.01 lot=1
scenario a small day
at 09:30:00 quote AAPL 100.00 x 300 / 100.04 x 20
buy AAPL 30 as entry                 -> fill 20 @ 100.04 Q1 taker; partially_filled remaining=10
expect wait entry waiting_liquidity needs=none
buy AAPL 10 limit 99.95              -> accepted hold=999.50
at 09:30:05 quote AAPL 99.90 x 300 / 99.95 x 200
expect fill 10 @ 99.95 Q2 taker order=entry, buy 10 @ 99.95 Q4 maker fee=0 at=09:30:05 order=2
expect order 2 filled average=99.95
sell AAPL 100                        -> rejected insufficient_position required=100 available=40
expect position AAPL 40 @ 99.995 cost=3999.80 mark=99.925 unrealized=-2.80
expect lots AAPL 40 @ 99.995
expect account cash=6000.20 held=0 available=6000.20 equity=9997.20
expect event order_rejected reason=insufficient_position
expect market AAPL bid=99.90 ask=99.95
expect assumption displayed sizes limit fills
expect no fill
expect no event order_canceled
"""


def test_a_scenario_that_is_so_passes() -> None:
    """The scenario that the planted mistakes start from holds, and answers its fills and events."""
    played = run_scenario(GOOD)

    assert [fill.rule for fill in played.fills] == ["Q1", "Q2", "Q4"]
    assert played.title == "a small day"
    assert {event.kind for event in played.events} >= {"order_filled", "order_rejected"}


PLANTED = [  # (line, what it says, what is put in its place, what the failure names)
    (5, "20 @ 100.04", "30 @ 100.04", "quantity: expected 30, found 20"),
    (5, "20 @ 100.04", "20 @ 100.03", "price: expected 100.03, found 100.04"),
    (5, "Q1 taker", "Q3 taker", "rule: expected Q3, found Q1"),
    (5, "Q1 taker", "Q1 maker", "role: expected maker, found taker"),
    (5, "remaining=10", "remaining=9", "remaining: expected 9, found 10"),
    (5, "partially_filled", "accepted", "status: expected accepted, found partially_filled"),
    (6, "waiting_liquidity", "waiting_price", "reason: expected waiting_price, found waiting_liquidity"),
    (6, "needs=none", "needs=100", "needs: expected 100, found none"),
    (7, "hold=999.50", "hold=999.51", "hold: expected 999.51, found 999.5"),
    (9, "order=entry", "order=2", "order: expected main-2, found main-1"),
    (9, "buy 10", "sell 10", "side: expected sell, found buy"),
    (9, "fee=0", "fee=0.01", "fee: expected 0.01, found 0"),
    (9, "at=09:30:05", "at=09:30:06", "at: expected 09:30:06, found 2026-01-05 09:30:05+00:00"),
    (10, "average=99.95", "average=none", "average: expected none, found 99.95"),
    (11, "insufficient_position", "insufficient_funds", "reason: expected insufficient_funds, found insufficient_po"),
    (11, "available=40", "available=41", "available: expected 41, found 40"),
    (12, "40 @ 99.995 cost", "-40 @ 99.995 cost", "quantity: expected -40, found 40"),
    (12, "unrealized=-2.80", "unrealized=2.80", "unrealized: expected 2.80, found -2.8"),
    (13, "40 @ 99.995", "20 @ 99.95, 20 @ 100.04", "expected 2 lots, found <Lot 40 at 99.995>"),
    (14, "equity=9997.20", "equity=9997.21", "equity: expected 9997.21, found 9997.2"),
    (15, "reason=insufficient_position", "reason=insufficient_funds", "reason: expected insufficient_funds"),
    (15, "event order_rejected", "event order_canceled", "expected an event order_canceled, found none"),
    (16, "ask=99.95", "ask=100.04", "ask: expected 100.04, found 99.95"),
    (17, "sizes limit", "sizes double", "expected this assumption"),
]


@pytest.mark.parametrize(("line", "so", "not_so", "said"), PLANTED)
def test_a_wrong_expectation_is_found(line: int, so: str, not_so: str, said: str) -> None:
    """Each kind of expectation fails when it is wrong, with file, line, the words of the line and the difference."""
    lines = GOOD.splitlines()
    written = lines[line - 1]
    assert so in written
    lines[line - 1] = written.replace(so, not_so)

    with pytest.raises(ScenarioFailure) as failure:
        run_scenario("\n".join(lines), "day.txt")

    assert said in str(failure.value)
    assert f"day.txt:{line}: {lines[line - 1]}" in str(failure.value)
    assert [unmet.line.number for unmet in failure.value.unmet] == [line]


def test_every_unmet_expectation_is_listed() -> None:
    """One run tells everything that is wrong, so that nobody has to mend a file line by line."""
    wrong = GOOD.replace("cash=6000.20", "cash=1").replace("average=99.95", "average=1").replace("held=0", "held=1")

    with pytest.raises(ScenarioFailure) as failure:
        run_scenario(wrong)

    assert [unmet.line.number for unmet in failure.value.unmet] == [10, 14]
    assert failure.value.unmet[1].differences == ("cash: expected 1, found 6000.2", "held: expected 1, found 0")


QUOTE = "instrument AAPL\nquote AAPL 100.00 x 300 / 100.04 x 20\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("buy AAPL 30", "nobody expected <Fill main-F1"),
        ("buy AAPL 30\nexpect fill 20 @ 100.04, 10 @ 100.04", "expected a fill 10 @ 100.04, found none"),
        ("buy AAPL 30\nexpect no fill\nexpect fill 20 @ 100.04", "expected none, found <Fill main-F1"),
        ("buy AAPL 30 -> no fill\nexpect fill 20 @ 100.04", "expected none, found <Fill main-F1"),
        ("buy AAPL 30\nbuy AAPL 1 -> fill 20 @ 100.04", "expected a fill of this order"),
        ("buy AAPL 1 limit 99 post_only ioc -> misuse some other reason", "misuse: expected 'some other reason'"),
        ("buy AAPL 1 limit 99 -> misuse anything", "misuse: expected 'anything', found [<Order main-1"),
        ("expect events account_opened", "found account_opened cash_deposited"),
        ("buy AAPL 1 limit 99\nexpect no event order_accepted", "expected none, found <OrderAccepted"),
    ],
)
def test_what_nobody_expected_is_found(text: str, said: str) -> None:
    """A fill, an event or an order that should not be there fails the scenario as surely as one that is missing."""
    with pytest.raises(ScenarioFailure) as failure:
        run_scenario(QUOTE + text)

    assert said in str(failure.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acount cash=1", "unknown word 'acount'"),
        ("account cosh=1", "unknown word 'cosh=1'; accepted: cash="),
        ("account cash=1 cash=2", "cash= is said twice"),
        ("account cash=ten\nadvance +1s", "cash: found 'ten'"),
        ("instrument A tock=1", "unknown word 'tock=1'"),
        ("fill realistic limit_fil=touch", "unknown word 'limit_fil=touch'"),
        ("fill relaistic\nadvance +1s", "preset: found 'relaistic'"),
        ("fill realistic slippage=2tocks", "slippage: found '2tocks'; accepted: none, 2ticks, 5bp, 0.5spread"),
        ("fees per_lot rate=1", "unknown word 'per_lot' for a fee"),
        ("limits max_loss=1", "unknown word 'max_loss=1'"),
        ("clock sundial", "unknown word 'sundial'"),
        ("date tomorrow", "date: found 'tomorrow'"),
        ("account margin=0.5\nadvance +1s", "margin: accepted: initial/maintenance"),
        (QUOTE + "account cash=5", "'account' comes too late"),
        (QUOTE + "quote AAPL 100 x 300 100.04 x 20", "found '100.04'; accepted: '/'"),
        (QUOTE + "quote AAPL 100 / 100.04 x", "the line ends where a size was expected"),
        (QUOTE + "quote AAPL 100 / x", "a price: found 'x'; accepted: a number"),
        (QUOTE + "quote AAPL 100 / 101 size=3", "unknown word 'size=3'"),
        (QUOTE + "quote APPL 100 / 101", "unknown symbol 'APPL'"),
        (QUOTE + "bar AAPL 1/2/3", "bar: found '1/2/3'; accepted: open/high/low/close"),
        (QUOTE + "depth AAPL 1 x 2", "depth: accepted: bids / asks"),
        (QUOTE + "at noon buy AAPL 1", "time: found 'noon'"),
        (QUOTE + "buy AAPL", "the line ends where a quantity was expected"),
        (QUOTE + "buy AAPL 1 limit", "the line ends where a limit price was expected"),
        (QUOTE + "buy AAPL 1 immediately", "unknown word 'immediately'"),
        (QUOTE + "hold AAPL 1", "unknown word 'hold'"),
        (QUOTE + "buy AAPL 1 post_only", "post_only"),
        (QUOTE + "cancel 7", "there is no order 7 yet"),
        (QUOTE + "cancel entry", "unknown order 'entry'"),
        (QUOTE + "modify 1 price=3", "there is no order 1 yet"),
        (QUOTE + "oco sell AAPL 1 limit 110", "oco: accepted: two orders with | between them"),
        (QUOTE + "reset everything", "unknown word 'everything'"),
        (QUOTE + "reset", "the line ends where an amount, or a latch was expected"),
        (QUOTE + "import AAPL 10", "accepted: '@'"),
        (QUOTE + "import AAPL 10 @ 9 tomorrow", "unknown word 'tomorrow'"),
        (QUOTE + "clone", "the line ends where a name was expected"),
        (QUOTE + "bob: buy AAPL 1", "unknown word 'bob:' for an account; accepted: main:"),
        (QUOTE + "advance +1s -> filled", "'->' after a line that made no order"),
        (QUOTE + "buy AAPL 1 -> filled -> filled", "found '->' twice"),
        (QUOTE + "buy AAPL 1 -> filed", "unknown word 'filed' for a status"),
        (QUOTE + "buy AAPL 1 -> filled averge=1", "unknown word 'averge=1'"),
        (QUOTE + "buy AAPL 1 -> filled average=cheap", "an expected number: found 'cheap'"),
        (QUOTE + "expect miracle", "unknown word 'miracle' for what is expected"),
        (QUOTE + "buy AAPL 1 -> fill 1 @ 100.04 Q9", "unknown word 'Q9'"),
        (QUOTE + "expect event order_filed", "unknown word 'order_filed'"),
        (QUOTE + "expect events order_filed", "unknown word 'order_filed'"),
        (QUOTE + "expect event cash_deposited amont=1", "unknown word 'amont=1'"),
        (QUOTE + "expect account csh=1", "unknown word 'csh=1'"),
        (QUOTE + "expect position AAPL 0 average=1", "unknown word 'average=1'"),
        (QUOTE + "expect market AAPL spread=1", "unknown word 'spread=1'"),
        (QUOTE + "expect no money", "unknown word 'money'"),
    ],
)
def test_what_is_not_understood_is_an_error(text: str, said: str) -> None:
    """An unknown word, a missing one or a call that papertrade refuses is an error that names file and line."""
    with pytest.raises(ScenarioError) as error:
        run_scenario(text, "typo.txt")

    assert said in str(error.value)
    assert error.value.where == "typo.txt"
    assert error.value.line in (len(text.splitlines()), len(text.splitlines()) - 1)
    assert f"typo.txt:{error.value.line}: " in str(error.value)


def test_an_empty_scenario_is_an_error() -> None:
    """A scenario in which nothing happens would pass whatever is broken."""
    with pytest.raises(ScenarioError, match="nothing happens"):
        run_scenario("# only a comment\naccount cash=1\n")


def test_comments_and_blank_lines_do_not_move_line_numbers() -> None:
    """The line that is named is the line of the file."""
    text = "\n# first\n" + QUOTE + "\n   # indented\nexpect account cash=1   # at the end\n"

    with pytest.raises(ScenarioFailure) as failure:
        run_scenario(text, "notes.txt")

    assert "notes.txt:7: expect account cash=1\n    cash: expected 1, found 100000" in str(failure.value)


FILE = """\
account cash=500
instrument AAPL
scenario first
quote AAPL 1 / 2
expect account cash=500
scenario second
account cash=700
quote AAPL 1 / 2
expect account cash=700
scenario third
quote AAPL 1 / 2
expect account cash=700
"""


def test_a_file_holds_several_scenarios(tmp_path: Path) -> None:
    """Lines before the first title are shared, a scenario may change them for itself, and each stands alone."""
    file = tmp_path / "three.txt"
    file.write_text(FILE, encoding="utf-8")

    first, second, third = load_scenarios(file)

    assert [scenario.title for scenario in load_scenarios(tmp_path)] == ["first", "second", "third"]
    assert first.run().title == "first"
    assert second.run().fills == ()
    with pytest.raises(ScenarioFailure, match=r"three\.txt:12"):
        third.run()


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    """A test over no scenario would pass on nothing."""
    with pytest.raises(pt.UsageError, match="no scenario file"):
        load_scenarios(tmp_path)


@pytest.mark.parametrize("text", [FILE, "scenario one\nadvance +1s\nscenario two\nadvance +1s"])
def test_run_scenario_takes_one(text: str) -> None:
    """A text with several scenarios is for load_scenarios; none of them is left out in silence."""
    with pytest.raises(pt.UsageError, match="accepted: one"):
        run_scenario(text)


@pytest.mark.parametrize("text", ["scenario\nadvance +1s", "scenario a\nadvance +1s\nscenario a\nadvance +1s"])
def test_each_scenario_has_a_title_of_its_own(text: str) -> None:
    """A missing or repeated title is an error."""
    with pytest.raises(ScenarioError, match="a title of its own"):
        run_scenario(text)


def test_a_manual_clock_and_several_accounts() -> None:
    """Under a manual clock, and for accounts by name, the same lines mean the same."""
    played = run_scenario(
        """
        clock manual
        date 2026-01-05 zone=Asia/Kolkata start=09:15
        account alice cash=1000 currency=INR
        account bob cash=2000 currency=INR fill=lenient
        instrument NSE:INFY tick=0.05 lot=1
        at 09:15:01 quote NSE:INFY 100 x 5 / 100.05 x 5
        alice: buy NSE:INFY 8 -> fill 5 @ 100.05; partially_filled
        bob: buy NSE:INFY 8 -> fill 8 @ 100.05; filled
        alice: buy NSE:INFY 1 limit 99 until +10s key=k-1 tag=strategy:gap -> accepted expires=09:15:11
        alice: buy NSE:INFY 1 limit 99 until 09:15:11 key=k-1 tag=strategy:gap -> accepted
        alice: buy NSE:INFY 2 limit 99 until 09:15:11 key=k-1 tag=strategy:gap -> misuse used before
        advance 09:15:11
        alice: expect order 2 expired
        bob: expect account cash=1199.60 open_orders=0
        """
    )

    assert sorted({fill.account for fill in played.fills}) == ["alice", "bob"]
