//! The tables of each version, and the way from one to the next.

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};

use super::address::Address;
use super::transaction::Transaction;
use crate::state::columns::Failure;
use crate::state::schema::{Found, Migration, steps_from};

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, oldest_binary: 1, sql: include_str!("tables.sql") },
    Migration { version: 2, oldest_binary: 1, sql: include_str!("tables_2.sql") },
];

/// The half of the advisory lock's key that says what is locked: migrations of ciosync.
const ADVISORY_LOCK: i32 = 0x6369_6f73;

/// Returns what the schema holds; `None` where it isn't there or none of our tables is.
pub(super) async fn look(
    connection: &mut PgConnection,
    schema: &str,
) -> sqlx::Result<Option<Found>> {
    let (count,): (i64,) = sqlx::query_as(
        "select count(*) from pg_catalog.pg_tables
         where schemaname = $1 and tablename in ('schema_version', 'installation')",
    )
    .bind(schema)
    .fetch_one(&mut *connection)
    .await?;
    if count < 2 {
        return Ok(None);
    }
    let version: Option<(i64, i64)> =
        sqlx::query_as("select version, oldest_binary from schema_version")
            .fetch_optional(&mut *connection)
            .await?;
    let owner: Option<(String,)> =
        sqlx::query_as("select owner from installation").fetch_optional(connection).await?;
    Ok(version.map(|(version, oldest_binary)| Found {
        version,
        oldest_binary,
        owner: owner.map(|(owner,)| owner),
    }))
}

/// Brings the tables to this binary's version, one process at a time; makes the schema where it
/// is missing. `owner` is written into a store that has none yet; a newer store and another
/// owner's are left alone.
pub(super) async fn migrate(
    pool: &PgPool,
    address: &Address,
    owner: Option<&str>,
) -> Result<(), Failure> {
    let (schema, location) = (address.schema.as_str(), address.location.as_str());
    let mut transaction = Transaction::begin(pool).await?;
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2))")
        .bind(ADVISORY_LOCK)
        .bind(schema)
        .execute(transaction.connection())
        .await?;
    let version = match look(transaction.connection(), schema).await? {
        None => 0,
        Some(found) if found.is_older(location, owner)? => found.version,
        Some(_) => return Ok(transaction.rollback().await?),
    };
    if version == 0 {
        make_schema(transaction.connection(), schema).await?;
    }
    for step in steps_from(MIGRATIONS, version) {
        sqlx::raw_sql(step.sql).execute(transaction.connection()).await?;
        sqlx::query("delete from schema_version").execute(transaction.connection()).await?;
        sqlx::query("insert into schema_version (version, oldest_binary) values ($1, $2)")
            .bind(step.version)
            .bind(step.oldest_binary)
            .execute(transaction.connection())
            .await?;
    }
    if version == 0 {
        sqlx::query("insert into installation (owner) values ($1)")
            .bind(owner.unwrap_or_default())
            .execute(transaction.connection())
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Asks first: `create schema if not exists` demands the right to create even where it exists.
async fn make_schema(transaction: &mut PgConnection, schema: &str) -> sqlx::Result<()> {
    let found: Option<(String,)> =
        sqlx::query_as("select nspname::text from pg_catalog.pg_namespace where nspname = $1")
            .bind(schema)
            .fetch_optional(&mut *transaction)
            .await?;
    if found.is_none() {
        // The name was checked: it holds nothing that would need quotes.
        let sql = format!("create schema {schema}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(transaction).await?;
    }
    Ok(())
}
