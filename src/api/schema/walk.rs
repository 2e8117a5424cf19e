//! Walks a resource along its schema: unknown and missing fields, types, words, bounds, patterns.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::api::finding::{Finding, nearest};

/// A finding, and how it goes together with the rules.
pub(super) struct Found {
    /// What to say.
    pub(super) finding: Finding,
    /// Whether rules can't be evaluated on the tree: something is missing or of another type.
    pub(super) blocks_rules: bool,
    /// Whether a broken rule at the same field says it better.
    pub(super) superseded_by_rule: bool,
}

/// Fields of a resource's root that the schema leaves to Kubernetes.
const ROOT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Returns the resource without the nulls that mean absent: all but those the schema lets stand.
pub(super) fn without_nulls(schema: &Value, value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter_map(|(name, field)| {
                    let field_schema = property(schema, name);
                    let keeps_null = field_schema
                        .and_then(|node| node.get("nullable"))
                        .is_some_and(|nullable| nullable == true);
                    (keeps_null || !field.is_null()).then(|| {
                        (name.clone(), without_nulls(field_schema.unwrap_or(&Value::Null), field))
                    })
                })
                .collect(),
        ),
        Value::Array(items) => {
            let item_schema = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(items.iter().map(|item| without_nulls(item_schema, item)).collect())
        }
        scalar => scalar.clone(),
    }
}

/// Returns all that the schema refuses in a resource.
pub(super) fn check(schema: &Value, resource: &Value) -> Vec<Found> {
    let mut walk = Walk { found: Vec::new() };
    walk.value(schema, resource, "");
    walk.found
}

/// Returns the schema of a field, by name or for any name.
pub(super) fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| schema.get("additionalProperties").filter(|any| any.is_object()))
}

struct Walk {
    found: Vec<Found>,
}

impl Walk {
    fn say(&mut self, finding: Finding) {
        self.found.push(Found { finding, blocks_rules: false, superseded_by_rule: false });
    }

    fn say_blocking(&mut self, finding: Finding) {
        self.found.push(Found { finding, blocks_rules: true, superseded_by_rule: false });
    }

    fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        if value.is_null() && schema.get("nullable").is_some_and(|nullable| nullable == true) {
            return;
        }
        if !type_fits(schema, value) {
            self.say_blocking(wrong_type(schema, value, path));
            return;
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::String(text) => self.string(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64(), path),
            Value::Bool(_) | Value::Null => {}
        }
        self.allowed_words(schema, value, path);
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, path: &str) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let any_name = schema.get("additionalProperties").filter(|any| any.is_object());
        let is_open = properties.is_empty() && any_name.is_none();
        for (name, field) in fields {
            let field_path = join(path, name);
            match property(schema, name) {
                Some(field_schema) => self.value(field_schema, field, &field_path),
                None if path.is_empty() && ROOT_FIELDS.contains(&name.as_str()) => {}
                None if is_open && path == "metadata" => {}
                None => self.say(unknown_field(name, properties, &field_path)),
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                let description = properties.get(name).and_then(|field| field.get("description"));
                let mut finding = Finding::error(path, format!("the field `{name}` is missing"));
                finding.hint = description.and_then(Value::as_str).map(first_sentence);
                self.say_blocking(finding);
            }
        }
        self.required_alternatives(schema, fields, path);
        if let Some(most) = schema.get("maxProperties").and_then(Value::as_u64)
            && fields.len() as u64 > most
        {
            self.say_blocking(Finding::error(path, format!("at most {most} entries are allowed")));
        }
    }

    /// `anyOf` stands in our schemas only for "one of these fields is there".
    fn required_alternatives(&mut self, schema: &Value, fields: &Map<String, Value>, path: &str) {
        let Some(branches) = schema.get("anyOf").and_then(Value::as_array) else { return };
        let names: Vec<&str> = branches
            .iter()
            .filter_map(|branch| branch.get("required"))
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !names.is_empty() && !names.iter().any(|name| fields.contains_key(*name)) {
            let message = format!("one of the fields {} is needed", listed(&names));
            self.say(Finding::error(path, message));
        }
    }

    fn array(&mut self, schema: &Value, items: &[Value], path: &str) {
        let count = items.len() as u64;
        if let Some(most) = schema.get("maxItems").and_then(Value::as_u64)
            && count > most
        {
            let message = format!("at most {most} entries are allowed, there are {count}");
            self.say_blocking(Finding::error(path, message));
        }
        if let Some(fewest) = schema.get("minItems").and_then(Value::as_u64)
            && count < fewest
        {
            self.say(Finding::error(path, format!("at least {fewest} entry is needed")));
        }
        if let Some(item_schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(item_schema, item, &format!("{path}[{index}]"));
            }
        }
    }

    fn string(&mut self, schema: &Value, text: &str, path: &str) {
        let length = text.chars().count() as u64;
        if let Some(most) = schema.get("maxLength").and_then(Value::as_u64)
            && length > most
        {
            let message = format!("at most {most} characters are allowed, there are {length}");
            self.say_blocking(Finding::error(path, message));
            return;
        }
        if let Some(fewest) = schema.get("minLength").and_then(Value::as_u64)
            && length < fewest
        {
            self.say(Finding::error(path, "it must not be empty"));
            return;
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && !super::matches(pattern, text)
        {
            self.say(bad_pattern(pattern, text, path));
        }
    }

    fn number(&mut self, schema: &Value, number: Option<f64>, path: &str) {
        let Some(number) = number else { return };
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        if let Some(least) = bound("minimum")
            && number < least
        {
            self.say(Finding::error(path, format!("{number} is below {least}, the least allowed")));
        }
        if let Some(most) = bound("maximum")
            && number > most
        {
            self.say(Finding::error(path, format!("{number} is above {most}, the most allowed")));
        }
    }

    fn allowed_words(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(allowed) = schema.get("enum").and_then(Value::as_array) else { return };
        if allowed.contains(value) {
            return;
        }
        let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let written = value.as_str().unwrap_or_default();
        let mut finding =
            Finding::error(path, format!("`{}` is not one of {}", brief(written), listed(&words)));
        finding.hint =
            nearest(written, words.iter().copied()).map(|word| format!("did you mean `{word}`?"));
        self.found.push(Found { finding, blocks_rules: false, superseded_by_rule: true });
    }
}

