//! Rows in batches: one arena for many rows, so that a row costs no allocation.

use std::fmt;

use super::value::{Value, ValueKind};

/// A column of a query's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name as the source gives it.
    pub name: String,
    /// What its cells hold.
    pub kind: ValueKind,
    /// The source's own name of the type, for messages (`numeric`, `timestamptz`).
    pub type_name: String,
}

/// One cell inside a batch: small values in place, long ones as a span of an arena. Of 16 bytes,
/// since batches go from one core to another.
#[derive(Clone, Copy)]
enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Date(i32),
    Timestamp(i64),
    LocalTimestamp(i64),
    Text(Span),
    Decimal(Span),
    Json(Span),
    Bytes(Span),
    Uuid(Span),
    /// The place of the reason among the batch's.
    Undecodable(u32),
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// Some rows of equal width, filled by a source and read by the engine, reused without allocating.
///
/// A batch holds less than 4 GiB of text; sources close one at about [`RowBatch::SIZE_BYTES_MAX`].
pub struct RowBatch {
    width: usize,
    cells: Vec<Cell>,
    text: String,
    bytes: Vec<u8>,
    /// Why cells could not be decoded.
    reasons: Vec<&'static str>,
}

impl RowBatch {
    /// Rows after which a source hands a batch over: enough to make the hand-over cheap, and few
    /// enough to stay in a cache.
    pub const ROWS_MAX: usize = 256;

    /// Bytes of long values after which a source hands a batch over, so that a few huge rows
    /// don't pile up in memory.
    pub const SIZE_BYTES_MAX: usize = 512 * 1024;

    /// Returns an empty batch for rows of `width` columns.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            cells: Vec::new(),
            text: String::new(),
            bytes: Vec::new(),
            reasons: Vec::new(),
        }
    }

    /// Empties the batch and sets the width of the rows to come, keeping its memory.
    pub fn reset(&mut self, width: usize) {
        self.width = width;
        self.cells.clear();
        self.text.clear();
        self.bytes.clear();
        self.reasons.clear();
    }

    /// Returns how many complete rows the batch holds.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// Returns whether the batch holds no complete row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a source should hand the batch over now.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() >= Self::ROWS_MAX || self.text.len() + self.bytes.len() >= Self::SIZE_BYTES_MAX
    }

    /// Appends the next cell, row by row, left to right.
    #[inline]
    pub fn push(&mut self, value: Value<'_>) {
        let cell = match value {
            Value::Null => Cell::Null,
            Value::Bool(flag) => Cell::Bool(flag),
            Value::Int(number) => Cell::Int(number),
            Value::Float(number) => Cell::Float(number),
            Value::Date(days) => Cell::Date(days),
            Value::Timestamp(micros) => Cell::Timestamp(micros),
            Value::LocalTimestamp(micros) => Cell::LocalTimestamp(micros),
            Value::Text(text) => Cell::Text(self.store_text(text)),
            Value::Decimal(text) => Cell::Decimal(self.store_text(text)),
            Value::Json(text) => Cell::Json(self.store_text(text)),
            Value::Bytes(bytes) => Cell::Bytes(self.store_bytes(bytes)),
            Value::Uuid(bytes) => Cell::Uuid(self.store_bytes(&bytes)),
            Value::Undecodable(why) => {
                self.reasons.push(why);
                Cell::Undecodable(u32::try_from(self.reasons.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.cells.push(cell);
    }

    /// Appends a text cell that `write` appends to the arena, sparing a copy.
    pub fn push_text_with(&mut self, write: impl FnOnce(&mut String)) {
        let span = self.written(write);
        self.cells.push(Cell::Text(span));
    }

    /// Appends a decimal cell that `write` spells into the arena, in ASCII as [`Value::Decimal`].
    pub fn push_decimal_with(&mut self, write: impl FnOnce(&mut String)) {
        let span = self.written(write);
        self.cells.push(Cell::Decimal(span));
    }

    /// Appends a JSON cell that `write` appends to the arena.
    pub fn push_json_with(&mut self, write: impl FnOnce(&mut String)) {
        let span = self.written(write);
        self.cells.push(Cell::Json(span));
    }

    /// Returns row `index`, or `None` past the end.
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        let start = index.checked_mul(self.width)?;
        let cells = self.cells.get(start..start + self.width)?;
        Some(Row { cells, batch: self })
    }

    /// Returns the rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.chunks_exact(self.width.max(1)).map(|cells| Row { cells, batch: self })
    }

    fn store_text(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        span(start, text.len())
    }

    fn store_bytes(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        span(start, bytes.len())
    }

    fn written(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.text.len();
        write(&mut self.text);
        span(start, self.text.len().saturating_sub(start))
    }
}

impl fmt::Debug for RowBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowBatch({} rows of {} columns)", self.len(), self.width)
    }
}

