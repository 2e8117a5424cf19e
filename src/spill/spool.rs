//! A queue of records between two tasks: the writer never waits for the reader.
//!
//! Records travel in chunks. Chunks wait in memory up to a limit, and beyond it in a temporary file,
//! until they are read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::SpillError;

/// What the spool holds in memory unless its owner has a reason for another figure.
pub const MEMORY_BYTES_DEFAULT: usize = 4 * 1024 * 1024;

/// Size at which a chunk is handed over: a disk write worth its call, and little to hold twice.
const CHUNK_BYTES: usize = 256 * 1024;

/// Size at which a chunk is handed over to a reader that waits for it.
const CHUNK_BYTES_AWAITED: usize = 16 * 1024;

/// Bytes before each record in a chunk: its length.
const HEADER_BYTES: usize = 4;

/// Returns the two ends of a new spool. What is not read yet waits in memory, up to
/// `memory_bytes_max`, and beyond it in an unnamed file in `directory`, made when it is needed.
pub fn spool(directory: impl Into<PathBuf>, memory_bytes_max: usize) -> (SpoolWriter, SpoolReader) {
    let shared = Arc::new(Shared {
        directory: directory.into(),
        state: Mutex::new(State { chunks: VecDeque::new(), end: End::Open }),
        memory_bytes_left: AtomicUsize::new(memory_bytes_max),
        changed: Notify::new(),
        reader_waits: AtomicBool::new(false),
        reader_gone: AtomicBool::new(false),
    });
    let writer = SpoolWriter {
        shared: Arc::clone(&shared),
        chunk: Vec::new(),
        file: None,
        file_bytes: 0,
        writing: false,
    };
    (writer, SpoolReader { shared, chunk: Bytes::new(), at: 0 })
}

struct Shared {
    directory: PathBuf,
    state: Mutex<State>,
    /// Taken by the writer, given back by the reader.
    memory_bytes_left: AtomicUsize,
    /// Told whenever a chunk or the end was added. There is one reader, so a stored permit is
    /// enough to lose no wake-up.
    changed: Notify,
    reader_waits: AtomicBool,
    reader_gone: AtomicBool,
}

struct State {
    /// Those that were not read yet.
    chunks: VecDeque<Chunk>,
    end: End,
}

/// Records with their lengths before them.
#[derive(Clone)]
enum Chunk {
    Memory(Bytes),
    File { file: Arc<Mutex<File>>, offset: u64, len: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    Open,
    /// The writer said that this was all.
    Finished,
    /// The writer failed or was dropped.
    Broken,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and the state is whole between any two lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        if state.end == End::Open {
            state.end = end;
        }
        drop(state);
        self.changed.notify_one();
    }

    fn error(&self, source: io::Error) -> SpillError {
        SpillError::io(&self.directory, source)
    }
}

/// The writing end of a spool. Dropped without [`SpoolWriter::finish`], it is an error for the
/// reader, so that a broken plan is never taken for a complete one.
pub struct SpoolWriter {
    shared: Arc<Shared>,
    chunk: Vec<u8>,
    file: Option<Arc<Mutex<File>>>,
    file_bytes: u64,
    /// Set while a chunk is on its way to the file: if it is still set later, that was given up.
    writing: bool,
}

impl SpoolWriter {
    /// Adds a record. Waits for the disk at most, never for the reader.
    ///
    /// Dropped before it is done, the spool is broken: no later call succeeds.
    ///
    /// # Errors
    /// Where the temporary file can't be made or written, or the reader is gone.
    pub async fn push(&mut self, record: &[u8]) -> Result<(), SpillError> {
        self.put(record)?;
        if self.is_due() { self.flush().await } else { Ok(()) }
    }

