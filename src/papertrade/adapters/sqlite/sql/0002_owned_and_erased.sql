-- Streams that belong to one worker, streams that were erased, and counts that say when a row is gone.
-- What is added to a row is said twice, in two ways, so that one changed number shows.

ALTER TABLE streams ADD COLUMN keyed INTEGER NOT NULL DEFAULT 0;     -- how many rows of commits it has
ALTER TABLE streams ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;     -- the last one given; 0 before the first
ALTER TABLE streams ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;     -- the fence that may write; 0 when nobody owns it
ALTER TABLE streams ADD COLUMN fence_sum INTEGER NOT NULL DEFAULT 0; -- fence + owner
UPDATE streams SET keyed = (SELECT count(*) FROM commits WHERE commits.stream = streams.id);

ALTER TABLE commits ADD COLUMN size INTEGER NOT NULL DEFAULT 0;      -- how many versions, as its ends say too
UPDATE commits SET size = last_version - first_version + 1;

-- An erased stream keeps its row with version -1, and has one here.
CREATE TABLE tombstones (
    stream  INTEGER PRIMARY KEY,
    note    TEXT    NOT NULL,
    hash    BLOB    NOT NULL            -- of the name and the note
) STRICT;

-- One row: rows of streams are added and never removed.
CREATE TABLE totals (
    id      INTEGER PRIMARY KEY,
    streams INTEGER NOT NULL
) STRICT;
INSERT INTO totals SELECT 1, count(*) FROM streams;
