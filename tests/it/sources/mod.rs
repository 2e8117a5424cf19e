//! Sources through their public doors: what arrives, in which order, and what each fault says.

mod files;
mod postgres;
mod sqlite;

use ciosync::model::{Column, KeyKind, KeyShape, RowBatch, Value};
use ciosync::sources::{Model, ReadRequest, RowStream, Source, SourceError};

/// What was read, as text: tests compare it, and values show nothing of themselves.
#[derive(Debug)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<String>>,
    /// The rows' keys in canonical form; empty where a row has none.
    pub keys: Vec<Vec<u8>>,
}

impl Table {
    /// Returns the cells of a column.
    pub fn column(&self, name: &str) -> Vec<&str> {
        let index = self.columns.iter().position(|column| column.name == name).unwrap();
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }
}

pub fn sql(text: impl Into<String>) -> Model {
    Model::Sql(text.into())
}

pub fn table(name: &str) -> Model {
    Model::Table(name.to_owned())
}

pub fn request(model: Model, key: &[&str], columns: &[&str]) -> ReadRequest {
    ReadRequest {
        model,
        primary_key: key.iter().map(ToString::to_string).collect(),
        columns: columns.iter().map(ToString::to_string).collect(),
        spill_dir: std::env::temp_dir(),
        window: None,
    }
}

/// Reads a model to its end.
pub async fn read(
    source: &dyn Source,
    model: Model,
    key: &[&str],
    columns: &[&str],
) -> Result<Table, SourceError> {
    let request = request(model, key, columns);
    let mut stream = source.open(&request).await?;
    drain(&mut *stream, &request.primary_key).await
}

/// Reads what is left of a stream.
pub async fn drain(stream: &mut dyn RowStream, key: &[String]) -> Result<Table, SourceError> {
    let columns = stream.columns().to_vec();
    let key_indices: Vec<usize> = key
        .iter()
        .map(|name| columns.iter().position(|column| column.name == *name).unwrap())
        .collect();
    let kinds =
        key_indices.iter().map(|index| KeyKind::of(columns[*index].kind).unwrap_or(KeyKind::Text));
    let shape = KeyShape(kinds.collect());
    let mut table = Table { columns, rows: Vec::new(), keys: Vec::new() };
    let mut batch = RowBatch::new(0);
    loop {
        stream.next(&mut batch).await?;
        if batch.is_empty() {
            return Ok(table);
        }
        for row in batch.rows() {
            table.rows.push((0..row.width()).map(|index| shown(row.value(index))).collect());
            let mut encoded = Vec::new();
            let values = key_indices.iter().map(|index| row.value(*index));
            if shape.encode(values, &mut encoded).is_err() {
                encoded.clear();
            }
            table.keys.push(encoded);
        }
    }
}

/// Fails where the rows that have a key don't come in the order of their keys.
#[track_caller]
pub fn assert_ordered(table: &Table) {
    let with_key = || table.keys.iter().zip(&table.rows).filter(|(key, _)| !key.is_empty());
    for (before, after) in with_key().zip(with_key().skip(1)) {
        assert!(before.0 <= after.0, "{:?} came before {:?}", before.1, after.1);
    }
}

fn shown(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => format!("bool {flag}"),
        Value::Int(number) => format!("int {number}"),
        Value::Decimal(text) => format!("decimal {text}"),
        Value::Float(number) => format!("float {number}"),
        Value::Text(text) => format!("text {text}"),
        Value::Bytes(bytes) => format!("bytes {bytes:?}"),
        Value::Uuid(bytes) => format!("uuid {:032x}", u128::from_be_bytes(bytes)),
        Value::Date(days) => format!("date {days}"),
        Value::Timestamp(micros) => format!("timestamp {micros}"),
        Value::LocalTimestamp(micros) => format!("local {micros}"),
        Value::Json(text) => format!("json {text}"),
        Value::Undecodable(why) => format!("undecodable: {why}"),
    }
}
