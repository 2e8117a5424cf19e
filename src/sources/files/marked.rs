//! A file that a record of ours follows. A quote that is never closed takes all to the end of the
//! file for one cell, and the rows in it would look as if they had been removed; but it swallows
//! the mark too, and so it is noticed.

use std::fs::File;
use std::io::{self, Cursor, Read};

/// Content that no cell of a real file begins a row with.
const MARK: &[u8] = b"\x04end of file\x04";

/// Longest record that is read: a quote that is never closed must not fill the memory.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The bytes of a file, and behind them the mark.
pub(super) struct MarkedFile {
    file: File,
    mark: Option<Cursor<Vec<u8>>>,
    bytes_left: usize,
    ended_without_mark: bool,
}

impl MarkedFile {
    pub(super) fn new(file: File) -> Self {
        Self { file, mark: None, bytes_left: RECORD_BYTES_MAX, ended_without_mark: false }
    }

    /// Sets how many fields the mark has, as all records must have the same number.
    pub(super) fn mark_with_fields(&mut self, count: usize) {
        let mut mark = vec![b'\n'];
        mark.extend_from_slice(MARK);
        mark.resize(mark.len() + count.saturating_sub(1), b',');
        mark.push(b'\n');
        self.mark = Some(Cursor::new(mark));
    }

    /// Says that a record begins.
    pub(super) fn begin_record(&mut self) {
        self.bytes_left = RECORD_BYTES_MAX;
    }

    /// Returns whether the file ended within its header, before there was a mark to follow it.
    pub(super) fn ended_without_mark(&self) -> bool {
        self.ended_without_mark
    }
}

/// Returns whether a record with this first cell is the mark.
pub(super) fn is_mark(first: Option<&[u8]>) -> bool {
    first == Some(MARK)
}

impl Read for MarkedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes_left == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = match (self.file.read(buffer)?, &mut self.mark) {
            (0, Some(mark)) => mark.read(buffer)?,
            (0, None) => {
                self.ended_without_mark = true;
                0
            }
            (read, _) => read,
        };
        self.bytes_left = self.bytes_left.saturating_sub(read);
        Ok(read)
    }
}
