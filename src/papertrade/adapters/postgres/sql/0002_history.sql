-- History as tables, for queries of other programs: written in the transaction of the events they come from.
-- Made from the description in adapters/tables.py; what the columns mean is in docs/reference/sql-tables.md.

CREATE TABLE orders (
    account text NOT NULL,
    number bigint NOT NULL,
    id text NOT NULL,
    client_order_id text,
    symbol text NOT NULL,
    side text NOT NULL,
    type text NOT NULL,
    quantity numeric NOT NULL,
    notional numeric,
    limit_price numeric,
    stop_price numeric,
    time_in_force text NOT NULL,
    expires_at timestamptz,
    expires_ns bigint,
    post_only boolean NOT NULL,
    reduce_only boolean NOT NULL,
    linked_order_id text,
    strategy text,
    tags jsonb NOT NULL,
    status text NOT NULL,
    filled_quantity numeric NOT NULL,
    remaining_quantity numeric NOT NULL,
    canceled_quantity numeric NOT NULL,
    average_price numeric,
    value numeric NOT NULL,
    fees numeric NOT NULL,
    hold numeric NOT NULL,
    reason text,
    placed_at timestamptz NOT NULL,
    placed_ns bigint NOT NULL,
    triggered_at timestamptz,
    triggered_ns bigint,
    updated_at timestamptz NOT NULL,
    updated_ns bigint NOT NULL,
    version bigint NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (account, number)
);
CREATE INDEX orders_by_time ON orders (account, placed_ns, number);
CREATE INDEX orders_by_status ON orders (account, status, placed_ns, number);
CREATE INDEX orders_by_symbol ON orders (account, symbol, placed_ns, number);
CREATE INDEX orders_by_strategy ON orders (account, strategy, placed_ns, number) WHERE strategy IS NOT NULL;

CREATE TABLE fills (
    account text NOT NULL,
    number bigint NOT NULL,
    id text NOT NULL,
    order_number bigint NOT NULL,
    order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    value numeric NOT NULL,
    fee numeric NOT NULL,
    realized numeric NOT NULL,
    role text NOT NULL,
    rule text NOT NULL,
    filled_at timestamptz NOT NULL,
    filled_ns bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account, filled_ns, version)
);
CREATE INDEX fills_by_symbol ON fills (account, symbol, filled_ns, version);
CREATE INDEX fills_by_order ON fills (account, order_id, filled_ns, version);

CREATE TABLE positions (
    account text NOT NULL,
    symbol text NOT NULL,
    quantity numeric NOT NULL,
    average_price numeric,
    cost numeric NOT NULL,
    realized numeric NOT NULL,
    fees numeric NOT NULL,
    opened_at timestamptz,
    opened_ns bigint,
    updated_at timestamptz NOT NULL,
    updated_ns bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account, symbol)
);

CREATE TABLE entries (
    account text NOT NULL,
    version bigint NOT NULL,
    line bigint NOT NULL,
    at timestamptz NOT NULL,
    at_ns bigint NOT NULL,
    kind text NOT NULL,
    ledger_account text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (account, at_ns, version, line)
);

CREATE TABLE wallets (
    account text NOT NULL,
    since_version bigint NOT NULL,
    day text,
    opened_at timestamptz NOT NULL,
    opened_ns bigint NOT NULL,
    opening_equity numeric,
    cash numeric NOT NULL,
    held numeric NOT NULL,
    deposits numeric NOT NULL,
    withdrawals numeric NOT NULL,
    realized numeric NOT NULL,
    fees numeric NOT NULL,
    fills bigint NOT NULL,
    orders bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_ns bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account, since_version)
);

CREATE TABLE equity_points (
    account text NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    at_ns bigint NOT NULL,
    equity numeric NOT NULL,
    cause text NOT NULL,
    PRIMARY KEY (account, at_ns, version)
);

-- Up to which version the tables of an account are kept, and by which form of rows.
CREATE TABLE tabled (
    account text NOT NULL,
    version bigint NOT NULL,
    form bigint NOT NULL,
    PRIMARY KEY (account)
);
