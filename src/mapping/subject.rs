//! Whom or what a row is about: its target and the details that stand before the attributes.

use jiff::tz::TimeZone;

use super::convert::seconds;
use crate::model::limits::{
    self, DEVICE_TOKEN_BYTES_MAX, EVENT_NAME_BYTES_MAX, IDENTIFIER_BYTES_MAX,
};
use crate::model::record::Header;
use crate::model::rejection::InvalidCode;
use crate::model::target::write_pair;
use crate::model::text::write_value_text;
use crate::model::{
    Details, EventIds, EventKind, IdentifierKind, KeyShape, OperationKind, Platform, RecordBuf,
    Rejection, Row, Target, TargetKind, Value,
};

/// A column, found.
pub(super) struct Cell {
    pub(super) index: usize,
    pub(super) name: String,
}

/// A value that a column gives, or that is the same for all rows.
pub(super) enum Origin<T> {
    Cell(Cell),
    Fixed(T),
}

/// What a row is about beside its identifier, columns found.
pub(super) enum Parts {
    /// Nothing.
    None,
    /// The row stands for itself, and not even the identifier is sent.
    CollectionRow,
    Object {
        type_id: Option<String>,
    },
    Relationship {
        type_id: Option<String>,
        object: Cell,
    },
    Device {
        token: Cell,
    },
    NewDevice {
        token: Cell,
        platform: Origin<Platform>,
        last_used: Option<Cell>,
    },
    Event {
        kind: EventKind,
        name: Origin<String>,
        at: Option<Cell>,
        ids: EventIds,
    },
}

/// Writes what comes before a record's attributes. Costs no allocation per row.
pub(super) struct Subject {
    pub(super) operation: OperationKind,
    pub(super) kind: TargetKind,
    pub(super) cell: Cell,
    pub(super) parts: Parts,
    pub(super) texts: Texts,
}

/// Texts that are made from values, reused from row to row.
#[derive(Default)]
pub(super) struct Texts {
    identifier: String,
    second: String,
    pair: String,
}

impl Subject {
    /// Starts `record`, which holds the row's key already.
    ///
    /// # Errors
    /// Why the row can't be sent.
    pub(super) fn start(
        &mut self,
        row: Row<'_>,
        key_shape: &KeyShape,
        record: &mut RecordBuf,
    ) -> Result<(), Rejection> {
        let Self { operation, kind, cell, parts, texts } = self;
        let Texts { identifier: buffer, second, pair } = texts;
        if matches!(parts, Parts::CollectionRow) {
            record.start(Header::plain(*operation, Target { kind: *kind, text: "" }), 0);
            return Ok(());
        }
        let text = identifier_text(row.value(cell.index), kind.identifier, &cell.name, buffer)?;
        let mut both = |half: &Cell, what, bytes_max| -> Result<(), Rejection> {
            let field = Field { what, column: &half.name, bytes_max };
            let half = field.text(row.value(half.index), second)?;
            pair.clear();
            write_pair(text, half, pair);
            Ok(())
        };
        let (text, details) = match parts {
            Parts::None | Parts::CollectionRow => (text, Details::None),
            Parts::Object { type_id } => (text, Details::Object { type_id: type_id.as_deref() }),
            Parts::Relationship { type_id, object } => {
                both(object, "object column", IDENTIFIER_BYTES_MAX)?;
                (pair.as_str(), Details::Object { type_id: type_id.as_deref() })
            }
            Parts::Device { token } => {
                both(token, TOKEN, DEVICE_TOKEN_BYTES_MAX)?;
                (pair.as_str(), Details::None)
            }
            Parts::NewDevice { token, platform, last_used } => {
                both(token, TOKEN, DEVICE_TOKEN_BYTES_MAX)?;
                let platform = platform_of(row, platform)?;
                let last_used = time(row, last_used.as_ref(), "last use column", true)?;
                (pair.as_str(), Details::Device { platform, last_used })
            }
            Parts::Event { kind, name, at, ids } => {
                let name = event_name(row, name, second)?;
                let id =
                    ids.of_row(name, (key_shape, &record.key), pair).ok_or_else(no_key_text)?;
                let at = time(row, at.as_ref(), "event time column", false)?;
                (text, Details::Event { kind: *kind, name, id, at })
            }
        };
        let target = Target { kind: *kind, text };
        record.start(Header { operation: *operation, target, details }, 0);
        Ok(())
    }
}

