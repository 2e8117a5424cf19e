//! The queries that are wrapped around the person's own.

use std::fmt::Write as _;

use super::decode::Codec;
use super::types::{self, Expression, Reading};
use crate::model::{Column, KeyKind, ValueKind};
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::{Model, ReadRequest, WINDOW_COLUMN, Window};
use crate::sources::sql::{self, Dialect, quoted};

/// A column of the model and how it is read.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) column: Column,
    pub(super) reading: Reading,
}

/// A query with the person's own inside.
#[derive(Clone, Debug)]
pub(super) struct Wrapped {
    pub(super) sql: String,
    /// Characters before the person's own text.
    pub(super) prefix_chars: usize,
}

/// What to run and how to read what it gives.
pub(super) struct Plan {
    pub(super) query: Wrapped,
    pub(super) model: Model,
    pub(super) columns: Vec<Column>,
    pub(super) codecs: Vec<Codec>,
}

/// How to order text by its UTF-8 bytes, which depends on the database's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOrder {
    /// The database's bytes are in that order already.
    Bytes,
    /// They must be converted to be compared.
    Converted,
}

impl TextOrder {
    /// Returns the order for a database in `encoding`. Latin-1's bytes are Unicode's first 256
    /// characters in order; `SQL_ASCII` holds bytes that nobody knows how to convert.
    pub(super) fn of_encoding(encoding: &str) -> Self {
        match encoding {
            "UTF8" | "LATIN1" | "SQL_ASCII" => Self::Bytes,
            _ => Self::Converted,
        }
    }
}

/// Returns the select that a model stands for.
pub(super) fn select_of(model: &Model) -> Result<String, SourceError> {
    sql::select_of(model, Dialect::Postgres)
}

/// Returns a query that gives one row of nulls in the columns of `select`, without running it:
/// so the server tells names and types, and needs no look at its catalog.
pub(super) fn describe(select: &str) -> Wrapped {
    let prefix = "select m.* from (select) one left join (select * from (";
    Wrapped { sql: format!("{prefix}{select}\n) m limit 0) m on true"), prefix_chars: prefix.len() }
}

/// Returns the look at the catalog that tells what the types with these OIDs are.
pub(super) fn describe_types(oids: &[u32]) -> String {
    let list = oids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "select oid::int8, pg_catalog.format_type(oid, null), typname, typtype, typcategory \
         from pg_catalog.pg_type where oid in ({list})"
    )
}

/// Returns an error where two columns share a name or one has none.
pub(super) fn check_names(columns: &[Described]) -> Result<(), SourceError> {
    let mut names: Vec<&str> = columns.iter().map(|c| c.column.name.as_str()).collect();
    crate::sources::columns::check_names(&mut names)
}

/// Returns the statement of a read: the columns asked for, in the order of the key.
pub(super) fn plan(
    request: &ReadRequest,
    select: &str,
    described: Vec<Described>,
    text_order: TextOrder,
) -> Result<Plan, SourceError> {
    let chosen =
        request.columns.iter().map(|name| find(&described, name)).collect::<Result<Vec<_>, _>>()?;
    if chosen.is_empty() {
        return Err(SourceError::new(SourceErrorKind::Internal, "no column was asked for"));
    }
    let mut sql = String::from("copy (select ");
    let mut codecs = Vec::with_capacity(chosen.len());
    for (index, column) in chosen.iter().enumerate() {
        if index > 0 {
            sql.push_str(", ");
        }
        let name = &column.column.name;
        check_usable(column)?;
        write_expression(&mut sql, name, column.reading.expression);
        let is_key = request.primary_key.contains(name);
        codecs.push(match column.reading.codec {
            Codec::Numeric if is_key => Codec::NumericKey,
            codec => codec,
        });
    }
    let window = request.window.as_ref();
    if let Some(window) = window {
        check_cursor(find(&described, &window.column)?)?;
        let _ = write!(sql, ", {}", micros(window));
        codecs.push(Codec::Int8);
    }
    sql.push_str(" from (");
    let prefix_chars = sql.chars().count();
    sql.push_str(select);
    sql.push_str("\n) m");
    if let Some(window) = window {
        write_bounds(&mut sql, window);
    }
    for (index, name) in request.primary_key.iter().enumerate() {
        sql.push_str(if index == 0 { " order by " } else { ", " });
        let column = find(&described, name)?;
        check_key(column)?;
        write_order(&mut sql, column, text_order);
    }
    sql.push_str(") to stdout (format binary)");
    let mut columns: Vec<Column> = chosen.into_iter().map(|column| column.column.clone()).collect();
    columns.extend(window.map(|_| Column {
        name: WINDOW_COLUMN.to_owned(),
        kind: ValueKind::Integer,
        type_name: "int8".to_owned(),
    }));
    let query = Wrapped { sql, prefix_chars };
    Ok(Plan { query, model: request.model.clone(), columns, codecs })
}

/// Returns the query that tells the transaction's now in unix microseconds, the same that the
/// bounds of a window compare with.
pub(super) fn now() -> String {
    "select (extract(epoch from pg_catalog.now()) * 1000000)::int8".to_owned()
}

/// Returns the cursor column in unix microseconds; what is neither null nor infinite has an epoch.
/// Times without a zone are UTC, as the session says.
fn micros(window: &Window) -> String {
    let name = quoted(&window.column);
    format!(
        "case when pg_catalog.isfinite(m.{name}) \
         then (extract(epoch from m.{name}) * 1000000)::int8 end"
    )
}

