-- Journals of accounts. One row of streams per account, one row of events per event, one row of commits per key.
-- What is in a record is for the codec to say; these tables only keep bytes, their order and their hashes. Names and keys
-- are bytes too (UTF-8): no collation can make two of them one, and one with a NUL in it can be stored.
-- Read them with convert_from(name, 'UTF8').

CREATE TABLE streams (
    id      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    bytea   NOT NULL CONSTRAINT streams_name UNIQUE,
    version bigint  NOT NULL,           -- of the last event
    chain   bytea   NOT NULL,           -- the hash after the last event; the last event has it too
    keyed   bigint  NOT NULL DEFAULT 0, -- how many rows of commits it has; a stream without any and without events is
                                        -- not there yet, but somebody may own it
    fence   bigint  NOT NULL DEFAULT 0, -- the last one given
    owned   boolean NOT NULL DEFAULT false,
    erased  bytea                       -- the note of its tombstone; its name cannot be used again
) WITH (fillfactor = 50);               -- each append changes a row here: room for the next version of it on its page

CREATE TABLE events (
    stream  bigint NOT NULL,
    version bigint NOT NULL,
    chain   bytea  NOT NULL,            -- hash of the hash before it and the record
    record  bytea  NOT NULL,            -- canonical bytes
    CONSTRAINT events_version PRIMARY KEY (stream, version)
);

CREATE TABLE commits (
    stream        bigint NOT NULL,
    commit_id     bytea  NOT NULL,
    first_version bigint NOT NULL,
    last_version  bigint NOT NULL,
    number        bigint GENERATED ALWAYS AS IDENTITY,  -- the order of keys whose batches were empty
    CONSTRAINT commits_key PRIMARY KEY (stream, commit_id)
);

CREATE TABLE snapshots (
    stream  bigint PRIMARY KEY,
    version bigint NOT NULL,
    chain   bytea  NOT NULL,
    data    bytea  NOT NULL,
    hash    bytea  NOT NULL             -- of the data
);

-- Which of these files were applied, and the hash of their text.
CREATE TABLE migrations (
    number  bigint PRIMARY KEY,
    name    text   NOT NULL,
    hash    text   NOT NULL
);
