"""Every statement, for one schema. Values are bound; the schema's name was checked letter by letter."""

from __future__ import annotations

from typing import Final

BEGIN: Final = (b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", ())
COMMIT: Final = (b"COMMIT", ())
ROLLBACK: Final = (b"ROLLBACK", ())
# A server that waits for its standbys to apply a commit goes on doing so. CASE sees to it that the time to wait for a
# lock is set before somebody waits, and the cast to it that each lock is asked for.
SETTINGS: Final = b"""
    SELECT CASE WHEN set_config('synchronous_commit', CASE
        WHEN %(commit)s = 'on' AND current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'
        ELSE %(commit)s END, true) <> '' AND set_config('lock_timeout', %(wait)s, true) <> ''
    THEN (SELECT count(pg_advisory_xact_lock(key)::text) FROM unnest(%(keys)b::bigint[]) AS key) END"""
NOTIFY: Final = b"SELECT pg_notify(%s, stream) FROM unnest(%s::text[]) AS stream"

_HEAD: Final = """
    SELECT s.id, s.version, s.chain, s.keyed, s.fence, s.owned, s.erased, e.chain
    FROM {s}.streams AS s LEFT JOIN {s}.events AS e ON e.stream = s.id AND e.version = s.version
    WHERE s.name = %b"""

_HEADS: Final = """
    SELECT s.id, s.version, s.chain, s.keyed, s.fence, s.owned, s.erased, e.chain,
           c.first_version, c.last_version, c.seal, k.chain
    FROM unnest(%b::bytea[], %b::bytea[]) WITH ORDINALITY AS w (name, commit_id, place)
    LEFT JOIN {s}.streams AS s ON s.name = w.name
    LEFT JOIN {s}.events AS e ON e.stream = s.id AND e.version = s.version
    LEFT JOIN {s}.commits AS c ON c.stream = s.id AND c.commit_id = w.commit_id
    LEFT JOIN {s}.events AS k ON k.stream = s.id AND k.version = c.last_version
    ORDER BY w.place"""

_RANGES: Final = """
    SELECT w.place, e.record
    FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[]) WITH ORDINALITY AS w (stream, first, last, place)
    JOIN {s}.events AS e ON e.stream = w.stream AND e.version BETWEEN w.first AND w.last
    ORDER BY w.place, e.version"""

_RECORDS: Final = """
    SELECT version, chain, record FROM {s}.events WHERE stream = %b AND version BETWEEN %b AND %b ORDER BY version"""

_WRITE: Final = """
    WITH stream AS (
        INSERT INTO {s}.streams AS s (name, version, chain, keyed)
        SELECT * FROM unnest(%b::bytea[], %b::bigint[], %b::bytea[], %b::bigint[])
        ON CONFLICT ON CONSTRAINT streams_name
        DO UPDATE SET version = excluded.version, chain = excluded.chain, keyed = excluded.keyed
        RETURNING s.id, s.name
    ), event AS (
        INSERT INTO {s}.events (stream, version, chain, record)
        SELECT s.id, w.version, w.chain, w.record
        FROM unnest(%b::bytea[], %b::bigint[], %b::bytea[], %b::bytea[]) AS w (name, version, chain, record)
        JOIN stream AS s ON s.name = w.name
    )
    INSERT INTO {s}.commits (stream, commit_id, first_version, last_version, seal)
    SELECT s.id, w.commit_id, w.first, w.last, w.seal
    FROM unnest(%b::bytea[], %b::bytea[], %b::bigint[], %b::bigint[], %b::bytea[]) WITH ORDINALITY
        AS w (name, commit_id, first, last, seal, place)
    JOIN stream AS s ON s.name = w.name ORDER BY w.place"""

# Nothing is written unless the stream is where the writer thinks: the error ends the transaction. It says so in words,
# because it is also what the server logs.
_FOLLOW: Final = """
    WITH stream AS (
        UPDATE {s}.streams AS s SET version = %(version)b, chain = %(chain)b, keyed = %(keyed)b
        WHERE s.name = %(name)b AND s.version = %(after)b AND s.chain = %(after_chain)b AND s.keyed = %(after_keyed)b
        AND s.fence = %(fence)b AND s.owned = (%(owned)b::bigint = 1) AND s.erased IS NULL
        AND (s.version = 0 OR s.chain =
            (SELECT e.chain FROM {s}.events AS e WHERE e.stream = s.id AND e.version = s.version))
        AND (SELECT count(*) FROM {s}.commits AS c WHERE c.stream = s.id AND c.commit_id = %(commit_id)b) = 0
        RETURNING s.id
    ), event AS (
        INSERT INTO {s}.events (stream, version, chain, record)
        SELECT s.id, %(after)b + w.place, w.chain, w.record
        FROM stream AS s, unnest(%(chains)b::bytea[], %(records)b::bytea[]) WITH ORDINALITY AS w (chain, record, place)
    ), kept AS (
        INSERT INTO {s}.commits (stream, commit_id, first_version, last_version, seal)
        SELECT s.id, %(commit_id)b, %(first)b, %(last)b, %(seal)b FROM stream AS s WHERE %(commit_id)b IS NOT NULL
    )
    SELECT CASE count(*) WHEN 1 THEN 1
        ELSE ('papertrade: nothing stored, another writer was first; rows found: ' || count(*)::text)::bigint END
    FROM stream"""

_TAKE: Final = """
    INSERT INTO {s}.streams AS s (name, version, chain, fence, owned) VALUES (%b, 0, %b, 1, true)
    ON CONFLICT ON CONSTRAINT streams_name DO UPDATE SET fence = s.fence + 1, owned = true"""

_ERASE: Final = """
    WITH stream AS (
        INSERT INTO {s}.streams AS s (name, version, chain, erased) VALUES (%b, 0, %b, %b)
        ON CONFLICT ON CONSTRAINT streams_name
        DO UPDATE SET version = 0, chain = excluded.chain, keyed = 0, owned = false, erased = excluded.erased
        RETURNING s.id
    ), event AS (DELETE FROM {s}.events WHERE stream IN (SELECT id FROM stream)),
    kept AS (DELETE FROM {s}.commits WHERE stream IN (SELECT id FROM stream))
    DELETE FROM {s}.snapshots WHERE stream IN (SELECT id FROM stream)"""

_PUT_SNAPSHOT: Final = """
    INSERT INTO {s}.snapshots AS kept (stream, version, chain, data, hash) VALUES (%b, %b, %b, %b, %b)
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, chain = excluded.chain, data = excluded.data, hash = excluded.hash
    WHERE kept.version <= excluded.version OR kept.version > %b"""

_GET_SNAPSHOT: Final = """
    SELECT n.version, n.chain, n.data, n.hash, e.chain FROM {s}.snapshots AS n
    LEFT JOIN {s}.events AS e ON e.stream = n.stream AND e.version = n.version WHERE n.stream = %b"""

# With what the stream itself says at that moment: one row without an id when there is none.
_COMMITS: Final = """
    SELECT s.version, s.keyed, c.commit_id, c.first_version, c.last_version, c.seal, k.chain
    FROM {s}.streams AS s
    LEFT JOIN {s}.commits AS c ON c.stream = s.id AND c.last_version BETWEEN %b AND %b
    LEFT JOIN {s}.events AS k ON k.stream = c.stream AND k.version = c.last_version
    WHERE s.id = %b ORDER BY c.last_version, c.number"""

_STREAMS: Final = """
    SELECT name FROM {s}.streams WHERE name > %b AND (version > 0 OR keyed > 0) ORDER BY name LIMIT %b"""


class Statements:
    """The statements of a schema, as the bytes that are sent."""

    def __init__(self, schema: str) -> None:
        def of(text: str) -> bytes:
            return " ".join(text.format(s=schema).split()).encode("ascii")

        self.head = of(_HEAD)
        self.heads = of(_HEADS)
        self.ranges = of(_RANGES)
        self.records = of(_RECORDS)
        self.commits = of(_COMMITS)
        self.streams = of(_STREAMS)
        self.write = of(_WRITE)
        self.follow = of(_FOLLOW)
        self.take = of(_TAKE)
        self.release = of("UPDATE {s}.streams SET owned = false WHERE id = %b AND fence = %b")
        self.erase = of(_ERASE)
        self.put_snapshot = of(_PUT_SNAPSHOT)
        self.get_snapshot = of(_GET_SNAPSHOT)