/// Compares the column as it is, so that an index on it serves.
fn write_bounds(sql: &mut String, window: &Window) {
    let Some(from) = window.from else { return };
    let name = quoted(&window.column);
    // Seconds and microseconds apart: a double would lose the last digits.
    let (seconds, micros) = (from.div_euclid(1_000_000), from.rem_euclid(1_000_000));
    let _ = write!(
        sql,
        " where (m.{name} >= pg_catalog.to_timestamp({seconds}) + interval '{micros} microseconds' \
         and m.{name} < pg_catalog.now()) or m.{name} is null"
    );
}

fn check_cursor(column: &Described) -> Result<(), SourceError> {
    let Column { name, kind, type_name } = &column.column;
    if matches!(kind, ValueKind::Timestamp | ValueKind::LocalTimestamp | ValueKind::Date) {
        return Ok(());
    }
    let message = format!("the cursor column `{name}` is of type {type_name}, which is no time");
    let hint = format!("cast it in the model: {}::timestamptz as {}", quoted(name), quoted(name));
    Err(SourceError::new(SourceErrorKind::SchemaDrift, message).with_hint(hint))
}

fn find<'a>(described: &'a [Described], name: &str) -> Result<&'a Described, SourceError> {
    described.iter().find(|column| column.column.name == name).ok_or_else(|| {
        let given = described.iter().map(|column| column.column.name.as_str());
        crate::sources::columns::missing(name, given)
    })
}

fn check_usable(column: &Described) -> Result<(), SourceError> {
    let Column { name, kind, type_name } = &column.column;
    if *kind != ValueKind::Unsupported {
        return Ok(());
    }
    let message = format!("column `{name}` is of type {type_name}, which can't be read");
    let hint = format!("cast it in the model: {}::{}", quoted(name), types::cast_for(type_name));
    Err(SourceError::new(SourceErrorKind::SchemaDrift, message).with_hint(hint))
}

fn check_key(column: &Described) -> Result<(), SourceError> {
    let Column { name, kind, type_name } = &column.column;
    check_usable(column)?;
    if KeyKind::of(*kind).is_some() {
        return Ok(());
    }
    let cast = if *kind == ValueKind::Float { "numeric" } else { "text" };
    let message = format!(
        "column `{name}` of the primary key is of type {type_name}, which can't order rows"
    );
    let hint = format!("cast it in the model: {}::{cast} as {}", quoted(name), quoted(name));
    Err(SourceError::new(SourceErrorKind::SchemaDrift, message).with_hint(hint))
}

fn write_expression(sql: &mut String, name: &str, expression: Expression) {
    let column = quoted(name);
    let _ = match expression {
        Expression::Plain => write!(sql, "m.{column}"),
        Expression::Text => write!(sql, "m.{column}::text"),
        Expression::Json => write!(sql, "pg_catalog.to_json(m.{column})"),
        Expression::Integer => write!(sql, "m.{column}::int8"),
    };
}

fn write_order(sql: &mut String, column: &Described, text_order: TextOrder) {
    let name = quoted(&column.column.name);
    let _ = match (column.column.kind, text_order) {
        (ValueKind::Text, TextOrder::Bytes) => write!(sql, "m.{name}::text collate \"C\""),
        (ValueKind::Text, TextOrder::Converted) => {
            write!(sql, "pg_catalog.convert_to(m.{name}::text, 'UTF8')")
        }
        _ => write!(sql, "m.{name}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, oid: u32) -> Described {
        let (type_name, reading) = types::built_in(oid).unwrap();
        let kind = reading.kind;
        Described {
            column: Column { name: name.into(), kind, type_name: type_name.into() },
            reading,
        }
    }

    fn request(columns: &[&str], key: &[&str]) -> ReadRequest {
        ReadRequest {
            model: Model::Sql(String::new()),
            primary_key: key.iter().map(ToString::to_string).collect(),
            columns: columns.iter().map(ToString::to_string).collect(),
            spill_dir: "/nowhere".into(),
            window: None,
        }
    }

    #[test]
    fn the_model_is_wrapped_so_that_a_last_comment_ends_before_the_parenthesis() {
        let columns = vec![described("ü", 25), described("b\"", 1700), described("c", 1042)];
        let request = request(&["b\"", "ü", "c"], &["c", "b\""]);

        let plan = plan(&request, "select 1 -- x", columns, TextOrder::Bytes).unwrap();

        assert_eq!(
            plan.query.sql,
            "copy (select m.\"b\"\"\", m.\"ü\", m.\"c\"::text from (select 1 -- x\n) m \
             order by m.\"c\"::text collate \"C\", m.\"b\"\"\") to stdout (format binary)",
        );
        let own: String = plan.query.sql.chars().skip(plan.query.prefix_chars).collect();
        assert!(own.starts_with("select 1"), "{own}");
        assert_eq!(plan.codecs, [Codec::NumericKey, Codec::Text, Codec::Text]);
    }

    #[test]
    fn text_is_converted_to_be_ordered_where_the_database_has_another_encoding() {
        let order = TextOrder::of_encoding("WIN1251");

        let plan = plan(&request(&["a"], &["a"]), "q", vec![described("a", 25)], order).unwrap();

        let order = "order by pg_catalog.convert_to(m.\"a\"::text, 'UTF8')) to stdout";
        assert!(plan.query.sql.contains(order));
    }
}
