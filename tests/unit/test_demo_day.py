"""The bundled day is what the generator makes, and a market could have looked like it."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from papertrade.demo.day import DayRow, read_day
from papertrade.demo.generate import HEADER, generate, write

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
NEWS = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
CLOSE = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
TICK = Decimal("0.01")


@pytest.fixture(scope="module")
def rows() -> list[DayRow]:
    return list(read_day())


def packaged_bytes() -> bytes:
    return resources.files("papertrade.demo").joinpath("day.csv").read_bytes()


def quotes(rows: list[DayRow], symbol: str) -> list[DayRow]:
    return [row for row in rows if (row.symbol, row.kind) == (symbol, "quote")]


def number(text: str | None) -> Decimal:
    assert text is not None
    return Decimal(text)


def middle(quote: DayRow) -> Decimal:
    return (number(quote.bid) + number(quote.ask)) / 2


class TestGenerator:
    def test_packaged_file_is_the_default_seed(self, tmp_path: Path) -> None:
        """The packaged file equals what the generator writes for the default seed, byte for byte."""
        write(tmp_path / "day.csv")

        assert (tmp_path / "day.csv").read_bytes() == packaged_bytes()

    def test_lines_are_the_written_file(self) -> None:
        """The lines of `generate` joined with line feeds are the written file."""
        assert "".join(f"{line}\n" for line in generate()).encode() == packaged_bytes()

    def test_module_writes_the_file(self, tmp_path: Path) -> None:
        """`python -m papertrade.demo.generate PATH` writes the day, in a process of its own as in ours."""
        path = tmp_path / "day.csv"

        subprocess.run([sys.executable, "-m", "papertrade.demo.generate", str(path)], check=True)

        assert path.read_bytes() == packaged_bytes()

    def test_another_seed_is_another_day(self) -> None:
        """Another seed keeps the header and changes the rows."""
        usual, other = list(generate()), list(generate(seed=2027))

        assert usual[0] == other[0] == HEADER
        assert usual[1:] != other[1:]

    @pytest.mark.parametrize("seed", [-1, 0, 1, 2**64 + 5])
    def test_every_seed_stays_in_the_session(self, seed: int) -> None:
        """Any integer is a seed, and its day is sorted and lies within the session."""
        times = [line.split(",")[0] for line in generate(seed)][1:]

        assert times == sorted(times)
        assert times[0] == "2026-01-05T14:30:00.000Z"
        assert times[-1] < "2026-01-05T21:00:00.000Z"

    def test_file_stays_small(self) -> None:
        """The packaged file costs an installation less than 120 kB."""
        assert len(packaged_bytes()) < 120_000


class TestReading:
    def test_every_line_is_a_row(self, rows: list[DayRow]) -> None:
        """Reading yields one row for each line after the header."""
        assert len(rows) == packaged_bytes().count(b"\n") - 1 == 2_068
        assert Counter((row.symbol, row.kind) for row in rows) == {
            ("ACME", "quote"): 975,
            ("ACME", "trade"): 371,
            ("ZINC", "quote"): 518,
            ("ZINC", "trade"): 204,
        }

    def test_cells_are_kept_as_text(self, rows: list[DayRow]) -> None:
        """A row holds the text of its cells, `None` for an empty one, and its moment as aware UTC."""
        quote = next(row for row in rows if row.kind == "quote")
        trade = next(row for row in rows if row.kind == "trade")

        assert quote == DayRow(OPEN, "ACME", "quote", "187.20", "187.21", "300", "600", None, None)
        assert trade == DayRow(
            OPEN + timedelta(milliseconds=14_572), "ACME", "trade", None, None, None, None, "187.20", "100"
        )
        assert quote.at.utcoffset() == timedelta(0)

    def test_rows_are_read_only(self, rows: list[DayRow]) -> None:
        """A row cannot be changed after it was read."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            rows[0].bid = "1.00"  # type: ignore[misc]


