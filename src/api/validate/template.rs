//! Templates such as `{{first_name}} {{last_name}}`, as far as a spec can be checked.

use thiserror::Error;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum TemplateError {
    /// `{{` without `}}`.
    #[error("a `{{{{` is never closed")]
    Unclosed,
    /// `}}` without `{{`.
    #[error("a `}}}}` was never opened")]
    Unopened,
    /// `{{ }}`.
    #[error("`{{{{}}}}` names no column")]
    Empty,
    /// Something other than a column's name, such as a filter.
    #[error("`{{{{{0}}}}}` is more than a column's name")]
    NotAColumn(String),
    /// No column at all.
    #[error("it names no column")]
    NoColumn,
}

/// Returns the columns that a template names, in order.
pub(super) fn columns(template: &str) -> Result<Vec<&str>, TemplateError> {
    let mut columns = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once("{{") {
        if text.contains("}}") {
            return Err(TemplateError::Unopened);
        }
        let (inside, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
        let column = inside.trim();
        if column.is_empty() {
            return Err(TemplateError::Empty);
        }
        if column.contains(['{', '}', '|', '(', ')', '\'', '"', '%']) {
            return Err(TemplateError::NotAColumn(column.chars().take(60).collect()));
        }
        columns.push(column);
        rest = after;
    }
    if rest.contains("}}") {
        return Err(TemplateError::Unopened);
    }
    if columns.is_empty() {
        return Err(TemplateError::NoColumn);
    }
    Ok(columns)
}
