//! The same checks that the API server makes, without one: schema first, then rules.
//!
//! Works on the generic tree of a manifest, so that every complaint names its field and all of
//! them come at once.

use std::sync::OnceLock;

use kube::core::cel::cel::{Context, Program, Value as CelValue};
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use crate::api::finding::Finding;
use crate::api::{Kind, crds};

mod mend;
mod walk;

/// One kind's schema, as the CRD holds it, and its compiled rules.
struct Schema {
    tree: Value,
    rules: CompiledSchema,
}

/// Returns what the API server would refuse in a new resource: unknown fields, wrong types, values
/// out of bounds, broken rules. Empty if it would be accepted.
///
/// Nulls in `resource` count as absent, as on the API server.
pub fn check(kind: Kind, resource: &Value) -> Vec<Finding> {
    findings(kind, resource, None)
}

/// Returns what the API server would refuse in an edit from `old` to `resource`, immutable fields
/// included.
pub fn check_edit(kind: Kind, resource: &Value, old: &Value) -> Vec<Finding> {
    findings(kind, resource, Some(old))
}

/// Returns the resource without the nulls that mean absent, as the API server prunes them.
pub fn without_nulls(kind: Kind, resource: &Value) -> Value {
    walk::without_nulls(&schema(kind).tree, resource)
}

/// Returns the resource without the values that its schema refuses, for looking at the rest. Never
/// to be run.
pub fn mended(kind: Kind, resource: &Value) -> Value {
    mend::mended(&schema(kind).tree, resource)
}

fn findings(kind: Kind, resource: &Value, old: Option<&Value>) -> Vec<Finding> {
    let schema = schema(kind);
    let resource = walk::without_nulls(&schema.tree, resource);
    let old = old.map(|old| walk::without_nulls(&schema.tree, old));
    let mut findings = walk::check(&schema.tree, &resource);
    // The API server looks at no rule before the shape is right. Here a rule that is plainly broken
    // is told at once; one that can't be evaluated on such a tree says nothing.
    let is_misshapen = findings.iter().any(|found| found.blocks_rules);
    let broken: Vec<Finding> = Validator::new()
        .validate_compiled(&schema.rules, &resource, old.as_ref())
        .err()
        .map(|errors| errors.into_vec())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|error| match error.kind {
            ErrorKind::ValidationFailure => Some(Finding::error(error.field_path, error.message)),
            _ if is_misshapen => None,
            _ => Some(Finding::error(
                error.field_path,
                format!("a rule could not be evaluated offline: {}", error.message),
            )),
        })
        .collect();
    // Where a rule explains a wrong word, the bare list of allowed words adds nothing.
    findings.retain(|found| {
        !found.superseded_by_rule || broken.iter().all(|rule| rule.path != found.finding.path)
    });
    findings.into_iter().map(|found| found.finding).chain(broken).collect()
}

/// Returns a kind's schema, made on first use.
fn schema(kind: Kind) -> &'static Schema {
    static SCHEMAS: [OnceLock<Schema>; 3] = [const { OnceLock::new() }; 3];
    let cell = match kind {
        Kind::Source => &SCHEMAS[0],
        Kind::CustomerIoConnection => &SCHEMAS[1],
        Kind::Sync => &SCHEMAS[2],
    };
    cell.get_or_init(|| {
        let tree = crds::definition(kind)
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .cloned()
            .unwrap_or_default();
        let rules = compile_schema(&tree);
        Schema { tree, rules }
    })
}

/// Returns whether a text fits a schema's pattern, in the same dialect of regular expressions that
/// the rules use.
fn matches(pattern: &str, text: &str) -> bool {
    let Ok(program) = Program::compile("text.matches(pattern)") else { return true };
    let mut context = Context::default();
    context.add_variable_from_value("text", text.to_owned());
    context.add_variable_from_value("pattern", pattern.to_owned());
    matches!(program.execute(&context), Ok(CelValue::Bool(true)))
}
