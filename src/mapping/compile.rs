//! The mapping as written, held against the columns of a query: all complaints at once.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::attribute::{Attribute, Meaning, Origin, is_about_person};
use super::consent::{ConsentKind, UNSUBSCRIBED};
use super::convert::convert;
use super::error::MappingComplaint;
use super::mapper::Mapper;
use super::nearest::nearest_columns;
use super::record_spec::RecordSpec;
use super::spec::{ConsentPolicy, ConstantSpec, MappingSpec, UnmappedColumns, ValueType};
use super::template::Template;
use crate::model::limits::{ATTRIBUTES_MAX, attribute_name_problem};
use crate::model::record::encoded_name;
use crate::model::{Column, KeyKind, KeyShape, OperationKind, Value, ValueKind};

mod subject;

/// Returns the mapper for rows of `columns`.
///
/// # Errors
/// All that does not fit: columns that are not there (with the nearest names), kinds that can't
/// be a key or can't be sent, two mappings to one attribute, names Customer.io reserves.
pub fn compile(spec: &RecordSpec, columns: &[Column]) -> Result<Mapper, Vec<MappingComplaint>> {
    let mut compiler =
        Compiler { spec, columns, complaints: Vec::new(), attributes: BTreeMap::new() };
    let (key_columns, kinds) = compiler.primary_key();
    let subject = compiler.subject();
    if spec.operation.has_attributes() {
        for (index, mapping) in spec.mappings.iter().enumerate() {
            compiler.mapping(index, mapping);
        }
        if spec.unmapped_columns == UnmappedColumns::Include {
            compiler.unmapped();
        }
        compiler.count();
    }
    let Compiler { complaints, attributes, .. } = compiler;
    if !complaints.is_empty() {
        return Err(complaints);
    }
    let Some(subject) = subject else { return Err(complaints) };
    Ok(Mapper {
        key_columns,
        key_shape: KeyShape(kinds),
        target_is_key: spec.operation == OperationKind::EventTrack
            || spec.operation == OperationKind::CollectionReplace
            || (!subject.kind.is_pair && spec.primary_key == [spec.identifier.1.clone()]),
        key_names: spec.primary_key.clone(),
        subject,
        attributes: attributes.into_values().map(|(_, attribute)| attribute).collect(),
        template_text: String::new(),
        non_finite_count: 0,
    })
}

struct Compiler<'a> {
    spec: &'a RecordSpec,
    columns: &'a [Column],
    complaints: Vec<MappingComplaint>,
    /// By name: where it was written, and the attribute.
    attributes: BTreeMap<String, (String, Attribute)>,
}

