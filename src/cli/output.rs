//! The way out: data to standard output, words about it to standard error.
//!
//! A reader that went away (`ciosync get runs | head`) is no error: it has what it wanted.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::Context as _;
use serde::Serialize;

use super::exit::Exit;
use crate::state::StateError;

/// Prints text to standard output and flushes it; colours are left out where it is no terminal.
///
/// # Errors
/// Where it can't be written, but for a reader that went away.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    unless_closed(written).map(drop)
}

/// Prints `value` as JSON with line breaks.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("can't be written as JSON")?;
    text.push('\n');
    print(&text)
}

/// Says something on standard error. Where that is closed, nobody wants to hear it.
pub fn note(text: impl Display) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Says on standard error why what was typed can't be meant, and returns the exit for it.
pub fn refuse(complaint: impl Display) -> Exit {
    note(format_args!("error: {complaint:#}"));
    Exit::InvalidInput
}

/// Returns the error with what to do next on a line of its own.
pub fn explained(err: StateError) -> anyhow::Error {
    match err.hint() {
        Some(hint) => anyhow::anyhow!("{err}\nhint: {hint}"),
        None => err.into(),
    }
}

/// A JSON array that is printed element by element, so that it may be longer than memory.
pub struct JsonList {
    stdout: BufWriter<io::Stdout>,
    is_empty: bool,
    is_open: bool,
}

impl JsonList {
    /// Begins the array. Nothing is printed before it is [ended](Self::end) or has grown.
    pub fn begin() -> Self {
        Self { stdout: BufWriter::new(io::stdout()), is_empty: true, is_open: true }
    }

    /// Prints one element; returns whether there is still somebody who reads.
    ///
    /// # Errors
    /// As [`print`].
    pub fn push(&mut self, element: &impl Serialize) -> anyhow::Result<bool> {
        let text = serde_json::to_string_pretty(element).context("can't be written as JSON")?;
        let start = if self.is_empty { "[\n  " } else { ",\n  " };
        self.is_empty = false;
        self.write(&format!("{start}{}", text.replace('\n', "\n  ")))?;
        Ok(self.is_open)
    }

    /// Ends the array.
    ///
    /// # Errors
    /// As [`print`].
    pub fn end(mut self) -> anyhow::Result<()> {
        self.write(if self.is_empty { "[]\n" } else { "\n]\n" })?;
        if self.is_open {
            unless_closed(self.stdout.flush())?;
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        if self.is_open {
            self.is_open = unless_closed(self.stdout.write_all(text.as_bytes()))?;
        }
        Ok(())
    }
}

/// Returns whether there is still somebody who reads.
fn unless_closed(written: io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(err) => Err(err).context("standard output can't be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        assert!(!unless_closed(Err(ErrorKind::BrokenPipe.into())).unwrap());
        assert!(unless_closed(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
