//! Leaves out of a resource what its schema refuses, so that the rest can still be looked at.
//!
//! Only for finding more complaints in one go: a mended resource is never run.

use serde_json::{Map, Value};

use crate::api::schema::walk;

/// Returns the resource without the values that its schema refuses; a wrong word becomes an allowed
/// one. May still lack required fields.
pub(super) fn mended(schema: &Value, resource: &Value) -> Value {
    match resource {
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, field) in fields {
                match walk::property(schema, name) {
                    // The schema leaves metadata to Kubernetes; unknown fields hinder nobody.
                    None => {
                        kept.insert(name.clone(), field.clone());
                    }
                    Some(field_schema) => {
                        if let Some(field) = mended_field(field_schema, field) {
                            kept.insert(name.clone(), field);
                        }
                    }
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let item_schema = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(
                items
                    .iter()
                    .map(|item| mended_field(item_schema, item).unwrap_or_default())
                    .collect(),
            )
        }
        scalar => scalar.clone(),
    }
}

fn mended_field(schema: &Value, field: &Value) -> Option<Value> {
    if field.is_object() || field.is_array() {
        return walk::type_fits(schema, field).then(|| mended(schema, field));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(field)
    {
        return words.first().cloned();
    }
    let is_refused = walk::check(schema, field).iter().any(|found| !found.superseded_by_rule);
    (!is_refused).then(|| field.clone())
}