/// One row of a batch.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    cells: &'a [Cell],
    batch: &'a RowBatch,
}

impl<'a> Row<'a> {
    /// Returns the last cell, null where there is none.
    pub fn last(&self) -> Value<'a> {
        self.cells.len().checked_sub(1).map_or(Value::Null, |index| self.value(index))
    }

    /// Returns the cell of column `index`, null past the end.
    #[inline]
    pub fn value(&self, index: usize) -> Value<'a> {
        let Some(cell) = self.cells.get(index) else { return Value::Null };
        match *cell {
            Cell::Null => Value::Null,
            Cell::Bool(flag) => Value::Bool(flag),
            Cell::Int(number) => Value::Int(number),
            Cell::Float(number) => Value::Float(number),
            Cell::Date(days) => Value::Date(days),
            Cell::Timestamp(micros) => Value::Timestamp(micros),
            Cell::LocalTimestamp(micros) => Value::LocalTimestamp(micros),
            Cell::Text(span) => Value::Text(self.text(span)),
            Cell::Decimal(span) => Value::Decimal(self.text(span)),
            Cell::Json(span) => Value::Json(self.text(span)),
            Cell::Bytes(span) => Value::Bytes(self.bytes(span)),
            Cell::Uuid(span) => self
                .bytes(span)
                .try_into()
                .map_or(Value::Null, |bytes: [u8; 16]| Value::Uuid(bytes)),
            Cell::Undecodable(place) => {
                let why = self.batch.reasons.get(place as usize).copied();
                Value::Undecodable(why.unwrap_or_default())
            }
        }
    }

    /// Returns how many columns the row has.
    pub fn width(&self) -> usize {
        self.cells.len()
    }

    fn text(&self, span: Span) -> &'a str {
        self.batch.text.get(span.range()).unwrap_or_default()
    }

    fn bytes(&self, span: Span) -> &'a [u8] {
        self.batch.bytes.get(span.range()).unwrap_or_default()
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} columns)", self.cells.len())
    }
}

/// A batch is closed long before 4 GiB; a single cell beyond that is cut to nothing rather than
/// wrapped, and a source refuses such a cell itself.
fn span(start: usize, len: usize) -> Span {
    match (u32::try_from(start), u32::try_from(len)) {
        (Ok(start), Ok(len)) => Span { start, len },
        (Ok(_) | Err(_), _) => Span { start: 0, len: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gives_back_what_was_pushed_after_a_reset_too() {
        let mut batch = RowBatch::new(1);
        batch.push(Value::Text("old"));
        batch.reset(3);

        for value in [Value::Int(1), Value::Text("a"), Value::Null] {
            batch.push(value);
        }
        batch.push(Value::Uuid([7; 16]));
        batch.push(Value::Bytes(b"xy"));
        batch.push_decimal_with(|text| text.push_str("1.50"));
        for value in [Value::Undecodable("is odd"), Value::Null, Value::Undecodable("is even")] {
            batch.push(value);
        }

        assert_eq!(batch.len(), 3);
        assert_eq!(batch.row(2).unwrap().value(0), Value::Undecodable("is odd"));
        assert_eq!(batch.row(2).unwrap().value(2), Value::Undecodable("is even"));
        assert!(size_of::<Cell>() <= 16);
        let second = batch.row(1).unwrap();
        assert_eq!(batch.row(0).unwrap().value(1), Value::Text("a"));
        assert_eq!(second.value(0), Value::Uuid([7; 16]));
        assert_eq!(second.value(1), Value::Bytes(b"xy"));
        assert_eq!(second.value(2), Value::Decimal("1.50"));
        assert!(batch.row(3).is_none());
    }

    #[test]
    fn debug_output_shows_no_content() {
        let mut batch = RowBatch::new(1);
        batch.push(Value::Text("ann@example.com"));

        let printed = format!("{batch:?} {:?} {:?}", batch.row(0), batch.row(0).unwrap().value(0));

        assert!(!printed.contains("ann"), "{printed}");
    }
}
