-- Positions by product, empty for accounts without products. Whoever opens an account makes its rows again.

ALTER TABLE IF EXISTS orders ADD COLUMN IF NOT EXISTS product text NOT NULL DEFAULT '';
ALTER TABLE IF EXISTS fills ADD COLUMN IF NOT EXISTS product text NOT NULL DEFAULT '';
ALTER TABLE IF EXISTS positions ADD COLUMN IF NOT EXISTS product text NOT NULL DEFAULT '';
ALTER TABLE IF EXISTS positions DROP CONSTRAINT IF EXISTS positions_pkey;
ALTER TABLE IF EXISTS positions ADD CONSTRAINT positions_pkey PRIMARY KEY (account, symbol, product);
