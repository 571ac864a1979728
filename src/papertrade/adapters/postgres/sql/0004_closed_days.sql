-- What a day came to, once it has ended; null while it lasts. Rows of days that ended never change again.

ALTER TABLE IF EXISTS wallets
    ADD COLUMN IF NOT EXISTS closed_at timestamptz,
    ADD COLUMN IF NOT EXISTS closed_ns bigint,
    ADD COLUMN IF NOT EXISTS closing_equity numeric,
    ADD COLUMN IF NOT EXISTS unrealized numeric,
    ADD COLUMN IF NOT EXISTS imported numeric,
    ADD COLUMN IF NOT EXISTS turnover numeric,
    ADD COLUMN IF NOT EXISTS wins bigint,
    ADD COLUMN IF NOT EXISTS losses bigint,
    ADD COLUMN IF NOT EXISTS highest_equity numeric,
    ADD COLUMN IF NOT EXISTS lowest_equity numeric,
    ADD COLUMN IF NOT EXISTS drawdown numeric,
    ADD COLUMN IF NOT EXISTS stale_marks bigint;
