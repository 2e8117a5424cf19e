//! The rows of one query, decoded as they arrive.
//!
//! They come by `copy` in its binary form: the same bytes as those of a query's rows, without the
//! bookkeeping of a driver that doesn't know what is done with them, which costs as much again.

use futures_util::TryStreamExt;
use tokio::time::{Instant, timeout_at};

use super::client::{Client, GRACE};
use super::copy::{Tuple, Tuples};
use super::decode::{self, Codec, Malformed};
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
    let mut messages = client.connection().copy_out_raw(&query.sql).await.map_err(failed)?;
    let mut tuples = Tuples::new(codecs.len());
    let mut batch = sink.batch();
    while let Some(message) = messages.try_next().await.map_err(failed)? {
        tuples
            .read(&message, |tuple| push_row(tuple, &codecs, &mut batch))
            .map_err(|strange| malformed(&columns, strange))?;
        if batch.is_full() {
            sink.send(batch).await?;
            batch = sink.batch();
        }
    }
    if !tuples.has_ended() {
        return Err(malformed(&columns, Strange::Row));
    }
    if !batch.is_empty() {
        sink.send(batch).await?;
    }
    Ok(())
}

/// What the server sent and had not announced.
enum Strange {
    /// A field of the column with this index.
    Field(usize),
    /// What stands around the fields.
    Row,
}

impl From<Malformed> for Strange {
    fn from(_: Malformed) -> Self {
        Self::Row
    }
}

/// Appends a row.
fn push_row(tuple: Tuple<'_>, codecs: &[Codec], batch: &mut RowBatch) -> Result<(), Strange> {
    for (index, (codec, field)) in codecs.iter().zip(tuple.fields()).enumerate() {
        match field {
            None => batch.push(Value::Null),
            Some(bytes) => {
                decode::push(*codec, bytes, batch).map_err(|_| Strange::Field(index))?;
            }
        }
    }
    Ok(())
}

fn malformed(columns: &[Column], strange: Strange) -> SourceError {
    let column = match strange {
        Strange::Field(index) => columns.get(index),
        Strange::Row => None,
    };
    let message = match column {
        Some(Column { name, type_name, .. }) => {
            format!("PostgreSQL sent bytes in column `{name}` that are no {type_name}")
        }
        None => "PostgreSQL sent rows in a form that can't be read".to_owned(),
    };
    SourceError::new(SourceErrorKind::Internal, message)
}
