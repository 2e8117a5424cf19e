//! Whether a Sync may use a Source or connection of another namespace. Pure.

use std::collections::BTreeMap;

use crate::api::reference::{AllowedNamespaces, LabelOperator, LabelSelector, NamespacesFrom};

/// What is known of the namespace from which something is used.
pub enum From<'a> {
    /// It is the object's own.
    Same,
    /// It is another, with these labels; `None` where they are not known yet.
    Other(Option<&'a BTreeMap<String, String>>),
}

/// Whether the use is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It is.
    Granted,
    /// It is not.
    Denied,
    /// The namespace's labels must be looked at first.
    NeedsLabels,
}

/// Returns whether an object with this rule may be used from a namespace.
pub fn permission(allowed: &AllowedNamespaces, from: &From<'_>) -> Permission {
    let labels = match from {
        From::Same => return Permission::Granted,
        From::Other(labels) => labels,
    };
    let selector = match (allowed.from, &allowed.selector) {
        (NamespacesFrom::All, _) => return Permission::Granted,
        (NamespacesFrom::Same, _) | (NamespacesFrom::Selector, None) => return Permission::Denied,
        (NamespacesFrom::Selector, Some(selector)) => selector,
    };
    match labels {
        None => Permission::NeedsLabels,
        Some(labels) if matches(selector, labels) => Permission::Granted,
        Some(_) => Permission::Denied,
    }
}

/// Returns whether labels fit a selector. An empty selector fits all, as elsewhere in Kubernetes.
fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
    selector.match_labels.iter().all(has)
        && selector.match_expressions.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match requirement.operator {
                LabelOperator::In => value.is_some_and(|it| requirement.values.contains(it)),
                LabelOperator::NotIn => !value.is_some_and(|it| requirement.values.contains(it)),
                LabelOperator::Exists => value.is_some(),
                LabelOperator::DoesNotExist => value.is_none(),
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(rule: Value) -> AllowedNamespaces {
        serde_json::from_value(rule).unwrap()
    }

    fn from_labels(allowed: &AllowedNamespaces, labels: &[(&str, &str)]) -> Permission {
        let labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        permission(allowed, &From::Other(Some(&labels)))
    }

    #[test]
    fn another_namespace_needs_leave_and_the_own_never_does() {
        let (same, all) = (AllowedNamespaces::default(), rule(json!({"from": "All"})));

        assert_eq!(permission(&same, &From::Same), Permission::Granted);
        assert_eq!(permission(&same, &From::Other(None)), Permission::Denied);
        assert_eq!(permission(&all, &From::Other(None)), Permission::Granted);
    }

    #[test]
    fn a_selector_is_compared_with_the_namespaces_labels() {
        let expression = |operator: &str, values: Value| {
            rule(json!({"from": "Selector", "selector": {
                "matchLabels": {"team": "growth"},
                "matchExpressions": [{"key": "tier", "operator": operator, "values": values}],
            }}))
        };
        let inside = expression("In", json!(["a", "b"]));
        assert_eq!(permission(&inside, &From::Other(None)), Permission::NeedsLabels);
        assert_eq!(from_labels(&inside, &[("team", "growth"), ("tier", "a")]), Permission::Granted);
        assert_eq!(from_labels(&inside, &[("team", "growth"), ("tier", "c")]), Permission::Denied);
        assert_eq!(from_labels(&inside, &[("tier", "a")]), Permission::Denied);

        let outside = expression("NotIn", json!(["a"]));
        assert_eq!(from_labels(&outside, &[("team", "growth")]), Permission::Granted);
        assert_eq!(from_labels(&outside, &[("team", "growth"), ("tier", "a")]), Permission::Denied);

        let exists = expression("Exists", json!([]));
        assert_eq!(from_labels(&exists, &[("team", "growth")]), Permission::Denied);
        let absent = expression("DoesNotExist", json!([]));
        assert_eq!(from_labels(&absent, &[("team", "growth")]), Permission::Granted);
    }
}
