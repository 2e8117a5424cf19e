//! What Customer.io accepts: sizes, and names with a meaning of their own.
//!
//! Here, not in `customerio`, because mappings are checked against it before any connection is
//! known. Source, where no other is named: the descriptions of the Track API, versions 1 and 2,
//! and the vendor's page on invalid API requests.

/// Longest id of a person or an object, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 150;

/// Longest e-mail address, in bytes: the longest that fits a path of SMTP.
/// Source: RFC 5321, 4.5.3.1.3; Customer.io publishes no limit of its own.
const EMAIL_BYTES_MAX: usize = 254;

/// Longest name of an attribute, in bytes.
/// Source: "attribute name cannot be longer than 150 bytes".
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 150;

/// Longest value of an attribute, in bytes.
/// Source: "value for attribute 'X' cannot be longer than 1000 bytes". How the limit counts nested
/// values is not published.
pub const ATTRIBUTE_VALUE_BYTES_MAX: usize = 1_000;

/// Most attributes in one request about a person or an object.
/// Source: "cannot identify more than 300 attributes in one request".
pub const ATTRIBUTES_MAX: usize = 300;

/// Longest name of an event, in bytes.
/// Source: "event name cannot be longer than 100 bytes".
pub const EVENT_NAME_BYTES_MAX: usize = 100;

/// Longest token of a device, in bytes. Customer.io publishes no limit; the longest tokens in use
/// have some hundred bytes, and what is no token should not fill what is remembered.
pub const DEVICE_TOKEN_BYTES_MAX: usize = 4_096;

/// Paths of single subscription topics start so. They are the one kind of dotted name whose
/// meaning is published: setting one leaves the other topics alone.
const TOPICS_PREFIX: &str = "cio_subscription_preferences.topics.";

/// The field that carries a person's relationships to objects.
const RELATIONSHIPS: &str = "cio_relationships";

/// Returns why no attribute of a person can have this name, in words that follow the name; `None`
/// where it can.
pub fn attribute_name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > ATTRIBUTE_NAME_BYTES_MAX {
        Some("is longer than 150 bytes")
    } else if name.starts_with('_') {
        // `_update` and `_timestamp` are controls; the rest is the vendor's to use.
        Some("starts with `_`, which Customer.io keeps for itself")
    } else if name == RELATIONSHIPS {
        Some("is Customer.io's own, for relationships to objects")
    } else if name.contains('.') && !name.starts_with(TOPICS_PREFIX) {
        Some("has a dot, which Customer.io may take for a path into the attribute before it")
    } else {
        None
    }
}

/// Returns whether the text can be an e-mail address.
///
/// Customer.io publishes no rule; this refuses what no mail system delivers to and lets doubtful
/// ones pass: one `@` with something before it, and after it a domain of at least two labels; no
/// spaces, control characters, quotes, brackets, commas or colons; at most 254 bytes.
pub fn is_plausible_email(text: &str) -> bool {
    const FORBIDDEN: &[char] = &['"', '(', ')', ',', ':', ';', '<', '>', '[', '\\', ']', '@'];
    if text.is_ascii() {
        return is_plausible_ascii_email(text.as_bytes());
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_clean = |part: &str| {
        !part.chars().any(|c| c.is_whitespace() || c.is_control() || FORBIDDEN.contains(&c))
    };
    let is_label =
        |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    text.len() <= EMAIL_BYTES_MAX
        && !local.is_empty()
        && is_clean(local)
        && is_clean(domain)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// The same for ASCII, which nearly all addresses are, in one pass.
fn is_plausible_ascii_email(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    let (mut is_clean, mut local_len) = (true, 0);
    for byte in bytes.by_ref().take_while(|byte| **byte != b'@') {
        is_clean &= !IS_NO_ADDRESS_BYTE[usize::from(*byte)];
        local_len += 1;
    }
    let (mut has_dot, mut before) = (false, b'.');
    for &byte in bytes {
        is_clean &= !IS_NO_ADDRESS_BYTE[usize::from(byte)];
        match byte {
            b'.' => {
                is_clean &= before != b'.' && before != b'-';
                has_dot = true;
            }
            b'-' => is_clean &= before != b'.',
            _ => {}
        }
        before = byte;
    }
    let has_ends = local_len > 0 && before != b'.' && before != b'-';
    is_clean && has_dot && has_ends && text.len() <= EMAIL_BYTES_MAX
}

/// Whether an address can't have a byte, by its value.
static IS_NO_ADDRESS_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = is_no_address_byte(byte as u8);
        byte += 1;
    }
    table
};

/// The ASCII among what [`is_plausible_email`] forbids, white space and controls included.
const fn is_no_address_byte(byte: u8) -> bool {
    byte <= b' '
        || matches!(
            byte,
            b'"' | b'('
                | b')'
                | b','
                | b':'
                | b';'
                | b'<'
                | b'>'
                | b'['
                | b'\\'
                | b']'
                | b'@'
                | 0x7f
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_delivered_to_are_plausible() {
        for text in [
            "ann@example.com",
            "Ann.O'Hara+tag@mail.example.co.uk",
            "..docomo..@example.ne.jp",
            "jörg@müller.example",
            "a@b.c",
        ] {
            assert!(is_plausible_email(text), "{text}");
        }
    }

    #[test]
    fn texts_that_no_mail_reaches_are_not_plausible() {
        let long = format!("{}@example.com", "a".repeat(EMAIL_BYTES_MAX));
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@example",
            "ann@.com",
            "ann@example.com.",
            "ann@-example.com",
            "ann@example-.com",
            "ann@example.-com",
            "ann@example.com-",
            "ann@example..com",
            "ann.example.com",
            "@@example.com",
            "ann smith@example.com",
            "ann@exam ple.com",
            "ann@b@example.com",
            "Ann <ann@example.com>",
            "a@example.com,b@example.com",
            "ann@example.com\n",
            long.as_str(),
        ] {
            assert!(!is_plausible_email(text), "{text:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_of_their_own_are_no_attributes() {
        let (longest, too_long) = ("x".repeat(150), "x".repeat(151));
        for name in ["", "_update", "_x", "cio_relationships", "a.b", "unsubscribed.", &too_long] {
            assert!(attribute_name_problem(name).is_some(), "{name}");
        }
        for name in [
            "plan",
            "Größe in cm",
            "created_at",
            "unsubscribed",
            "cio_subscription_preferences.topics.topic_7",
            &longest,
        ] {
            assert_eq!(attribute_name_problem(name), None, "{name}");
        }
    }
}
