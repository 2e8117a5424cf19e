//! Words for people: whole sentences, never too long for a condition or an event.

/// Longest message of a condition or an event, in bytes. Source: the API server refuses an event
/// whose note is longer than 1 KiB; conditions keep to the same.
pub const MESSAGE_LENGTH_MAX: usize = 1024;

/// Returns sentences out of phrases, each with a capital and a full stop, cut to
/// [`MESSAGE_LENGTH_MAX`]. Empty phrases are left out.
pub(super) fn sentences(phrases: &[&str]) -> String {
    let mut text = String::new();
    for phrase in phrases.iter().map(|phrase| phrase.trim()).filter(|phrase| !phrase.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        let mut letters = phrase.chars();
        if !begins_with_a_field(phrase) {
            text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        }
        text.push_str(letters.as_str());
        if !phrase.ends_with(['.', '!', '?']) {
            text.push('.');
        }
    }
    clip(text)
}

/// Returns whether the first word is a field of a resource, which is written as it is.
fn begins_with_a_field(phrase: &str) -> bool {
    phrase.starts_with("spec.") || phrase.starts_with("metadata.")
}

/// Cuts a text to [`MESSAGE_LENGTH_MAX`].
fn clip(mut text: String) -> String {
    if text.len() > MESSAGE_LENGTH_MAX {
        let end = text.floor_char_boundary(MESSAGE_LENGTH_MAX - '…'.len_utf8());
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Returns `1 row`, `2 rows`.
pub(super) fn count(number: i64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_become_sentences_and_long_ones_are_cut_between_letters() {
        assert_eq!(
            sentences(&["grant select on it", "", "no access."]),
            "Grant select on it. No access."
        );
        assert_eq!(
            sentences(&["spec.schedule: `61` is no minute", "set it"]),
            "spec.schedule: `61` is no minute. Set it."
        );
        let long = sentences(&["ä".repeat(2000).as_str()]);
        assert!(long.len() <= MESSAGE_LENGTH_MAX && long.ends_with('…'));
    }
}
