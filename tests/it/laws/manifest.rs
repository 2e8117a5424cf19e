//! Any text as a manifest: complaints with a place that exists, and never a panic.

use ciosync::manifest::{Complaint, Manifests, check_references, check_secrets};

const FILE: &str = "folder/file.yaml";

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let manifests = Manifests::parse([(FILE, text)], "default");

    let mut complaints = manifests.complaints.clone();
    complaints.extend(check_references(&manifests));
    complaints.extend(check_secrets(&manifests));
    // YAML 1.1 and 1.2 disagree on what breaks a line; the most of all.
    let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let line_count = text.split(breaks).count();
    for complaint in complaints.iter().chain(&manifests.notes) {
        check_told(complaint, line_count);
    }
    assert!(format!("{manifests:?}").len() >= complaints.len());
}

fn check_told(complaint: &Complaint, line_count: usize) {
    assert_eq!(complaint.place.file, FILE);
    let line = complaint.place.line;
    assert!(line <= line_count, "line {line} of {line_count}: {complaint}");
    assert!(!complaint.message.is_empty() && complaint.column != Some(0), "{complaint:?}");
    assert!(complaint.to_string().starts_with(FILE));
}
