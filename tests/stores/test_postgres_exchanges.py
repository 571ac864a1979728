"""What writers send reaches the server as it is, and what the server says to each statement is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from servers_postgres import PostgresServer

with suppress(ModuleNotFoundError):  # then the fixture of the server skips each test, and the summary names it
    import psycopg
    from psycopg.types.numeric import Int8

    from papertrade.adapters.postgres.exchanges import Answer, exchange
    from papertrade.adapters.postgres.lines import Line

pytestmark = pytest.mark.external_service


@pytest.fixture
def line(postgres_server: PostgresServer) -> Iterator[Line]:
    made = Line.connect(postgres_server.dsn, autocommit=True)
    yield made
    made.close()


def asked(line: Line, *statements: Any) -> list[Answer]:
    answers: list[Answer] = []
    line.wait(exchange(line, statements, answers))
    return answers


def test_values_arrive_as_they_are(line: Line) -> None:
    """Every byte, every number of 64 bits, letters of any language; nothing, lists of nothing, and empty lists."""
    every, text = bytes(range(256)), "{\"a, 'b\\} é 漢 %s"
    numbers = [Int8(-(2**63)), Int8(0), Int8(2**63 - 1)]
    query = (
        b"SELECT %b::bytea, %b::bigint, %b::bytea IS NULL, %s::text = convert_from(%b, 'UTF8'), "
        b"%b::bytea[] = ARRAY[%b, NULL]::bytea[], %b::bigint[] = ARRAY[%b, 0, %b]::bigint[], "
        b"%s::text[] = ARRAY[%s]::text[], %b::bytea[] = '{NULL,NULL}', %b::bigint[] = '{}', (%s::jsonb)->>0 = 'ax'"
    )
    values = (every, Int8(-5), None, text, text.encode(), [every, None], every, numbers, numbers[0], numbers[2],
              [text], text, [None, None], [], '["ax"]')  # fmt: skip
    ((tag, ((first, second, *same),)),) = asked(line, (query, values))
    assert (tag, first, second) == ("SELECT 1", every, -5)
    assert same == [True] * len(same)


def test_a_name_stands_for_one_value_wherever_it_is(line: Line) -> None:
    """A statement may name its values, and use one twice."""
    query = b"SELECT %(b)b::bigint - %(a)b::bigint, %(a)b::bigint"
    assert asked(line, (query, {"a": Int8(1), "b": Int8(3)}))[0].rows == [(2, 1)]


def test_what_came_before_an_error_is_known_and_nothing_after_it_is_done(line: Line) -> None:
    """The answers end where the server refused; what it could not prepare is prepared the next time."""
    answers: list[Answer] = []
    statements = [(b"BEGIN", ()), (b"SELECT 1/%b::bigint", (Int8(0),)), (b"SELECT 2::bigint", ()), (b"COMMIT", ())]
    with pytest.raises(psycopg.errors.DivisionByZero):
        line.wait(exchange(line, statements, answers))
    assert [answer.tag for answer in answers] == ["BEGIN"]
    assert [answer.tag for answer in asked(line, (b"ROLLBACK", ()))] == ["ROLLBACK"]
    assert asked(line, (b"SELECT 2::bigint", ()), (b"SELECT 2::bigint", ()))[1].rows == [(2,)]
    with pytest.raises(psycopg.errors.UndefinedTable):
        asked(line, (b"SELECT 1::bigint FROM not_there_yet", ()))
    line.execute("CREATE TEMPORARY TABLE not_there_yet AS SELECT 1")
    assert asked(line, (b"SELECT 1::bigint FROM not_there_yet", ()))[0].rows == [(1,)]


def test_nothing_is_sent_of_a_trip_with_a_value_that_cannot_be_spelled(line: Line) -> None:
    """The connection is as it was."""
    with pytest.raises(TypeError, match="float"):
        asked(line, (b"CREATE TEMPORARY TABLE t (x bigint)", ()), (b"SELECT %b", (1.5,)))
    assert asked(line, (b"SELECT to_regclass('t') IS NULL", ()))[0].rows == [(True,)]


def test_a_line_that_is_closed_in_between(line: Line) -> None:
    """The server's last word is the error, and the wait ends."""
    with pytest.raises(psycopg.errors.AdminShutdown):
        asked(line, (b"SELECT pg_terminate_backend(pg_backend_pid())", ()), (b"SELECT 1::bigint", ()))
    with pytest.raises(psycopg.OperationalError):
        asked(line, (b"SELECT 1::bigint", ()))
