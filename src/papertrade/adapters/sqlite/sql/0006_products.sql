-- Positions by product, empty for accounts without products. Whoever opens an account makes its rows again.

ALTER TABLE orders ADD COLUMN product TEXT NOT NULL DEFAULT '';
ALTER TABLE fills ADD COLUMN product TEXT NOT NULL DEFAULT '';

DROP TABLE IF EXISTS positions;
CREATE TABLE positions (
    account TEXT NOT NULL,
    symbol TEXT NOT NULL,
    quantity TEXT NOT NULL,
    average_price TEXT,
    cost TEXT NOT NULL,
    realized TEXT NOT NULL,
    fees TEXT NOT NULL,
    opened_at TEXT,
    opened_ns INTEGER,
    updated_at TEXT NOT NULL,
    updated_ns INTEGER NOT NULL,
    version INTEGER NOT NULL,
    product TEXT NOT NULL,
    PRIMARY KEY (account, symbol, product)
) STRICT;