    /// Adds a record without waiting; [`SpoolWriter::flush`] must follow once it
    /// [`is_due`](SpoolWriter::is_due).
    ///
    /// # Errors
    /// Where the record is over 4 GiB.
    pub fn put(&mut self, record: &[u8]) -> Result<(), SpillError> {
        let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "a record is over 4 GiB");
        let len = u32::try_from(record.len()).map_err(|_| self.shared.error(too_large()))?;
        self.chunk.extend_from_slice(&len.to_le_bytes());
        self.chunk.extend_from_slice(record);
        Ok(())
    }

    /// Returns whether enough was added to be made readable.
    pub fn is_due(&self) -> bool {
        self.chunk.len() >= CHUNK_BYTES
            || (self.chunk.len() >= CHUNK_BYTES_AWAITED && self.reader_waits())
    }

    /// Returns whether the reader has nothing to read: then [`SpoolWriter::flush`] hands it what
    /// was pushed so far, however little.
    pub fn reader_waits(&self) -> bool {
        self.shared.reader_waits.load(Ordering::Relaxed)
    }

    /// Makes all that was pushed readable now.
    ///
    /// # Errors
    /// As [`SpoolWriter::push`].
    pub async fn flush(&mut self) -> Result<(), SpillError> {
        if self.writing {
            return Err(SpillError::Unfinished);
        }
        if self.shared.reader_gone.load(Ordering::Relaxed) {
            return Err(SpillError::Closed);
        }
        if self.chunk.is_empty() {
            return Ok(());
        }
        let len = self.chunk.len();
        let memory = &self.shared.memory_bytes_left;
        let taken =
            memory.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(len));
        let chunk = if taken.is_ok() {
            let exact = Bytes::copy_from_slice(&self.chunk);
            self.chunk.clear();
            Chunk::Memory(exact)
        } else {
            self.write_to_file().await.inspect_err(|_| self.shared.end(End::Broken))?
        };
        self.shared.state().chunks.push_back(chunk);
        self.shared.reader_waits.store(false, Ordering::Relaxed);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Makes all readable and says that it was all.
    ///
    /// # Errors
    /// As [`SpoolWriter::push`]; the reader then sees a broken spool.
    pub async fn finish(mut self) -> Result<(), SpillError> {
        self.flush().await?;
        self.shared.end(End::Finished);
        Ok(())
    }

    async fn write_to_file(&mut self) -> Result<Chunk, SpillError> {
        self.writing = true;
        let bytes = std::mem::take(&mut self.chunk);
        let file = self.file.take();
        let offset = self.file_bytes;
        let shared = Arc::clone(&self.shared);
        let written = spawn_blocking(move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(Mutex::new(tempfile::tempfile_in(&shared.directory)?)),
            };
            write_at(&file, offset, &bytes)?;
            Ok((file, bytes))
        });
        let (file, mut bytes) = flatten(written.await).map_err(|e| self.shared.error(e))?;
        let len = bytes.len();
        self.file_bytes += len as u64;
        self.file = Some(Arc::clone(&file));
        bytes.clear();
        self.chunk = bytes;
        self.writing = false;
        Ok(Chunk::File { file, offset, len })
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        self.shared.end(End::Broken);
    }
}

/// The reading end of a spool.
pub struct SpoolReader {
    shared: Arc<Shared>,
    chunk: Bytes,
    at: usize,
}

impl SpoolReader {
    /// Returns the next record, waiting for the writer; `None` once the writer finished and all
    /// was read. Dropped while it waits, nothing is lost.
    ///
    /// # Errors
    /// Where the temporary file can't be read, or the writer ended without finishing.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, SpillError> {
        while self.at >= self.chunk.len() {
            match self.chunk_after().await? {
                Some(chunk) => {
                    self.chunk = chunk;
                    self.at = 0;
                }
                None => return Ok(None),
            }
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let record = rest.split_first_chunk::<HEADER_BYTES>().and_then(|(len, rest)| {
            let len = u32::from_le_bytes(*len) as usize;
            self.at += HEADER_BYTES + len;
            rest.get(..len)
        });
        match record {
            Some(record) => Ok(Some(record)),
            None => Err(self.shared.error(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    /// Returns whether nothing can be read right now, be it that the writer is behind or done.
    pub fn is_momentarily_empty(&self) -> bool {
        self.at >= self.chunk.len() && self.shared.state().chunks.is_empty()
    }

    async fn chunk_after(&self) -> Result<Option<Bytes>, SpillError> {
        loop {
            match self.look() {
                Look::Chunk(Chunk::Memory(bytes)) => return Ok(Some(bytes)),
                Look::Chunk(Chunk::File { file, offset, len }) => {
                    let read = spawn_blocking(move || read_at(&file, offset, len));
                    let bytes = flatten(read.await).map_err(|e| self.shared.error(e))?;
                    // Not before: dropped while it waits, the chunk is read next time.
                    self.shared.state().chunks.pop_front();
                    return Ok(Some(bytes.into()));
                }
                Look::End => return Ok(None),
                Look::Broken => return Err(SpillError::Unfinished),
                Look::Wait => self.shared.changed.notified().await,
            }
        }
    }

    fn look(&self) -> Look {
        let mut state = self.shared.state();
        match (state.chunks.front(), state.end) {
            (Some(chunk @ Chunk::File { .. }), _) => Look::Chunk(chunk.clone()),
            (Some(chunk @ Chunk::Memory(bytes)), _) => {
                self.shared.memory_bytes_left.fetch_add(bytes.len(), Ordering::Relaxed);
                let look = Look::Chunk(chunk.clone());
                state.chunks.pop_front();
                look
            }
            (None, End::Finished) => Look::End,
            (None, End::Broken) => Look::Broken,
            (None, End::Open) => {
                self.shared.reader_waits.store(true, Ordering::Relaxed);
                Look::Wait
            }
        }
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        self.shared.reader_gone.store(true, Ordering::Relaxed);
    }
}

/// What the reader finds behind its last chunk.
enum Look {
    Chunk(Chunk),
    Wait,
    End,
    Broken,
}

fn write_at(file: &Mutex<File>, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

fn read_at(file: &Mutex<File>, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A blocking call that never came back (the runtime shuts down) is an error of the file.
fn flatten<T>(joined: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    joined.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests;
