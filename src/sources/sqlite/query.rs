//! The queries that are wrapped around the person's own.

use crate::model::{Column, ValueKind};
use crate::sources::columns;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::{ReadRequest, WINDOW_COLUMN, Window};
use crate::sources::sql::quoted;

/// Returns the columns asked for, as the model gives them.
pub(super) fn chosen(
    request: &ReadRequest,
    described: &[Column],
) -> Result<Vec<Column>, SourceError> {
    let chosen: Vec<Column> = request
        .columns
        .iter()
        .map(|name| {
            let found = described.iter().find(|column| column.name == *name).cloned();
            found.ok_or_else(|| columns::missing(name, described.iter().map(|c| c.name.as_str())))
        })
        .collect::<Result<_, _>>()?;
    match chosen.is_empty() {
        true => Err(SourceError::new(SourceErrorKind::Internal, "no column was asked for")),
        false => Ok(chosen),
    }
}

/// Returns a query with the model inside, to see that it can be one.
pub(super) fn wrapped(select: &str) -> String {
    format!("select * from ({select}\n) m")
}

/// Returns the query that tells which storage classes the key's columns hold.
pub(super) fn kinds_of_key(request: &ReadRequest, select: &str) -> String {
    let types = names(&request.primary_key, |name| format!("typeof(m.{name})"));
    format!("select distinct {types} from ({select}\n) m")
}

/// Returns the query of a read: the columns asked for, in the order of the key.
/// A window's upper end is `now`, in unix microseconds.
pub(super) fn ordered(request: &ReadRequest, select: &str, now: Option<i64>) -> String {
    let columns = names(&request.columns, |name| format!("m.{name}"));
    let at = request.window.as_ref().map(micros);
    let more = at.as_ref().map(|at| format!(", {at}")).unwrap_or_default();
    let mut sql = format!("select {columns}{more} from ({select}\n) m");
    let from = request.window.as_ref().and_then(|window| window.from);
    if let (Some(at), Some(from), Some(now)) = (at, from, now) {
        sql.push_str(&format!(" where ({at} >= {from} and {at} < {now}) or {at} is null"));
    }
    if !request.primary_key.is_empty() {
        sql.push_str(" order by ");
        sql.push_str(&names(&request.primary_key, |name| format!("m.{name} collate binary")));
    }
    sql
}

/// Returns the query that tells the time in unix microseconds.
pub(super) fn now() -> String {
    "select cast(unixepoch('now', 'subsec') * 1000000 as integer)".to_owned()
}

/// Returns the query that gives one value of the cursor column as an instant, null for no instant.
pub(super) fn first_of_cursor(window: &Window, select: &str) -> String {
    let (at, name) = (micros(window), quoted(&window.column));
    format!("select {at} from ({select}\n) m where m.{name} is not null limit 1")
}

/// Returns the column that a window adds.
pub(super) fn window_column() -> Column {
    let type_name = "integer".to_owned();
    Column { name: WINDOW_COLUMN.to_owned(), kind: ValueKind::Integer, type_name }
}

/// Returns the refusal of a cursor column that holds something else than times.
pub(super) fn no_time(window: &Window) -> SourceError {
    let name = &window.column;
    drift(format!("the cursor column `{name}` holds values that are no times"))
        .with_hint("write them as `YYYY-MM-DD HH:MM:SS` in UTC, or as unix seconds")
}

/// SQLite has no type for times: text, unix seconds and Julian days mean what its own functions
/// make of them, to the millisecond.
fn micros(window: &Window) -> String {
    let name = quoted(&window.column);
    format!("cast(unixepoch(m.{name}, 'auto', 'subsec') * 1000000 as integer)")
}

fn names(columns: &[String], write: impl Fn(String) -> String) -> String {
    columns.iter().map(|name| write(quoted(name))).collect::<Vec<_>>().join(", ")
}

/// Returns the kind of a key's column that holds values of these storage classes.
pub(super) fn kind_of_key(column: &Column, classes: &[&str]) -> Result<ValueKind, SourceError> {
    let name = &column.name;
    match classes {
        ["integer"] => Ok(ValueKind::Integer),
        ["text"] => Ok(ValueKind::Text),
        ["blob"] => Ok(ValueKind::Bytes),
        // A declared type binds nobody in SQLite, and no value means no key to order or compare.
        [] => Ok(ValueKind::Dynamic),
        [class] => Err(drift(format!(
            "column `{name}` of the primary key holds {class} values, which can't order rows"
        ))
        .with_hint(format!(
            "cast it in the model: cast({} as text) as {}",
            quoted(name),
            quoted(name)
        ))),
        several => Err(drift(format!(
            "column `{name}` of the primary key holds values of several kinds: {}",
            several.join(", ")
        ))
        .with_hint(format!(
            "cast it in the model: cast({} as text) as {}",
            quoted(name),
            quoted(name)
        ))),
    }
}

fn drift(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::SchemaDrift, message)
}
