//! One CSV file: its header and its records, with file and line in every complaint.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::marked::{MarkedFile, RECORD_BYTES_MAX, is_mark};
use super::place::unreachable;
use crate::sources::columns::{self, listed};
use crate::sources::error::{SourceError, SourceErrorKind};

/// Bytes read from a file at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// What to do about a broken file.
const MEND: &str = "mend the file, or write it anew if it was cut off";

/// A file whose header was read.
pub(super) struct CsvFile {
    path: PathBuf,
    reader: Reader<MarkedFile>,
    /// Where the record before begins.
    line: u64,
    header: Vec<String>,
}

impl CsvFile {
    /// Opens a file and reads its header; a byte order mark before it is skipped.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(|err| unreachable(path, &err))?;
        let mut reader =
            ReaderBuilder::new().buffer_capacity(BUFFER_BYTES).from_reader(MarkedFile::new(file));
        let names = reader.byte_headers().map_err(|err| of_csv(&err, path, 1))?;
        let header: Vec<String> = names
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::to_owned))
            .collect::<Result<_, _>>()
            .map_err(|_| drift(path, "a column name in the header is not valid UTF-8"))?;
        if header.is_empty() {
            return Err(
                drift(path, "has no header line").with_hint("the first line must name the columns")
            );
        }
        let mut names: Vec<&str> = header.iter().map(String::as_str).collect();
        columns::check_names(&mut names).map_err(|err| {
            drift(path, err.message.replace("the model returns", "the header holds").as_str())
                .with_hint("give every column a name of its own")
        })?;
        reader.get_mut().mark_with_fields(header.len());
        Ok(Self { path: path.to_owned(), reader, line: 1, header })
    }

    /// Returns the names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Returns where each of `names` is.
    pub(super) fn indices(&self, names: &[String]) -> Result<Vec<usize>, SourceError> {
        let index = |name: &String| {
            let found = self.header.iter().position(|column| column == name);
            let given = self.header.iter().map(String::as_str);
            found.ok_or_else(|| columns::missing(name, given))
        };
        names.iter().map(index).collect()
    }

    /// Replaces `record` by the next one; `false` after the last.
    pub(super) fn next(&mut self, record: &mut ByteRecord) -> Result<bool, SourceError> {
        self.reader.get_mut().begin_record();
        let start = self.reader.position().line();
        let more = self.reader.read_byte_record(record);
        if more.map_err(|err| of_csv(&err, &self.path, start))? {
            self.line = record.position().map_or(start, csv::Position::line);
            return Ok(!is_mark(record.get(0)));
        }
        if self.reader.get_ref().ended_without_mark() {
            return Ok(false);
        }
        let what =
            format!("a quote is opened in the record at line {} and never closed", self.line);
        Err(drift(&self.path, &what).with_hint(MEND))
    }
}

/// Returns the names of the columns that all files have, in the order of the first.
pub(super) fn common_header(files: &[PathBuf]) -> Result<Vec<String>, SourceError> {
    let mut first: Option<Vec<String>> = None;
    for path in files {
        let file = CsvFile::open(path)?;
        match &first {
            None => first = Some(file.header),
            Some(expected) => check_same(&file, expected)?,
        }
    }
    Ok(first.unwrap_or_default())
}

/// Returns an error where a file has other columns than the first one; their order may differ.
pub(super) fn check_same(file: &CsvFile, expected: &[String]) -> Result<(), SourceError> {
    let absent_from = |names: &[String], others: &[String]| -> Vec<String> {
        names.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    let mut differences = Vec::new();
    for (word, names) in [
        ("lacks", absent_from(expected, &file.header)),
        ("also has", absent_from(&file.header, expected)),
    ] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            differences.push(format!("{word} {}", listed(&names)));
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    let what =
        format!("has another header than the folder's first file: {}", differences.join(", "));
    Err(drift(&file.path, &what).with_hint("all .csv files of a folder must have the same columns"))
}

/// Returns the error of the reader at the record that begins at `line`.
fn of_csv(error: &csv::Error, path: &Path, line: u64) -> SourceError {
    match error.kind() {
        ErrorKind::Io(err) if err.kind() == io::ErrorKind::InvalidData => {
            let limit = RECORD_BYTES_MAX / (1024 * 1024);
            let what = format!("the record at line {line} is longer than {limit} MiB");
            drift(path, &what).with_hint("most often a quote that is never closed")
        }
        ErrorKind::Io(err) => unreachable(path, err),
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            let what = format!("line {line} has {len} fields where the header has {expected_len}");
            drift(path, &what).with_hint(MEND)
        }
        _ => drift(path, "is not valid CSV"),
    }
}

fn drift(path: &Path, what: &str) -> SourceError {
    SourceError::new(SourceErrorKind::SchemaDrift, format!("{}: {what}", path.display()))
}
