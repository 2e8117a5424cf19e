//! The tables of each version, and the way from one to the next.

use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::state::columns::Failure;
use crate::state::schema::{Found, Migration, steps_from};

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, oldest_binary: 1, sql: include_str!("tables.sql") },
    Migration { version: 2, oldest_binary: 1, sql: include_str!("tables_2.sql") },
];

/// What a database turns out to hold.
pub(super) enum Contents {
    /// No tables at all.
    Nothing,
    /// Tables, but none of ours.
    SomethingElse,
    /// A state.
    State(Found),
}

/// Looks at what the database holds. Changes nothing.
pub(super) async fn look(connection: &mut SqliteConnection) -> sqlx::Result<Contents> {
    let tables: Vec<(String,)> =
        sqlx::query_as("select name from sqlite_schema where type = 'table'")
            .fetch_all(&mut *connection)
            .await?;
    if tables.is_empty() {
        return Ok(Contents::Nothing);
    }
    if !["schema_version", "installation"].iter().all(|name| tables.iter().any(|t| t.0 == *name)) {
        return Ok(Contents::SomethingElse);
    }
    let version: Option<(i64, i64)> =
        sqlx::query_as("select version, oldest_binary from schema_version")
            .fetch_optional(&mut *connection)
            .await?;
    let owner: Option<(String,)> =
        sqlx::query_as("select owner from installation").fetch_optional(connection).await?;
    let Some((version, oldest_binary)) = version else { return Ok(Contents::SomethingElse) };
    Ok(Contents::State(Found { version, oldest_binary, owner: owner.map(|(owner,)| owner) }))
}

/// Brings the tables to this binary's version, one process at a time. `owner` is written into a
/// store that has none yet; a newer store and another owner's are left alone.
pub(super) async fn migrate(
    writer: &SqlitePool,
    location: &str,
    owner: Option<&str>,
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let version = match look(&mut transaction).await? {
        Contents::Nothing => 0,
        Contents::SomethingElse => return Err(super::file::not_ours(location).into()),
        Contents::State(found) if found.is_older(location, owner)? => found.version,
        Contents::State(_) => return Ok(()),
    };
    for step in steps_from(MIGRATIONS, version) {
        sqlx::raw_sql(step.sql).execute(&mut *transaction).await?;
        sqlx::raw_sql("delete from schema_version").execute(&mut *transaction).await?;
        sqlx::query("insert into schema_version (version, oldest_binary) values ($1, $2)")
            .bind(step.version)
            .bind(step.oldest_binary)
            .execute(&mut *transaction)
            .await?;
    }
    if version == 0 {
        sqlx::query("insert into installation (owner) values ($1)")
            .bind(owner.unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
