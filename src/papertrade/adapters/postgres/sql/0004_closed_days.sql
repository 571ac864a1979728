-- What a day came to, once it has ended; null while it lasts. Rows of days that ended never change again.

ALTER TABLE wallets
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN closed_ns bigint,
    ADD COLUMN closing_equity numeric,
    ADD COLUMN unrealized numeric,
    ADD COLUMN imported numeric,
    ADD COLUMN turnover numeric,
    ADD COLUMN wins bigint,
    ADD COLUMN losses bigint,
    ADD COLUMN highest_equity numeric,
    ADD COLUMN lowest_equity numeric,
    ADD COLUMN drawdown numeric,
    ADD COLUMN stale_marks bigint;
