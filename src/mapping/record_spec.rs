//! The part of a Sync that decides what is sent for a row, and the columns that it needs.

use super::about::About;
use super::spec::{MappingSpec, Nulls, UnmappedColumns};
use super::template::Template;
use crate::model::{Column, IdentifierKind, OperationKind, TargetKind};

/// The part of a Sync that decides what is sent for a row.
#[derive(Clone, Debug)]
pub struct RecordSpec {
    /// What is asked of Customer.io for each row.
    pub operation: OperationKind,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The identifier of the person or object, and the column that holds it.
    pub identifier: (IdentifierKind, String),
    /// What rows are about beside it.
    pub about: About,
    /// The mappings as written.
    pub mappings: Vec<MappingSpec>,
    /// What happens to the columns that the spec uses nowhere.
    pub unmapped_columns: UnmappedColumns,
    /// What happens to nulls.
    pub nulls: Nulls,
}

impl RecordSpec {
    /// Returns what the targets of the rows are.
    pub fn target_kind(&self) -> TargetKind {
        let is_pair = match self.about {
            About::Person | About::Object { .. } | About::Event { .. } | About::CollectionRow => {
                false
            }
            About::Relationship { .. } | About::Device { .. } => true,
        };
        TargetKind { identifier: self.identifier.0, is_pair }
    }

    /// Returns the columns to read out of those that the query has, each once: the key, the
    /// identifier, what rows are about, and what the mappings name. Names that the query lacks are left out; compiling
    /// complains of them.
    pub fn needed_columns(&self, available: &[Column]) -> Vec<String> {
        let mut needed = self.named_columns();
        if self.operation.has_attributes() && self.unmapped_columns == UnmappedColumns::Include {
            needed.extend(available.iter().map(|column| column.name.clone()));
        }
        let mut columns: Vec<String> = Vec::new();
        for name in needed {
            if available.iter().any(|column| column.name == name) && !columns.contains(&name) {
                columns.push(name);
            }
        }
        columns
    }

    /// Returns the columns that the spec names: the key's first. A name may come twice.
    pub fn named_columns(&self) -> Vec<String> {
        let mut named = self.primary_key.clone();
        named.push(self.identifier.1.clone());
        named.extend(self.about.columns(self.operation).into_iter().map(str::to_owned));
        if self.operation.has_attributes() {
            named.extend(self.mappings.iter().filter_map(|mapping| mapping.from.clone()));
            for mapping in &self.mappings {
                let template = mapping.template.as_deref().map(Template::parse);
                if let Some(Ok(template)) = template {
                    named.extend(template.columns().map(str::to_owned));
                }
            }
        }
        named
    }
}
