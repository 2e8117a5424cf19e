//! PostgreSQL: one plain streaming query in a read-only snapshot, on a connection of its own.
//!
//! Types that the decoder doesn't know by heart are cast to text or JSON by the server, in the query
//! that is wrapped around the person's own. Not a pool, no prepared statements: works behind
//! PgBouncer.

pub mod config;
pub mod spec;

mod client;
mod copy;
mod decode;
mod error;
mod query;
mod stream;
mod types;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;

pub use config::{Address, ClientIdentity, PostgresConfig, TlsConfig, TlsMode};

use self::client::Client;
use self::error::Target;
use super::error::SourceError;
use super::source::{Model, ReadRequest, RowStream, Source};
use crate::model::Column;

/// A PostgreSQL database that rows are read from. Connects anew for each call.
pub struct PostgresSource {
    options: PgConnectOptions,
    target: Target,
}

impl PostgresSource {
    /// Returns the source without connecting.
    ///
    /// # Errors
    /// Where the URL can't be read or asks for what isn't supported.
    pub fn new(config: PostgresConfig) -> Result<Self, SourceError> {
        let options = config::connect_options(&config)?;
        let target = Target::new(&options, config.statement_timeout);
        Ok(Self { options, target })
    }

    async fn connect(&self) -> Result<Client, SourceError> {
        Client::connect(&self.options, &self.target).await
    }
}

#[async_trait]
impl Source for PostgresSource {
    async fn probe(&self) -> Result<(), SourceError> {
        let mut client = self.connect().await?;
        client.fetch("select 1".to_owned(), None).await?;
        client.close().await;
        Ok(())
    }

    async fn describe(&self, model: &Model) -> Result<Vec<Column>, SourceError> {
        let select = query::select_of(model)?;
        let mut client = self.connect().await?;
        let columns = client.describe(model, &select).await?;
        client.close().await;
        Ok(columns.into_iter().map(|column| column.column).collect())
    }

    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError> {
        let select = query::select_of(&request.model)?;
        let mut client = self.connect().await?;
        let described = client.describe(&request.model, &select).await?;
        let plan = query::plan(request, &select, described, client.text_order())?;
        let clock = match &request.window {
            Some(_) => Some(client.now_micros().await?),
            None => None,
        };
        Ok(Box::new(stream::open(client, plan).with_clock(clock)))
    }
}
