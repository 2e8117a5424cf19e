//! What a check has to say about one field of one resource.

use std::fmt;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The resource can't be used as it is.
    Error,
    /// Good to know; the resource can be used.
    Note,
}

/// What is wrong with one field (or good to know about it), and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it hinders.
    pub severity: Severity,
    /// Path of the field from the resource's root, such as `spec.mappings[2].type`.
    pub path: String,
    /// What is wrong, in lower case, without final dot.
    pub message: String,
    /// What to do, if the message doesn't say it.
    pub hint: Option<String>,
}

impl Finding {
    /// Returns a finding that hinders.
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, path: path.into(), message: message.into(), hint: None }
    }

    /// Returns a finding that is good to know.
    pub fn note(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, path: path.into(), message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Returns the candidate that the person most likely meant, if one is near enough.
///
/// Near is a similarity of 0.75 (Jaro-Winkler) without case: one or two letters of a usual word.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const SIMILARITY_MIN: f64 = 0.75;
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&written, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not() {
        let fields = ["mappings", "model", "schedule", "primaryKey"];

        assert_eq!(nearest("mapings", fields), Some("mappings"));
        assert_eq!(nearest("primary_key", fields), Some("primaryKey"));
        assert_eq!(nearest("colour", fields), None);
    }
}