impl Compiler<'_> {
    fn complain(&mut self, complaint: MappingComplaint) {
        self.complaints.push(complaint);
    }

    fn column(&mut self, name: &str, path: &str) -> Option<(usize, Column)> {
        let found = self.columns.iter().enumerate().find(|(_, column)| column.name == name);
        if let Some((index, column)) = found {
            return Some((index, column.clone()));
        }
        let mut complaint =
            MappingComplaint::new(path, format!("the query returns no column `{name}`"));
        complaint.hint = Some(nearest_columns(name, self.columns));
        self.complain(complaint);
        None
    }

    fn primary_key(&mut self) -> (Vec<usize>, Vec<KeyKind>) {
        let mut indexes = Vec::new();
        let mut kinds = Vec::new();
        for (place, name) in self.spec.primary_key.iter().enumerate() {
            let path = format!("model.primaryKey[{place}]");
            let Some((index, column)) = self.column(name, &path) else { continue };
            match KeyKind::of(column.kind) {
                Some(kind) => {
                    indexes.push(index);
                    kinds.push(kind);
                }
                None => self.complain(
                    MappingComplaint::new(
                        path,
                        format!(
                            "column `{name}` of type {} can't be part of a key",
                            column.type_name
                        ),
                    )
                    .with_hint(format!("cast it in the query: `{name}::text as {name}`")),
                ),
            }
        }
        (indexes, kinds)
    }

    fn mapping(&mut self, index: usize, mapping: &MappingSpec) {
        let path = format!("mappings[{index}]");
        let Some(name) = mapping.attribute().map(str::to_owned) else {
            self.complain(
                MappingComplaint::new(&path, "has no name for the attribute").with_hint(
                    "add `to`: a constant or template has no column to take its name from",
                ),
            );
            return;
        };
        let Some(time_zone) = self.time_zone(mapping, &path) else { return };
        let Some(origin) = self.origin(mapping, &path, &time_zone) else { return };
        let is_about_person = is_about_person(self.spec.operation);
        let consent = match mapping.consent {
            None if is_about_person => ConsentKind::of(&name),
            None | Some(ConsentPolicy::Overwrite) => None,
        };
        let overwrites_unsubscribed = is_about_person && consent.is_none() && name == UNSUBSCRIBED;
        let attribute = Attribute {
            meaning: Meaning::of(&name, self.spec.operation),
            encoded_name: encoded_name(&name),
            origin,
            value_type: mapping
                .value_type
                .or(overwrites_unsubscribed.then_some(ValueType::Boolean)),
            time_zone,
            nulls: self.spec.nulls,
            consent,
            name,
        };
        self.add(path, attribute);
    }

    fn time_zone(&mut self, mapping: &MappingSpec, path: &str) -> Option<TimeZone> {
        let Some(name) = mapping.time_zone.as_deref() else { return Some(TimeZone::UTC) };
        match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                self.complain(
                    MappingComplaint::new(
                        format!("{path}.timeZone"),
                        format!("`{name}` is no time zone"),
                    )
                    .with_hint("write a name of the IANA database, such as Europe/Berlin"),
                );
                None
            }
        }
    }

    fn origin(&mut self, mapping: &MappingSpec, path: &str, zone: &TimeZone) -> Option<Origin> {
        if let Some(column) = &mapping.from {
            let path = format!("{path}.from");
            let (index, column) = self.column(column, &path)?;
            self.sendable(&column, &path)?;
            return Some(Origin::Column(index));
        }
        if let Some(constant) = &mapping.constant {
            let value = match constant {
                ConstantSpec::Null => Value::Null,
                ConstantSpec::Text(text) => Value::Text(text),
            };
            let mut canonical = Vec::new();
            return match convert(value, mapping.value_type, zone, &mut canonical) {
                Ok(()) => Some(Origin::Constant(canonical)),
                Err(error) => {
                    let message = format!("the constant {}", error.message);
                    self.complain(MappingComplaint::new(format!("{path}.constant"), message));
                    None
                }
            };
        }
        let path = format!("{path}.template");
        let text = mapping.template.as_deref().unwrap_or_default();
        match Template::parse(text) {
            Ok(mut template) => {
                let names: Vec<String> = template.columns().map(str::to_owned).collect();
                for name in names {
                    let (_, column) = self.column(&name, &path)?;
                    self.sendable(&column, &path)?;
                }
                template.bind(|name| self.columns.iter().position(|column| column.name == name));
                Some(Origin::Template(template))
            }
            Err(error) => {
                self.complain(MappingComplaint::new(path, format!("the template {error}")));
                None
            }
        }
    }

    fn sendable(&mut self, column: &Column, path: &str) -> Option<()> {
        if column.kind != ValueKind::Unsupported {
            return Some(());
        }
        let Column { name, type_name, .. } = column;
        self.complain(
            MappingComplaint::new(
                path,
                format!("column `{name}` of type {type_name} can't be sent"),
            )
            .with_hint(format!("cast it in the query: `{name}::text as {name}`")),
        );
        None
    }

    fn add(&mut self, path: String, attribute: Attribute) {
        if let Some(problem) = attribute_name_problem(&attribute.name) {
            let message = format!("attribute name `{}` {problem}", attribute.name);
            self.complain(MappingComplaint::new(path, message));
            return;
        }
        if let Some((earlier, _)) = self.attributes.get(&attribute.name) {
            let message = format!("attribute `{}` is written by {earlier} already", attribute.name);
            self.complain(
                MappingComplaint::new(path, message)
                    .with_hint("keep one of the two, or rename one"),
            );
            return;
        }
        self.attributes.insert(attribute.name.clone(), (path, attribute));
    }

    fn unmapped(&mut self) {
        let templates: Vec<Template> = self
            .spec
            .mappings
            .iter()
            .filter_map(|mapping| Template::parse(mapping.template.as_deref()?).ok())
            .collect();
        let operation = self.spec.operation;
        let about = self.spec.about.columns(operation);
        let used = |name: &str| {
            about.contains(&name)
                || self.spec.primary_key.iter().any(|key| key == name)
                || self.spec.identifier.1 == name
                || self.spec.mappings.iter().any(|mapping| mapping.from.as_deref() == Some(name))
                || templates.iter().flat_map(Template::columns).any(|column| column == name)
        };
        let unused: Vec<(usize, Column)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !used(&column.name))
            .map(|(index, column)| (index, column.clone()))
            .collect();
        for (index, column) in unused {
            let path = format!("unmappedColumns (column `{}`)", column.name);
            if self.sendable(&column, &path).is_none() {
                continue;
            }
            let attribute = Attribute {
                meaning: Meaning::of(&column.name, operation),
                encoded_name: encoded_name(&column.name),
                origin: Origin::Column(index),
                value_type: None,
                time_zone: TimeZone::UTC,
                nulls: self.spec.nulls,
                consent: ConsentKind::of(&column.name).filter(|_| is_about_person(operation)),
                name: column.name,
            };
            self.add(path, attribute);
        }
    }

    fn count(&mut self) {
        let count = self.attributes.len();
        let operation = self.spec.operation;
        if count == 0 && operation == OperationKind::CollectionReplace {
            self.complain(
                MappingComplaint::new("mappings", "every row of the collection would be empty")
                    .with_hint("map columns, or set `unmappedColumns: include`"),
            );
        }
        let is_unlimited =
            matches!(operation, OperationKind::EventTrack | OperationKind::CollectionReplace);
        if count > ATTRIBUTES_MAX && !is_unlimited {
            self.complain(
                MappingComplaint::new(
                    "mappings",
                    format!("{count} attributes are more than the {ATTRIBUTES_MAX} that Customer.io takes in one request"),
                )
                .with_hint("map fewer columns, or set `unmappedColumns: ignore`"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
