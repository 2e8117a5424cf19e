//! Texts with columns in them: `{{first_name}} {{last_name}}`.

use crate::model::{Row, Value, text};

/// A template taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column { name: String, index: usize },
}

/// Why a template can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` without its `}}`.
    #[error("has a `{{{{` without its `}}}}`")]
    Unclosed,
    /// A pair of braces without a name.
    #[error("has `{{{{}}}}` without a column's name")]
    Empty,
    /// Anything but a column's name between the braces.
    #[error("knows column names between its braces and nothing else")]
    NotAName,
    /// No column at all.
    #[error("names no column; write a `constant` instead")]
    NoColumn,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where braces don't match or hold anything but a name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, behind) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            let name = name.trim();
            if name.is_empty() {
                return Err(TemplateError::Empty);
            }
            if name.contains(['{', '}', '|', '(', ')']) {
                return Err(TemplateError::NotAName);
            }
            parts.push(Part::Column { name: name.to_owned(), index: 0 });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if !parts.iter().any(|part| matches!(part, Part::Column { .. })) {
            return Err(TemplateError::NoColumn);
        }
        Ok(Self { parts })
    }

    /// Returns the names of the columns, in the order of the text.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Tells each column's place in the rows to come.
    pub fn bind(&mut self, index_of: impl Fn(&str) -> Option<usize>) {
        for part in &mut self.parts {
            if let Part::Column { name, index } = part {
                *index = index_of(name).unwrap_or(usize::MAX);
            }
        }
    }

    /// Replaces `out` by the text for `row`; `Ok(false)` where all its columns are null.
    ///
    /// # Errors
    /// The name of a column whose value has no text.
    pub fn render(&self, row: Row<'_>, out: &mut String) -> Result<bool, &str> {
        out.clear();
        let mut any = false;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Column { name, index } => match row.value(*index) {
                    Value::Null => {}
                    value => {
                        any = true;
                        if !write_text(value, out) {
                            return Err(name);
                        }
                    }
                },
            }
        }
        Ok(any)
    }
}

/// Appends a value's text as it stands inside other text; `false` where it has none.
pub fn write_text(value: Value<'_>, out: &mut String) -> bool {
    match value {
        Value::Float(number) => {
            let mut digits = Vec::new();
            let written = crate::model::number::write_json_float(&mut digits, number);
            out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
            written
        }
        Value::Json(text) => {
            out.push_str(text);
            true
        }
        other => text::write_value_text(other, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RowBatch;

    fn render(text: &str, values: &[Value<'_>]) -> Option<String> {
        let mut template = Template::parse(text).unwrap();
        template.bind(|name| name.strip_prefix('c').and_then(|index| index.parse().ok()));
        let mut batch = RowBatch::new(values.len());
        values.iter().for_each(|value| batch.push(*value));
        let mut out = String::new();
        template.render(batch.row(0).unwrap(), &mut out).unwrap().then_some(out)
    }

    #[test]
    fn a_null_is_empty_and_all_nulls_are_null() {
        let text = "{{c0}} {{ c1 }}!";

        assert_eq!(render(text, &[Value::Text("Ann"), Value::Int(3)]).as_deref(), Some("Ann 3!"));
        assert_eq!(render(text, &[Value::Text("Ann"), Value::Null]).as_deref(), Some("Ann !"));
        assert_eq!(render(text, &[Value::Null, Value::Null]), None);
    }

    #[test]
    fn anything_but_column_names_is_refused() {
        assert_eq!(Template::parse("{{a"), Err(TemplateError::Unclosed));
        assert_eq!(Template::parse("{{ }}"), Err(TemplateError::Empty));
        assert_eq!(Template::parse("{{a | upcase}}"), Err(TemplateError::NotAName));
        assert_eq!(Template::parse("plain"), Err(TemplateError::NoColumn));
    }
}
