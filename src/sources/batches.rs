//! A read that owns its connection: a future that fills batches, driven only while somebody waits
//! for the next one, so that dropping the stream drops the connection and with it the query.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::error::{SourceError, SourceErrorKind};
use super::source::RowStream;
use crate::model::{Column, RowBatch};

/// Batches that wait between the two ends. One is enough: both ends run in one task.
const BATCHES_READY_MAX: usize = 1;

/// Where a read puts its batches.
pub(super) struct BatchSink {
    filled: mpsc::Sender<RowBatch>,
    used: mpsc::Receiver<RowBatch>,
    width: usize,
}

impl BatchSink {
    /// Returns an empty batch for rows of the stream's width.
    pub(super) fn batch(&mut self) -> RowBatch {
        let mut batch = self.used.try_recv().unwrap_or_else(|_| RowBatch::new(self.width));
        batch.reset(self.width);
        batch
    }

    /// Hands a batch over once the one before was taken.
    ///
    /// # Errors
    /// Where the stream is gone, which only happens to a read that nobody drives any more.
    pub(super) async fn send(&self, batch: RowBatch) -> Result<(), SourceError> {
        let gone = |_| SourceError::new(SourceErrorKind::Internal, "the rows have no reader");
        self.filled.send(batch).await.map_err(gone)
    }
}

/// A row stream fed by a future.
pub(super) struct BatchStream {
    columns: Vec<Column>,
    clock: Option<i64>,
    filled: mpsc::Receiver<RowBatch>,
    used: mpsc::Sender<RowBatch>,
    read: Read,
}

enum Read {
    Running(BoxFuture<'static, Result<(), SourceError>>),
    Ended,
    Failed,
}

impl BatchStream {
    /// Returns the stream of rows of `columns` that the future made by `read` puts into its sink.
    /// The read ended well when that future returned `Ok`.
    pub(super) fn new<F>(columns: Vec<Column>, read: impl FnOnce(BatchSink) -> F) -> Self
    where
        F: Future<Output = Result<(), SourceError>> + Send + 'static,
    {
        let (fill, filled) = mpsc::channel(BATCHES_READY_MAX);
        let (used, reuse) = mpsc::channel(BATCHES_READY_MAX + 1);
        let sink = BatchSink { filled: fill, used: reuse, width: columns.len() };
        Self { columns, clock: None, filled, used, read: Read::Running(Box::pin(read(sink))) }
    }

    /// Returns the stream with the warehouse's now, in unix microseconds.
    pub(super) fn with_clock(mut self, clock: Option<i64>) -> Self {
        self.clock = clock;
        self
    }

    fn replace(&self, batch: &mut RowBatch, mut next: RowBatch) {
        std::mem::swap(batch, &mut next);
        // Without room the used batch is simply dropped.
        let _ = self.used.try_send(next);
    }
}

#[async_trait]
impl RowStream for BatchStream {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn clock(&self) -> Option<i64> {
        self.clock
    }

    async fn next(&mut self, batch: &mut RowBatch) -> Result<(), SourceError> {
        let read = match &mut self.read {
            Read::Running(read) => read,
            Read::Ended => {
                batch.reset(self.columns.len());
                if let Ok(next) = self.filled.try_recv() {
                    self.replace(batch, next);
                }
                return Ok(());
            }
            Read::Failed => {
                let message = "the read was used after it had failed";
                return Err(SourceError::new(SourceErrorKind::Internal, message));
            }
        };
        let ended = tokio::select! {
            biased;
            Some(next) = self.filled.recv() => {
                self.replace(batch, next);
                return Ok(());
            }
            ended = read => ended,
        };
        if let Err(error) = ended {
            self.read = Read::Failed;
            return Err(error);
        }
        self.read = Read::Ended;
        batch.reset(self.columns.len());
        if let Ok(next) = self.filled.try_recv() {
            self.replace(batch, next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Value, ValueKind};

    fn stream_of(batches: usize, end: Result<(), SourceErrorKind>) -> BatchStream {
        let column =
            Column { name: "a".into(), kind: ValueKind::Integer, type_name: "int8".into() };
        BatchStream::new(vec![column], move |mut sink| async move {
            for index in 0..batches {
                let mut batch = sink.batch();
                batch.push(Value::Int(index as i64));
                sink.send(batch).await?;
                tokio::task::yield_now().await;
            }
            end.map_err(|kind| SourceError::new(kind, "broke"))
        })
    }

    #[tokio::test]
    async fn every_batch_arrives_before_the_empty_one_that_ends_the_read() {
        for count in 0..5 {
            let mut stream = stream_of(count, Ok(()));
            let mut batch = RowBatch::new(1);
            for index in 0..count {
                stream.next(&mut batch).await.unwrap();
                assert_eq!(batch.row(0).unwrap().value(0), Value::Int(index as i64));
            }
            for _ in 0..2 {
                stream.next(&mut batch).await.unwrap();
                assert!(batch.is_empty());
            }
        }
    }

    #[tokio::test]
    async fn a_read_that_broke_never_looks_like_one_that_ended() {
        let mut stream = stream_of(2, Err(SourceErrorKind::Unreachable));
        let mut batch = RowBatch::new(1);

        let mut outcomes = Vec::new();
        for _ in 0..4 {
            let outcome = stream.next(&mut batch).await;
            outcomes.push(outcome.map(|()| batch.is_empty()).map_err(|error| error.kind));
        }

        assert!(!outcomes.contains(&Ok(true)), "{outcomes:?}");
        assert!(outcomes.contains(&Err(SourceErrorKind::Unreachable)), "{outcomes:?}");
        assert_eq!(outcomes.last(), Some(&Err(SourceErrorKind::Internal)));
    }
}
