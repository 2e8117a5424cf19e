//! Reading beside planning: one task takes rows from the source while the other compares them.

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::model::RowBatch;
use crate::sources::error::SourceErrorKind;
use crate::sources::{RowStream, SourceError};

/// Batches between the two tasks: one that is filled, one on the way, one that is read.
const BATCHES: usize = 3;

/// A read that goes on in a task of its own. Dropping it ends the read.
pub struct RowReader {
    task: Option<AbortOnDropHandle<Result<(), SourceError>>>,
    filled: mpsc::Receiver<RowBatch>,
    empty: mpsc::Sender<RowBatch>,
}

impl RowReader {
    /// Starts reading `stream`.
    pub fn start(mut stream: Box<dyn RowStream>) -> Self {
        let (filled_sender, filled) = mpsc::channel(BATCHES);
        let (empty, mut empty_receiver) = mpsc::channel(BATCHES);
        for _ in 0..BATCHES {
            // Has room: the channel was made for as many.
            let _ = empty.try_send(RowBatch::new(0));
        }
        let task = tokio::spawn(async move {
            while let Some(mut batch) = empty_receiver.recv().await {
                batch.reset(stream.columns().len());
                stream.next(&mut batch).await?;
                if batch.is_empty() || filled_sender.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Self { task: Some(AbortOnDropHandle::new(task)), filled, empty }
    }

    /// Returns the next rows; `None` when the source was read to its end without error.
    ///
    /// # Errors
    /// Where the read broke.
    pub async fn next(&mut self) -> Result<Option<RowBatch>, SourceError> {
        if let Some(batch) = self.filled.recv().await {
            return Ok(Some(batch));
        }
        match self.task.take() {
            None => Ok(None),
            Some(task) => match task.await {
                Ok(ended) => ended.map(|()| None),
                Err(_) => Err(SourceError::new(
                    SourceErrorKind::Internal,
                    "the task that reads the source ended early",
                )),
            },
        }
    }

    /// Gives a batch back, to be filled again.
    pub fn give_back(&self, batch: RowBatch) {
        // The reader may be done already; then the batch is no longer needed.
        let _ = self.empty.try_send(batch);
    }
}
