-- Version 1 of the tables. Never edited once released: a later version is a file of its own.

create table schema_version (
    version integer not null,
    -- The oldest version that a binary must know to use these tables.
    oldest_binary integer not null
) strict;

create table installation (
    owner text not null
) strict;

create table sync_state (
    id integer primary key,
    namespace text not null,
    name text not null,
    -- JSON: what is known of the Sync besides its rows.
    memo text not null,
    -- What state_segment must hold: a lost row is noticed by it.
    segment_count integer not null default 0,
    segment_rows integer not null default 0,
    -- Counts the takings of the run lock; every write names it.
    epoch integer not null default 0,
    -- JSON: who holds the lock; null when it is free.
    lock_holder text,
    lock_expires_at_ms integer,
    unique (namespace, name)
) strict;

create table state_segment (
    sync_id integer not null references sync_state (id),
    first_key blob not null,
    last_key blob not null,
    entry_count integer not null,
    codec integer not null,
    crc integer not null,
    data blob not null,
    primary key (sync_id, first_key),
    unique (sync_id, last_key)
) strict;

create table state_journal (
    sync_id integer not null references sync_state (id),
    seq integer not null,
    run_id text not null,
    first_key blob not null,
    last_key blob not null,
    entry_count integer not null,
    codec integer not null,
    crc integer not null,
    data blob not null,
    primary key (sync_id, seq)
) strict;

create table rejection (
    sync_id integer not null references sync_state (id),
    key blob not null,
    kind text not null,
    code text not null,
    field text,
    message text not null,
    fingerprint blob,
    attempts integer not null,
    first_seen_at text not null,
    last_seen_at text not null,
    due_run integer not null,
    parked integer not null,
    primary key (sync_id, key)
) strict, without rowid;

create table run (
    sync_id integer not null references sync_state (id),
    position integer not null,
    run_id text not null,
    -- JSON: the run's report.
    report text not null,
    primary key (sync_id, position),
    unique (sync_id, run_id)
) strict;
