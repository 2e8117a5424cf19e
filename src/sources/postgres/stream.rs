//! The rows of one query, decoded as they arrive.

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row, ValueRef};
use tokio::time::{Instant, timeout_at};

use super::client::{Client, GRACE};
use super::decode::{self, Codec};
use super::error::{self, Place};
use super::query::Plan;
use crate::model::{Column, RowBatch, Value};
use crate::sources::batches::{BatchSink, BatchStream};
use crate::sources::error::{SourceError, SourceErrorKind};

/// Returns the rows of `plan`. The query starts with the first batch asked for; dropping the
/// stream drops the connection, which is all that stops a query at the server.
pub(super) fn open(client: Client, plan: Plan) -> BatchStream {
    let columns = plan.columns.clone();
    BatchStream::new(columns, move |sink| read(client, plan, sink))
}

async fn read(mut client: Client, plan: Plan, sink: BatchSink) -> Result<(), SourceError> {
    let patience = client.target().statement_timeout + GRACE;
    let reading = read_rows(&mut client, plan, sink);
    match timeout_at(Instant::now() + patience, reading).await {
        Ok(read) => read?,
        Err(_) => return Err(error::no_answer(client.target(), patience)),
    }
    client.close().await;
    Ok(())
}

async fn read_rows(
    client: &mut Client,
    plan: Plan,
    mut sink: BatchSink,
) -> Result<(), SourceError> {
    let Plan { query, model, columns, codecs } = plan;
    let target = client.target().clone();
    let failed = |err| {
        let place = Place { model: &model, prefix_chars: query.prefix_chars };
        error::of_query(err, &target, Some(place))
    };
    let statement = sqlx::query(AssertSqlSafe(query.sql.clone())).persistent(false);
    let mut rows = statement.fetch(client.connection());
    let mut batch = sink.batch();
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        push_row(&row, &codecs, &mut batch).map_err(|index| malformed(&columns, index))?;
        if batch.is_full() {
            sink.send(batch).await?;
            batch = sink.batch();
        }
    }
    if !batch.is_empty() {
        sink.send(batch).await?;
    }
    Ok(())
}

/// Appends a row; where the server sent what it did not announce, the index of the column.
fn push_row(row: &PgRow, codecs: &[Codec], batch: &mut RowBatch) -> Result<(), usize> {
    for (index, codec) in codecs.iter().enumerate() {
        let value = row.try_get_raw(index).map_err(|_| index)?;
        if value.is_null() {
            batch.push(Value::Null);
            continue;
        }
        let bytes = value.as_bytes().map_err(|_| index)?;
        decode::push(*codec, bytes, batch).map_err(|_| index)?;
    }
    Ok(())
}

fn malformed(columns: &[Column], index: usize) -> SourceError {
    let (name, type_name) =
        columns.get(index).map_or(("", ""), |column| (&column.name, &column.type_name));
    let message = format!("PostgreSQL sent bytes in column `{name}` that are no {type_name}");
    SourceError::new(SourceErrorKind::Internal, message)
}
