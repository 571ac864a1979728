-- What a day came to, once it has ended; null while it lasts. Rows of days that ended never change again.

ALTER TABLE wallets ADD COLUMN closed_at TEXT;
ALTER TABLE wallets ADD COLUMN closed_ns INTEGER;
ALTER TABLE wallets ADD COLUMN closing_equity TEXT;
ALTER TABLE wallets ADD COLUMN unrealized TEXT;
ALTER TABLE wallets ADD COLUMN imported TEXT;
ALTER TABLE wallets ADD COLUMN turnover TEXT;
ALTER TABLE wallets ADD COLUMN wins INTEGER;
ALTER TABLE wallets ADD COLUMN losses INTEGER;
ALTER TABLE wallets ADD COLUMN highest_equity TEXT;
ALTER TABLE wallets ADD COLUMN lowest_equity TEXT;
ALTER TABLE wallets ADD COLUMN drawdown TEXT;
ALTER TABLE wallets ADD COLUMN stale_marks INTEGER;