class TestRows:
    def test_quotes_are_uncrossed_and_sized(self, rows: list[DayRow]) -> None:
        """Every quote has its bid one to four ticks below its ask and shows 100 to 900 on both sides."""
        for row in rows:
            if row.kind == "quote":
                assert TICK <= number(row.ask) - number(row.bid) <= 4 * TICK
                assert {row.bid_size, row.ask_size} <= {str(100 * lots) for lots in range(1, 10)}
                assert row.price is row.size is None

    def test_trades_print_what_was_displayed(self, rows: list[DayRow]) -> None:
        """Every market trade prints at a side of the standing quote, for no more than that side showed."""
        standing: dict[str, DayRow] = {}
        for row in rows:
            if row.kind == "quote":
                standing[row.symbol] = row
            else:
                quote = standing[row.symbol]
                displayed = {quote.bid: quote.bid_size, quote.ask: quote.ask_size}
                assert 0 < number(row.size) <= number(displayed[row.price])
                assert row.bid is row.ask is row.bid_size is row.ask_size is None

    def test_prices_have_two_decimals(self, rows: list[DayRow]) -> None:
        """Every price is written with exactly two decimals."""
        prices = [text for row in rows for text in (row.bid, row.ask, row.price) if text is not None]

        assert {number(price).as_tuple().exponent for price in prices} == {-2}

    def test_times_are_sorted_within_the_session(self, rows: list[DayRow]) -> None:
        """Rows come in time order, and no symbol has two rows of one kind at one moment."""
        assert rows[0].at == OPEN
        assert rows[-1].at < CLOSE
        assert all(earlier.at <= later.at for earlier, later in pairwise(rows))
        assert len({(row.at, row.symbol, row.kind) for row in rows}) == len(rows)


class TestStory:
    def test_activity_is_u_shaped(self, rows: list[DayRow]) -> None:
        """The first and the last hour each bring at least twice the rows of the hour in the middle."""
        minutes = [(row.at - OPEN) // timedelta(minutes=1) for row in rows]
        first, noon, last = (
            sum(start <= minute < start + 60 for minute in minutes) for start in (0, 165, 330)
        )

        assert first > 2 * noon
        assert last > 2 * noon

    def test_acme_is_never_quiet_for_a_minute(self, rows: list[DayRow]) -> None:
        """No quote of ACME is a minute old before the next one, or the close, replaces it."""
        times = [quote.at for quote in quotes(rows, "ACME")] + [CLOSE]

        assert max(later - earlier for earlier, later in pairwise(times)) < timedelta(minutes=1)

    def test_acme_gaps_at_the_news(self, rows: list[DayRow]) -> None:
        """ACME loses about one per cent between two quotes at the news, and at no other time."""
        moves = sorted(
            (middle(later) / middle(earlier) - 1, later.at)
            for earlier, later in pairwise(quotes(rows, "ACME"))
        )
        gap, gapped_at = moves[0]

        assert Decimal("-0.012") < gap < Decimal("-0.008")
        assert timedelta(0) <= gapped_at - NEWS < timedelta(minutes=1)
        assert moves[1][0] > Decimal("-0.001")

    def test_acme_dips_rallies_gaps_and_recovers(self, rows: list[DayRow]) -> None:
        """ACME falls below its open, rallies above it, gaps at the news and recovers part of the loss."""
        acme = quotes(rows, "ACME")
        before = [middle(quote) for quote in acme if quote.at < NEWS]
        after = [middle(quote) for quote in acme if quote.at >= NEWS]

        assert before.index(min(before)) < before.index(max(before))
        assert min(before) < before[0] - 1
        assert max(before) > before[0] + 2
        assert min(after) + 1 < after[-1] < max(before) - Decimal("0.5")

    def test_zinc_drifts(self, rows: list[DayRow]) -> None:
        """ZINC stays within one per cent of 42 dollars and 10 cents all day."""
        assert all(abs(middle(quote) - Decimal("42.10")) < Decimal("0.42") for quote in quotes(rows, "ZINC"))
