-- Version 1 of the tables. Never edited once released: a later version is a file of its own.

create table schema_version (
    version bigint not null,
    -- The oldest version that a binary must know to use these tables.
    oldest_binary bigint not null
);

create table installation (
    owner text collate "C" not null
);

create table sync_state (
    id bigint generated always as identity primary key,
    namespace text collate "C" not null,
    name text collate "C" not null,
    -- JSON: what is known of the Sync besides its rows.
    memo text not null,
    -- What state_segment must hold: a lost row is noticed by it.
    segment_count bigint not null default 0,
    segment_rows bigint not null default 0,
    -- Counts the takings of the run lock; every write names it.
    epoch bigint not null default 0,
    -- JSON: who holds the lock; null when it is free.
    lock_holder text,
    lock_expires_at_ms bigint,
    unique (namespace, name)
);

create table state_segment (
    sync_id bigint not null references sync_state (id),
    first_key bytea not null,
    last_key bytea not null,
    entry_count bigint not null,
    codec bigint not null,
    crc bigint not null,
    data bytea not null,
    primary key (sync_id, first_key),
    unique (sync_id, last_key)
);

create table state_journal (
    sync_id bigint not null references sync_state (id),
    seq bigint not null,
    run_id text collate "C" not null,
    first_key bytea not null,
    last_key bytea not null,
    entry_count bigint not null,
    codec bigint not null,
    crc bigint not null,
    data bytea not null,
    primary key (sync_id, seq)
);

create table rejection (
    sync_id bigint not null references sync_state (id),
    key bytea not null,
    kind text collate "C" not null,
    code text collate "C" not null,
    field text,
    message text not null,
    fingerprint bytea,
    attempts bigint not null,
    first_seen_at text collate "C" not null,
    last_seen_at text collate "C" not null,
    due_run bigint not null,
    parked boolean not null,
    primary key (sync_id, key)
);

create table run (
    sync_id bigint not null references sync_state (id),
    position bigint not null,
    run_id text collate "C" not null,
    -- JSON: the run's report.
    report text not null,
    primary key (sync_id, position),
    unique (sync_id, run_id)
);

-- What is in `data` is dense already: compressing it costs time and saves nothing.
alter table state_segment alter column data set storage external;
alter table state_journal alter column data set storage external;
