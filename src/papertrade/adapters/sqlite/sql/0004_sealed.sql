-- Commit ids are in no record, so the chain of hashes does not cover them: each is sealed by a hash of its own.

ALTER TABLE commits ADD COLUMN seal BLOB NOT NULL DEFAULT x'';       -- over the hash at its last version, the stream,
                                                                     -- the range and the id; see adapters/seals.py
