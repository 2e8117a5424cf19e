//! A connection of one's own, inside one read-only transaction.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions, Connection, Row, ValueRef};
use tokio::time::timeout;

use super::error::{self, Place, Target};
use super::query::{self, Described, TextOrder};
use super::types;
use crate::model::Column;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::Model;

/// How long connecting may take, TLS and login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long we say goodbye before we just hang up.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a query may wait for a lock, such as that of a table which is being rebuilt.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server keeps the snapshot when it hears nothing from us.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// What we wait beyond the server's own time limit before we take it for gone.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// A connection whose transaction reads one snapshot.
pub(super) struct Client {
    connection: PgConnection,
    target: Target,
    text_order: TextOrder,
}

impl Client {
    /// Connects and begins the transaction.
    pub(super) async fn connect(
        options: &PgConnectOptions,
        target: &Target,
    ) -> Result<Self, SourceError> {
        let connecting: BoxFuture<'_, _> = Box::pin(options.connect());
        let connection = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|err| error::of_connecting(err, target))?,
            Err(_) => return Err(error::no_answer(target, CONNECT_TIMEOUT)),
        };
        let text_order = TextOrder::Bytes;
        let mut client = Self { connection, target: target.clone(), text_order };
        let rows = client.fetch(begin(target.statement_timeout), None).await?;
        let encoding = rows.last().and_then(|row| text(row, 0)).unwrap_or("UTF8");
        client.text_order = TextOrder::of_encoding(encoding);
        Ok(client)
    }

    pub(super) fn text_order(&self) -> TextOrder {
        self.text_order
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Runs statements by the simple protocol and returns their rows, all as text.
    pub(super) async fn fetch(
        &mut self,
        sql: String,
        place: Option<Place<'_>>,
    ) -> Result<Vec<PgRow>, SourceError> {
        let patience = self.target.statement_timeout + GRACE;
        let running = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        match timeout(patience, running).await {
            Ok(rows) => rows.map_err(|err| error::of_query(err, &self.target, place)),
            Err(_) => Err(error::no_answer(&self.target, patience)),
        }
    }

    /// Returns the columns of a select, without running it.
    pub(super) async fn describe(
        &mut self,
        model: &Model,
        select: &str,
    ) -> Result<Vec<Described>, SourceError> {
        let query = query::describe(select);
        let place = Place { model, prefix_chars: query.prefix_chars };
        let rows = self.fetch(query.sql, Some(place)).await?;
        let columns: Vec<(String, u32)> = rows
            .iter()
            .flat_map(Row::columns)
            .map(|c| (c.name().to_owned(), c.type_info().oid().map_or(0, |oid| oid.0)))
            .collect();
        if columns.is_empty() {
            let message = "the model returns no columns";
            return Err(SourceError::new(SourceErrorKind::InvalidQuery, message));
        }
        let described = self.with_types(columns).await?;
        query::check_names(&described)?;
        Ok(described)
    }

    /// Returns the time at which the transaction began, in unix microseconds.
    pub(super) async fn now_micros(&mut self) -> Result<i64, SourceError> {
        let rows = self.fetch(query::now(), None).await?;
        let now = rows.first().and_then(|row| text(row, 0)).and_then(|text| text.parse().ok());
        now.ok_or_else(|| SourceError::new(SourceErrorKind::Internal, "PostgreSQL told no time"))
    }

    async fn with_types(
        &mut self,
        columns: Vec<(String, u32)>,
    ) -> Result<Vec<Described>, SourceError> {
        let unusual: Vec<u32> = columns
            .iter()
            .map(|(_, oid)| *oid)
            .filter(|oid| types::built_in(*oid).is_none())
            .collect();
        let catalog = match unusual.is_empty() {
            true => Vec::new(),
            false => self.fetch(query::describe_types(&unusual), None).await?,
        };
        let describe = |(name, oid): (String, u32)| {
            let (type_name, reading) = match types::built_in(oid) {
                Some((type_name, reading)) => (type_name.to_owned(), reading),
                None => of_catalog(&catalog, oid),
            };
            Described { column: Column { name, kind: reading.kind, type_name }, reading }
        };
        Ok(columns.into_iter().map(describe).collect())
    }

    /// Ends the transaction and the connection, politely where the server listens.
    pub(super) async fn close(self) {
        // Nothing was written, so nothing can be lost.
        let _ = timeout(CLOSE_TIMEOUT, self.connection.close()).await;
    }
}

/// Settings are made by `set local`, which works behind PgBouncer, unlike start-up options. The
/// text forms of types are part of what a row is, so whatever decides them is set here.
fn begin(statement_timeout: Duration) -> String {
    format!(
        "begin isolation level repeatable read read only; \
         set local statement_timeout = {}; \
         set local lock_timeout = {}; \
         set local idle_in_transaction_session_timeout = {}; \
         set local timezone = 'UTC'; \
         set local datestyle = 'ISO, YMD'; \
         set local intervalstyle = 'iso_8601'; \
         set local bytea_output = 'hex'; \
         set local extra_float_digits = 1; \
         set local xmloption = 'content'; \
         set local client_min_messages = 'error'; \
         select pg_catalog.set_config(name, '2000', true) from pg_catalog.pg_settings \
         where name = 'client_connection_check_interval' and pg_catalog.version() like '%linux%'; \
         select pg_catalog.current_setting('server_encoding')",
        statement_timeout.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_TIMEOUT.as_millis(),
    )
}

fn of_catalog(catalog: &[PgRow], oid: u32) -> (String, types::Reading) {
    let oid = oid.to_string();
    let row = catalog.iter().find(|row| text(row, 0) == Some(oid.as_str()));
    let column = |index| row.and_then(|row| text(row, index)).unwrap_or_default();
    (column(1).to_owned(), types::of_catalog(column(2), column(3), column(4)))
}

/// Returns a cell of a row that came by the simple protocol.
fn text(row: &PgRow, index: usize) -> Option<&str> {
    let value = row.try_get_raw(index).ok()?;
    if value.is_null() { None } else { value.as_str().ok() }
}
