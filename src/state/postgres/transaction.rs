//! A transaction whose connection is closed, not reused, when the work on it is dropped half-way.
//!
//! sqlx up to 0.9.0 gives a connection back to its pool inside an open transaction when `begin` is
//! dropped while it waits; whatever is written on it next is never committed. Goes when sqlx is
//! past that: <https://github.com/transact-rs/sqlx/issues/4393>

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};

/// An open transaction.
pub(super) struct Transaction {
    connection: PoolConnection<Postgres>,
    is_ended: bool,
}

impl Transaction {
    /// Begins a transaction on a connection of the pool.
    pub(super) async fn begin(pool: &PgPool) -> sqlx::Result<Self> {
        let mut transaction = Self { connection: pool.acquire().await?, is_ended: false };
        transaction.execute("begin").await?;
        Ok(transaction)
    }

    /// Returns the connection, to work in the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Makes what was written last. When this is dropped half-way, it may have been or not.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        self.execute("commit").await?;
        self.is_ended = true;
        Ok(())
    }

    /// Takes back what was written, and keeps the connection.
    pub(super) async fn rollback(mut self) -> sqlx::Result<()> {
        self.execute("rollback").await?;
        self.is_ended = true;
        Ok(())
    }

    async fn execute(&mut self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(self.connection()).await.map(drop)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.is_ended {
            self.connection.close_on_drop();
        }
    }
}
