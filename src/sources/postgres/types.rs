//! How each of PostgreSQL's types is read: as it is, or cast by the server to something that the
//! decoder knows.

use super::decode::Codec;
use crate::model::ValueKind;

/// What to write around a column in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// The column as it is.
    Plain,
    /// `::text`: the type's own text form.
    Text,
    /// `to_json(…)`: arrays, rows, and whatever an extension turns into JSON.
    Json,
    /// `::int8`.
    Integer,
}

/// How a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) kind: ValueKind,
    pub(super) expression: Expression,
    pub(super) codec: Codec,
}

impl Reading {
    const fn plain(kind: ValueKind, codec: Codec) -> Self {
        Self { kind, expression: Expression::Plain, codec }
    }

    const TEXT: Self =
        Self { kind: ValueKind::Text, expression: Expression::Text, codec: Codec::Text };
    const JSON: Self =
        Self { kind: ValueKind::Json, expression: Expression::Json, codec: Codec::Json };
    const INTEGER: Self =
        Self { kind: ValueKind::Integer, expression: Expression::Integer, codec: Codec::Int8 };
    const UNSUPPORTED: Self = Self { kind: ValueKind::Unsupported, ..Self::TEXT };
}

/// Returns the name and reading of the types that are read as they are, by their fixed OIDs
/// (`pg_type.dat` of PostgreSQL), so that a usual query needs no look at the catalog.
pub(super) fn built_in(oid: u32) -> Option<(&'static str, Reading)> {
    let (name, kind, codec) = match oid {
        16 => ("bool", ValueKind::Boolean, Codec::Bool),
        17 => ("bytea", ValueKind::Bytes, Codec::Bytea),
        20 => ("int8", ValueKind::Integer, Codec::Int8),
        21 => ("int2", ValueKind::Integer, Codec::Int2),
        23 => ("int4", ValueKind::Integer, Codec::Int4),
        25 => ("text", ValueKind::Text, Codec::Text),
        114 => ("json", ValueKind::Json, Codec::Json),
        700 => ("float4", ValueKind::Float, Codec::Float4),
        701 => ("float8", ValueKind::Float, Codec::Float8),
        // The cast takes off the blanks that fill a `char(n)` up: they mean nothing.
        1042 => return Some(("bpchar", Reading::TEXT)),
        1043 => ("varchar", ValueKind::Text, Codec::Text),
        1082 => ("date", ValueKind::Date, Codec::Date),
        1114 => ("timestamp", ValueKind::LocalTimestamp, Codec::Timestamp),
        1184 => ("timestamptz", ValueKind::Timestamp, Codec::Timestamptz),
        1700 => ("numeric", ValueKind::Decimal, Codec::Numeric),
        2950 => ("uuid", ValueKind::Uuid, Codec::Uuid),
        3802 => ("jsonb", ValueKind::Json, Codec::Jsonb),
        _ => return None,
    };
    Some((name, Reading::plain(kind, codec)))
}

/// Returns the reading of a type that the catalog describes by `pg_type`'s columns. Domains are not
/// among them: the server announces their base type.
pub(super) fn of_catalog(typname: &str, typtype: &str, typcategory: &str) -> Reading {
    match (typtype, typcategory) {
        (_, "A") | ("c", _) => return Reading::JSON,
        ("e" | "r" | "m", _) => return Reading::TEXT,
        _ => {}
    }
    match typname {
        "hstore" | "geometry" | "geography" | "record" => Reading::JSON,
        "oid" => Reading::INTEGER,
        "name" | "char" | "citext" | "xml" | "time" | "timetz" | "interval" | "bit" | "varbit"
        | "inet" | "cidr" | "macaddr" | "macaddr8" | "point" | "line" | "lseg" | "box" | "path"
        | "polygon" | "circle" | "ltree" | "pg_lsn" | "regclass" | "regtype" | "regproc"
        | "tsvector" | "tsquery" | "jsonpath" => Reading::TEXT,
        _ => Reading::UNSUPPORTED,
    }
}

/// Returns the cast that makes a column of an unsupported type usable.
pub(super) fn cast_for(type_name: &str) -> &'static str {
    // Its text follows the server's locale, so that `1,234` may be a thousand or one and a bit.
    if type_name == "money" { "numeric" } else { "text" }
}
