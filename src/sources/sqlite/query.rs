//! The queries that are wrapped around the person's own.

use crate::model::{Column, ValueKind};
use crate::sources::columns;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::ReadRequest;
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
pub(super) fn ordered(request: &ReadRequest, select: &str) -> String {
    let columns = names(&request.columns, |name| format!("m.{name}"));
    let mut sql = format!("select {columns} from ({select}\n) m");
    if !request.primary_key.is_empty() {
        sql.push_str(" order by ");
        sql.push_str(&names(&request.primary_key, |name| format!("m.{name} collate binary")));
    }
    sql
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
