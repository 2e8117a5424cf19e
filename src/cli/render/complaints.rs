//! Complaints about files, as a compiler prints them.

use anstyle::{AnsiColor, Style};

use crate::api::Severity;
use crate::manifest::Complaint;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Returns complaints as text: place, object, field, message, and what to do below it.
pub fn render(complaints: &[Complaint]) -> String {
    let mut out = String::new();
    for complaint in complaints {
        let (style, word) = match complaint.severity {
            Severity::Error => (ERROR, "error"),
            Severity::Note => (NOTE, "note"),
        };
        out += &format!("{style}{word}{style:#}: {complaint}\n");
    }
    out
}

/// Returns the closing line of a list of errors.
pub fn summary(errors: usize) -> String {
    match errors {
        1 => "1 error; nothing was opened".to_owned(),
        count => format!("{count} errors; nothing was opened"),
    }
}

/// Returns one line of error, and what to do below it.
pub fn error_line(message: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    format!("{ERROR}error{ERROR:#}: {message}{hint}")
}
