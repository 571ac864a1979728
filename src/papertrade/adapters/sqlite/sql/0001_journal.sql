-- Journals of accounts. One row of streams per account, one row of events per event, one row of commits per key.
-- What is in a record is for the codec to say; this file only keeps bytes, their order and their hashes.

CREATE TABLE streams (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    version INTEGER NOT NULL,           -- of the last event
    chain   BLOB    NOT NULL            -- the hash after the last event; the last event has it too
) STRICT;

CREATE TABLE events (
    stream  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    chain   BLOB    NOT NULL,           -- hash of the hash before it and the record
    record  BLOB    NOT NULL,           -- canonical bytes
    UNIQUE (stream, version)            -- not WITHOUT ROWID: rows at the end of the table are cheaper to write
) STRICT;

-- A key is kept twice, in the table and in its index, so that a damaged one shows when the file is opened.
CREATE TABLE commits (
    stream        INTEGER NOT NULL,
    commit_id     TEXT    NOT NULL,
    first_version INTEGER NOT NULL,
    last_version  INTEGER NOT NULL,
    UNIQUE (stream, commit_id)
) STRICT;

CREATE TABLE snapshots (
    stream  INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    chain   BLOB    NOT NULL,
    data    BLOB    NOT NULL,
    hash    BLOB    NOT NULL            -- of the data
) STRICT;

-- Which of these files were applied, and the hash of their text.
CREATE TABLE migrations (
    number  INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL,
    hash    TEXT    NOT NULL
) STRICT;
