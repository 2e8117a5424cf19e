-- Version 2 of the tables: what an operator remembers. Never edited once released.

-- What was asked of a Sync by annotation: the newest of each kind. It may stand here before
-- anything else is known of the Sync.
create table request (
    namespace text not null,
    name text not null,
    kind text not null,
    token text not null,
    handled integer not null,
    seen_at text not null,
    primary key (namespace, name, kind)
) strict, without rowid;

-- When each Sync was last seen in the cluster.
create table sync_seen (
    namespace text not null,
    name text not null,
    seen_at_ms integer not null,
    primary key (namespace, name)
) strict, without rowid;

-- One row: no lock of a Sync that is new here has an epoch up to this one. The rows of Syncs that
-- were forgotten are gone, and processes that once held their locks may still be asleep.
create table epoch_floor (
    epoch integer not null
) strict;

insert into epoch_floor (epoch) values (0);
