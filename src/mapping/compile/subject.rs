//! The columns that say whom or what a row is about.

use super::Compiler;
use crate::mapping::about::{About, Given};
use crate::mapping::error::MappingComplaint;
use crate::mapping::subject::{Cell, Origin, Parts, Subject, Texts};
use crate::model::{EventIds, IdentifierKind, OperationKind, Platform, ValueKind};

impl Compiler<'_> {
    /// Returns what writes target and details; `None` where a column is missing, which was told.
    pub(super) fn subject(&mut self) -> Option<Subject> {
        let (identifier, name) = &self.spec.identifier;
        let path = identifier_path(*identifier);
        let what = match identifier {
            IdentifierKind::ObjectId | IdentifierKind::CioObjectId => "name an object",
            IdentifierKind::Id
            | IdentifierKind::Email
            | IdentifierKind::Phone
            | IdentifierKind::CioId
            | IdentifierKind::AnonymousId => "name a person",
        };
        let cell = self.naming(name, path, what);
        let parts = self.parts();
        Some(Subject {
            operation: self.spec.operation,
            kind: self.spec.target_kind(),
            cell: cell?,
            parts: parts?,
            texts: Texts::default(),
        })
    }

    fn parts(&mut self) -> Option<Parts> {
        let spec = self.spec;
        Some(match &spec.about {
            About::Person => Parts::None,
            About::CollectionRow => Parts::CollectionRow,
            About::Object { type_id } => Parts::Object { type_id: type_id.clone() },
            About::Relationship { type_id, object } => {
                let path = if type_id.is_some() { "object.id" } else { "object.cioObjectId" };
                let object = self.naming(object, path, "name an object")?;
                Parts::Relationship { type_id: type_id.clone(), object }
            }
            About::Device { token, platform, last_used } => {
                let token = self.naming(token, "device.token", "be a device's token");
                if spec.operation == OperationKind::DeviceDelete {
                    return Some(Parts::Device { token: token? });
                }
                let platform = self.platform(platform);
                let last_used = self.time(last_used.as_deref(), "device.lastUsed");
                Parts::NewDevice { token: token?, platform: platform?, last_used: last_used? }
            }
            About::Event { kind, name, at, id_scope } => {
                let name = match name {
                    Given::Constant(name) => Some(Origin::Fixed(name.trim().to_owned())),
                    Given::Column(column) => {
                        let cell = self.naming(column, "event.name.column", "name an event");
                        cell.map(Origin::Cell)
                    }
                };
                let at = self.time(at.as_deref(), "event.timestamp");
                let ids = EventIds::new(id_scope);
                Parts::Event { kind: *kind, name: name?, at: at?, ids }
            }
        })
    }

    fn platform(&mut self, platform: &Given) -> Option<Origin<Platform>> {
        match platform {
            Given::Column(column) => {
                let path = "device.platform.column";
                self.naming(column, path, "name a platform").map(Origin::Cell)
            }
            Given::Constant(word) => {
                let platform = Platform::from_word(word);
                if platform.is_none() {
                    let message = "the platform is neither ios nor android";
                    self.complain(MappingComplaint::new("device.platform.constant", message));
                }
                platform.map(Origin::Fixed)
            }
        }
    }

    /// Finds a column whose text names something.
    fn naming(&mut self, name: &str, path: &str, what: &str) -> Option<Cell> {
        let (index, column) = self.column(name, path)?;
        if matches!(column.kind, ValueKind::Float | ValueKind::Json | ValueKind::Unsupported) {
            let message = format!("column `{name}` of type {} can't {what}", column.type_name);
            self.complain(
                MappingComplaint::new(path, message)
                    .with_hint(format!("cast it in the query: `{name}::text as {name}`")),
            );
            return None;
        }
        Some(Cell { index, name: column.name })
    }

    /// Finds the column of a time, where there is to be one.
    fn time(&mut self, name: Option<&str>, path: &str) -> Option<Option<Cell>> {
        let Some(name) = name else { return Some(None) };
        let (index, column) = self.column(name, path)?;
        let is_no_time = matches!(
            column.kind,
            ValueKind::Boolean
                | ValueKind::Uuid
                | ValueKind::Bytes
                | ValueKind::Json
                | ValueKind::Unsupported
        );
        if is_no_time {
            let message = format!("column `{name}` of type {} is no time", column.type_name);
            self.complain(
                MappingComplaint::new(path, message)
                    .with_hint("name a column with a timestamp, a date or unix seconds"),
            );
            return None;
        }
        Some(Some(Cell { index, name: column.name }))
    }
}

fn identifier_path(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Id => "identifiers.id",
        IdentifierKind::Email => "identifiers.email",
        IdentifierKind::Phone => "identifiers.phone",
        IdentifierKind::CioId => "identifiers.cioId",
        IdentifierKind::AnonymousId => "identifiers.anonymousId",
        IdentifierKind::ObjectId => "object.id",
        IdentifierKind::CioObjectId => "object.cioObjectId",
    }
}
