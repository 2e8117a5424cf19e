//! What Customer.io accepts: sizes, and names with a meaning of their own.
//!
//! Here, not in `customerio`, because mappings are checked against it before any connection is
//! known. Source, where no other is named: the descriptions of the Track API, versions 1 and 2,
//! and the vendor's page on invalid API requests.

/// Longest id of a person or an object, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 150;

/// Longest e-mail address, in bytes: the longest that fits a path of SMTP.
/// Source: RFC 5321, 4.5.3.1.3; Customer.io publishes no limit of its own.
pub const EMAIL_BYTES_MAX: usize = 254;

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

/// Names by which Customer.io tells people apart. Once set they change only under conditions, and
/// nothing may null them.
pub const IDENTIFIER_NAMES: [&str; 5] = ["id", "email", "phone", "cio_id", "anonymous_id"];

/// The attribute that holds when a person signed up, in Unix seconds.
pub const CREATED_AT: &str = "created_at";

/// The attribute that unsubscribes a person from everything.
pub const UNSUBSCRIBED: &str = "unsubscribed";

/// The attribute that holds a person's subscription topics.
pub const SUBSCRIPTION_PREFERENCES: &str = "cio_subscription_preferences";

/// Path of one subscription topic; its number follows. Setting it leaves the other topics alone.
pub const TOPIC_PREFIX: &str = "cio_subscription_preferences.topics.topic_";

/// The field that carries a person's relationships to objects.
const RELATIONSHIPS: &str = "cio_relationships";

/// Returns whether the name is Customer.io's own and can't be a mapped attribute of a person:
/// names that start with `_` are controls (`_update`, `_timestamp`), one carries relationships.
pub fn is_reserved_name(name: &str) -> bool {
    name.starts_with('_') || name == RELATIONSHIPS
}

/// Returns whether the name identifies a person.
pub fn is_identifier_name(name: &str) -> bool {
    IDENTIFIER_NAMES.contains(&name)
}

/// Returns whether the name holds consent: the general opt-out, or subscription topics as a whole
/// or one by one.
pub fn is_consent_name(name: &str) -> bool {
    name == UNSUBSCRIBED
        || name.strip_prefix(SUBSCRIPTION_PREFERENCES).is_some_and(|rest| {
            // `cio_subscription_preferences_extra` is a name like any other.
            rest.is_empty() || rest.starts_with('.')
        })
}

/// Returns whether an attribute of this name keeps its value where a row has null, and is left out
/// when a removed row's attributes are cleared: identifiers, `created_at` and consent.
pub fn is_never_nulled(name: &str) -> bool {
    is_identifier_name(name) || name == CREATED_AT || is_consent_name(name)
}

/// Returns whether the name has a dot without being the path of a subscription topic, the one
/// dotted path whose meaning is published.
pub fn has_unknown_path(name: &str) -> bool {
    let is_topic = name
        .strip_prefix(TOPIC_PREFIX)
        .is_some_and(|topic| !topic.is_empty() && topic.bytes().all(|byte| byte.is_ascii_digit()));
    name.contains('.') && !is_topic
}

/// Returns whether the text can be an e-mail address.
///
/// Customer.io publishes no rule; this refuses what no mail system delivers to and lets doubtful
/// ones pass: one `@` with something before it, and after it a domain of at least two labels; no
/// spaces, control characters, quotes, brackets, commas or colons; at most 254 bytes.
pub fn is_plausible_email(text: &str) -> bool {
    const FORBIDDEN: &[char] = &['"', '(', ')', ',', ':', ';', '<', '>', '[', '\\', ']', '@'];
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
    fn consent_is_the_opt_out_and_the_topics_and_no_other_name() {
        for name in [
            "unsubscribed",
            "cio_subscription_preferences",
            "cio_subscription_preferences.topics.topic_7",
        ] {
            assert!(is_consent_name(name) && is_never_nulled(name), "{name}");
        }
        for name in ["unsubscribed_at", "cio_subscription_preferences_extra", "plan"] {
            assert!(!is_consent_name(name) && !is_never_nulled(name), "{name}");
        }
        assert!(is_never_nulled("email") && is_never_nulled("created_at"));
    }

    #[test]
    fn only_the_path_of_one_topic_is_a_known_path() {
        assert!(!has_unknown_path("plan"));
        assert!(!has_unknown_path("cio_subscription_preferences.topics.topic_12"));
        for name in ["a.b", "cio_subscription_preferences.topics", "unsubscribed.", "x.topic_1"] {
            assert!(has_unknown_path(name), "{name}");
        }
    }

    #[test]
    fn controls_and_relationships_are_reserved() {
        for name in ["_update", "_timestamp", "cio_relationships"] {
            assert!(is_reserved_name(name), "{name}");
        }
        assert!(!is_reserved_name("created_at") && !is_reserved_name("unsubscribed"));
    }
}