const TOKEN: &str = "device token column";

/// A column whose text names something.
struct Field<'f> {
    what: &'static str,
    column: &'f str,
    bytes_max: usize,
}

impl Field<'_> {
    fn text<'t>(&self, value: Value<'t>, buffer: &'t mut String) -> Result<&'t str, Rejection> {
        let text = match value {
            Value::Null => return Err(self.refusal(InvalidCode::MissingIdentifier, "is null")),
            Value::Text(text) => text,
            other => {
                buffer.clear();
                if !write_value_text(other, buffer) {
                    return Err(self.refusal(InvalidCode::InvalidIdentifier, "has no text"));
                }
                buffer.as_str()
            }
        };
        if text.trim().is_empty() {
            return Err(self.refusal(InvalidCode::MissingIdentifier, "is empty"));
        }
        if text.len() > self.bytes_max {
            let problem = format!("is longer than {} bytes", self.bytes_max);
            return Err(self.refusal(InvalidCode::InvalidIdentifier, &problem));
        }
        Ok(text)
    }

    fn refusal(&self, code: InvalidCode, problem: &str) -> Rejection {
        let Self { what, column, .. } = self;
        Rejection::invalid(code, Some(column), format!("{what} `{column}` {problem}"))
    }
}

fn identifier_text<'t>(
    value: Value<'t>,
    kind: IdentifierKind,
    column: &str,
    buffer: &'t mut String,
) -> Result<&'t str, Rejection> {
    let field = Field { what: "identifier column", column, bytes_max: IDENTIFIER_BYTES_MAX };
    let text = field.text(value, buffer)?;
    if kind == IdentifierKind::Email && !limits::is_plausible_email(text) {
        return Err(field.refusal(InvalidCode::InvalidEmail, "is not an e-mail address"));
    }
    Ok(text)
}

fn platform_of(row: Row<'_>, origin: &Origin<Platform>) -> Result<Platform, Rejection> {
    let cell = match origin {
        Origin::Fixed(platform) => return Ok(*platform),
        Origin::Cell(cell) => cell,
    };
    let word = match row.value(cell.index) {
        Value::Text(word) => Platform::from_word(word.trim()),
        _ => None,
    };
    let field = Field { what: "platform column", column: &cell.name, bytes_max: 0 };
    word.ok_or_else(|| field.refusal(InvalidCode::InvalidPlatform, "is neither ios nor android"))
}

/// Reads a time in unix seconds; Customer.io takes none before 1970. A null is none, where it may
/// be left out.
fn time(
    row: Row<'_>,
    cell: Option<&Cell>,
    what: &'static str,
    is_optional: bool,
) -> Result<Option<i64>, Rejection> {
    let Some(cell) = cell else { return Ok(None) };
    let field = Field { what, column: &cell.name, bytes_max: 0 };
    let code = InvalidCode::InvalidTimestamp;
    match row.value(cell.index) {
        Value::Null if is_optional => Ok(None),
        Value::Null => Err(field.refusal(code, "is null")),
        value => match seconds(value, &TimeZone::UTC) {
            Ok(seconds @ 0..) => Ok(Some(seconds)),
            Ok(_) => Err(field.refusal(code, "is before 1970")),
            Err(error) => Err(field.refusal(error.code, error.message)),
        },
    }
}

/// Customer.io drops white space around the name of an event, so that two spellings would be one.
/// Source: Track API description.
fn event_name<'t>(
    row: Row<'t>,
    origin: &'t Origin<String>,
    buffer: &'t mut String,
) -> Result<&'t str, Rejection> {
    let cell = match origin {
        Origin::Fixed(name) => return Ok(name),
        Origin::Cell(cell) => cell,
    };
    let column = cell.name.as_str();
    let field = Field { what: "event name column", column, bytes_max: EVENT_NAME_BYTES_MAX };
    let named = field.text(row.value(cell.index), buffer).map(str::trim);
    named.map_err(|rejection| Rejection {
        code: InvalidCode::InvalidEventName.as_str().to_owned(),
        ..rejection
    })
}

fn no_key_text() -> Rejection {
    Rejection::invalid(InvalidCode::InvalidKey, None, "the primary key has no text")
}
