-- History as tables, for queries of other programs: written in the transaction of the events they come from.
-- Made from the description in adapters/tables.py; what the columns mean is in docs/reference/sql-tables.md.

CREATE TABLE orders (
    account TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    client_order_id TEXT,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    type TEXT NOT NULL,
    quantity TEXT NOT NULL,
    notional TEXT,
    limit_price TEXT,
    stop_price TEXT,
    time_in_force TEXT NOT NULL,
    expires_at TEXT,
    expires_ns INTEGER,
    post_only INTEGER NOT NULL,
    reduce_only INTEGER NOT NULL,
    linked_order_id TEXT,
    strategy TEXT,
    tags TEXT NOT NULL,
    status TEXT NOT NULL,
    filled_quantity TEXT NOT NULL,
    remaining_quantity TEXT NOT NULL,
    canceled_quantity TEXT NOT NULL,
    average_price TEXT,
    value TEXT NOT NULL,
    fees TEXT NOT NULL,
    hold TEXT NOT NULL,
    reason TEXT,
    placed_at TEXT NOT NULL,
    placed_ns INTEGER NOT NULL,
    triggered_at TEXT,
    triggered_ns INTEGER,
    updated_at TEXT NOT NULL,
    updated_ns INTEGER NOT NULL,
    version INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (account, number)
) STRICT;
CREATE INDEX orders_by_time ON orders (account, placed_ns, number);
CREATE INDEX orders_by_status ON orders (account, status, placed_ns, number);
CREATE INDEX orders_by_symbol ON orders (account, symbol, placed_ns, number);
CREATE INDEX orders_by_strategy ON orders (account, strategy, placed_ns, number) WHERE strategy IS NOT NULL;

CREATE TABLE fills (
    account TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    order_number INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    quantity TEXT NOT NULL,
    price TEXT NOT NULL,
    value TEXT NOT NULL,
    fee TEXT NOT NULL,
    realized TEXT NOT NULL,
    role TEXT NOT NULL,
    rule TEXT NOT NULL,
    filled_at TEXT NOT NULL,
    filled_ns INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account, filled_ns, version)
) STRICT;
CREATE INDEX fills_by_symbol ON fills (account, symbol, filled_ns, version);
CREATE INDEX fills_by_order ON fills (account, order_id, filled_ns, version);

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
    PRIMARY KEY (account, symbol)
) STRICT;

CREATE TABLE entries (
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    line INTEGER NOT NULL,
    at TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    ledger_account TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (account, at_ns, version, line)
) STRICT;

CREATE TABLE wallets (
    account TEXT NOT NULL,
    since_version INTEGER NOT NULL,
    day TEXT,
    opened_at TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    opening_equity TEXT,
    cash TEXT NOT NULL,
    held TEXT NOT NULL,
    deposits TEXT NOT NULL,
    withdrawals TEXT NOT NULL,
    realized TEXT NOT NULL,
    fees TEXT NOT NULL,
    fills INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    updated_ns INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account, since_version)
) STRICT;

CREATE TABLE equity_points (
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    equity TEXT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (account, at_ns, version)
) STRICT;

-- Up to which version the tables of an account are kept, and by which form of rows.
CREATE TABLE tabled (
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    form INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;
