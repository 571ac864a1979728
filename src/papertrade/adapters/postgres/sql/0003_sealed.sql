-- Commit ids are in no record, so the chain of hashes does not cover them: each is sealed by a hash of its own, over the
-- hash at its last version, the stream, the range and the id (adapters/seals.py). What is there gets its seal here; an id
-- that leads to nothing has none, and stops this. Whoever writes without seals is refused from now on.

ALTER TABLE commits ADD COLUMN seal bytea;

UPDATE commits AS c SET seal = sha256(
    CASE WHEN c.last_version = 0 THEN decode(repeat('00', 32), 'hex') ELSE (
        SELECT e.chain FROM events AS e WHERE e.stream = c.stream AND e.version = c.last_version) END
    || convert_to(concat(c.first_version, ' ', c.last_version, ' ', octet_length(s.name), ' '), 'UTF8')
    || s.name || convert_to(' ', 'UTF8') || c.commit_id)
FROM streams AS s WHERE s.id = c.stream AND c.first_version BETWEEN 1 AND c.last_version + 1;

ALTER TABLE commits ALTER COLUMN seal SET NOT NULL;