/// Returns whether a value is of the type that a schema names.
pub(super) fn type_fits(schema: &Value, value: &Value) -> bool {
    if schema.get("x-kubernetes-int-or-string").is_some_and(|set| set == true) {
        return value.is_string() || value.is_i64() || value.is_u64();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Some("number") => value.is_number(),
        _ => true,
    }
}

fn wrong_type(schema: &Value, value: &Value, path: &str) -> Finding {
    let int_or_string = schema.get("x-kubernetes-int-or-string").is_some();
    let wanted = match schema.get("type").and_then(Value::as_str) {
        _ if int_or_string => "a whole number or a percent such as 5%",
        Some("object") => "a block of fields",
        Some("array") => "a list",
        Some("string") => "a string",
        Some("boolean") => "true or false",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        _ => "something else",
    };
    let given = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a block of fields",
    };
    let finding = Finding::error(path, format!("it must be {wanted}, but is {given}"));
    match (wanted, value) {
        ("a string", Value::Bool(_) | Value::Number(_)) => finding.hint("put it in quotes"),
        ("a list", Value::String(_) | Value::Object(_)) => finding.hint("write it as `[…]`"),
        ("true or false" | "a whole number" | "a number", Value::String(_)) => {
            finding.hint("write it without quotes")
        }
        ("a block of fields", Value::String(_)) if has_property(schema, "secretKeyRef") => finding
            .hint("values of secrets don't stand in a resource: write `secretKeyRef: {name: …, key: …}`"),
        _ => finding,
    }
}

fn has_property(schema: &Value, name: &str) -> bool {
    schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
}

fn unknown_field(name: &str, properties: &Map<String, Value>, path: &str) -> Finding {
    let finding = Finding::error(path, format!("there is no field `{}`", brief(name)));
    if name == "value" && properties.contains_key("secretKeyRef") {
        return finding.hint("only the site id may be written as a value: use secretKeyRef");
    }
    match nearest(name, properties.keys().map(String::as_str)) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if properties.is_empty() => finding,
        None if properties.len() <= 12 => {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            finding.hint(format!("the fields here are {}", listed(&names)))
        }
        None => finding.hint("`kubectl explain` and docs list the fields"),
    }
}

fn bad_pattern(pattern: &str, text: &str, path: &str) -> Finding {
    let written = brief(text);
    if pattern.contains("(ms|s|m|h)") {
        let reason = text.parse::<crate::model::duration::GoDuration>().err();
        let message = reason
            .as_ref()
            .map_or_else(|| format!("`{written}` is not a duration"), ToString::to_string);
        let hint = reason.map(|error| error.hint()).unwrap_or("write it such as 15m or 1h30m");
        return Finding::error(path, message).hint(hint);
    }
    if pattern.ends_with("%$") {
        return Finding::error(path, format!("`{written}` is neither a number nor a percent"))
            .hint("write a number of rows without quotes, or a percent such as 5%");
    }
    if pattern.starts_with("^https?") {
        return Finding::error(path, format!("`{written}` is not an http(s) address"))
            .hint("write it such as https://proxy.internal, without user, query or fragment");
    }
    Finding::error(path, format!("`{written}` does not fit the pattern {pattern}"))
}

/// Returns a path one field deeper.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns at most 60 characters of what a person wrote.
fn brief(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    text.chars().take(59).chain(['…']).collect()
}

fn listed(words: &[&str]) -> String {
    let mut list = String::new();
    for (index, word) in words.iter().enumerate() {
        let separator = match index {
            0 => "",
            _ if index + 1 == words.len() => " and ",
            _ => ", ",
        };
        // Writing to a String cannot fail.
        let _ = write!(list, "{separator}{word}");
    }
    list
}

fn first_sentence(description: &str) -> String {
    let end = description.find(". ").unwrap_or(description.len());
    let sentence = description.get(..end).unwrap_or(description).trim_end_matches('.');
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
