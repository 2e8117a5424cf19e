//! A complaint about a file: where it is, what is wrong, what to do.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::api::{Finding, Severity};

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Path of the file as it was given, or `<stdin>`.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Document within the file, from 1; 0 for the file as a whole.
    pub document: usize,
}

impl Place {
    /// Returns the folder that relative paths in the manifest count from.
    pub fn folder(&self) -> PathBuf {
        Path::new(&self.file).parent().map(Path::to_path_buf).unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// A finding about a manifest, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// Whether it hinders or is good to know.
    pub severity: Severity,
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// Column, from 1, where a parser named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Which object, such as `Sync growth/customers`; `None` if the text can't be read as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Path of the field, such as `spec.mappings[2].type`; empty for the object as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What is wrong. Never holds a value of a Secret.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Complaint {
    /// Returns whether it hinders; a note doesn't.
    pub fn hinders(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Returns a finding at a place.
    pub(super) fn at(place: Place, object: Option<String>, finding: Finding) -> Self {
        Self {
            severity: finding.severity,
            place,
            column: None,
            object,
            path: finding.path,
            message: finding.message,
            hint: finding.hint,
        }
    }
}

impl fmt::Display for Complaint {
    /// Writes `file:line: path: message`, and the hint on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        f.write_str(": ")?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}
