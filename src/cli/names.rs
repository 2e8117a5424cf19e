//! `[NAMESPACE/]NAME`, as people type it and read it.

use crate::model::SyncId;

/// How alike two names must be, from 0 to 1, for one to be offered in the place of the other.
/// Lets two swapped letters and a missing plural through, not a common prefix alone.
const LIKENESS_MIN: f64 = 0.85;

/// Most names that are offered.
const NEAR_MAX: usize = 3;

/// Why a text names no Sync.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no name of a Sync: {remedy}")]
pub struct NameError {
    text: String,
    remedy: &'static str,
}

/// Returns the Sync that `text` names: `NAMESPACE/NAME`, or `NAME` in `namespace`.
///
/// # Errors
/// Where it can be no name, with what to write.
pub fn sync_id(text: &str, namespace: &str) -> Result<SyncId, NameError> {
    let (namespace, name) = text.split_once('/').unwrap_or((namespace, text));
    let refused = |remedy| Err(NameError { text: text.to_owned(), remedy });
    if namespace.is_empty() || name.is_empty() || name.contains('/') {
        return refused("write NAME or NAMESPACE/NAME");
    }
    // What Kubernetes lets a name be made of.
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !namespace.bytes().chain(name.bytes()).all(|byte| is_plain(byte) || b"-.".contains(&byte)) {
        return refused("names are made of lower-case letters, digits, `-` and `.`");
    }
    Ok(SyncId::new(namespace, name))
}

/// Returns the Sync as it may be typed where `namespace` is the one that `-n` names.
pub fn typed(sync: &SyncId, namespace: &str) -> String {
    if sync.namespace == namespace { sync.name.clone() } else { sync.to_string() }
}

/// Returns the Syncs that may have been meant by `wanted`: those of its name in other namespaces,
/// then those whose names are alike.
pub fn near<'a>(wanted: &SyncId, known: impl IntoIterator<Item = &'a SyncId>) -> Vec<&'a SyncId> {
    let mut ranked: Vec<(f64, &SyncId)> = known
        .into_iter()
        .map(|sync| (strsim::jaro_winkler(&wanted.name, &sync.name), sync))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    ranked.into_iter().take(NEAR_MAX).map(|(_, sync)| sync).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_namespace_is_in_the_one_given() {
        assert_eq!(sync_id("customers", "growth"), Ok(SyncId::new("growth", "customers")));
        assert_eq!(sync_id("sales/customers", "growth"), Ok(SyncId::new("sales", "customers")));
        assert_eq!(typed(&SyncId::new("growth", "customers"), "growth"), "customers");
        assert_eq!(typed(&SyncId::new("sales", "customers"), "growth"), "sales/customers");
    }

    #[test]
    fn what_can_be_no_name_is_refused_with_what_to_write() {
        for (text, remedy) in [
            ("", "write NAME or NAMESPACE/NAME"),
            ("/customers", "write NAME or NAMESPACE/NAME"),
            ("growth/", "write NAME or NAMESPACE/NAME"),
            ("a/b/c", "write NAME or NAMESPACE/NAME"),
            ("Customers", "names are made of lower-case letters, digits, `-` and `.`"),
            ("my customers", "names are made of lower-case letters, digits, `-` and `.`"),
        ] {
            let err = sync_id(text, "default").unwrap_err();

            assert_eq!(err.to_string(), format!("`{text}` is no name of a Sync: {remedy}"));
        }
    }

    #[test]
    fn alike_names_are_offered_nearest_first() {
        let known = ["sales/customers", "default/customer", "default/orders", "default/cust"]
            .map(|text| sync_id(text, "").unwrap());

        let near = |name: &str| -> Vec<String> {
            let wanted = SyncId::new("default", name);
            near(&wanted, &known).into_iter().map(ToString::to_string).collect()
        };

        assert_eq!(near("customers"), ["sales/customers", "default/customer", "default/cust"]);
        assert_eq!(near("ordesr"), ["default/orders"]);
        assert_eq!(near("invoices"), [""; 0]);
    }
}
