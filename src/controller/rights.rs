//! Whether the operator may do what it must, asked of the API server before anything depends on it:
//! a right that is lacking would otherwise show only in the log, object by object.
//!
//! Lists and watches are not asked for: they say themselves what they lack. Nor are Secrets and
//! ConfigMaps, which may be granted name by name, nor events, without which all else works.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tracing::debug;

use super::error::{bounded, describe, is_forbidden};
use super::leader;
use super::options::ControllerOptions;

/// The group of our own kinds.
const OURS: &str = crate::api::GROUP;

/// What is done in each namespace that is looked after: group, resource, subresource, verb.
const WORK: [(&str, &str, &str, &str); 5] = [
    (OURS, "syncs", "status", "patch"),
    (OURS, "sources", "status", "patch"),
    (OURS, "customerioconnections", "status", "patch"),
    // The finalizer of `deletionPolicy: Delete`.
    (OURS, "syncs", "", "patch"),
    (OURS, "syncs", "", "get"),
];

/// What is done with the Lease.
const LEASE: [(&str, &str, &str, &str); 3] = [
    ("coordination.k8s.io", "leases", "", "get"),
    ("coordination.k8s.io", "leases", "", "create"),
    ("coordination.k8s.io", "leases", "", "patch"),
];

/// Looks whether the operator has the rights that it can't do without.
///
/// # Errors
/// Which ones are lacking and what to do, for `/readyz` and the log.
pub async fn check(client: &Client, options: &ControllerOptions) -> Result<(), String> {
    let everywhere = [String::new()];
    let namespaces =
        if options.namespaces.is_empty() { &everywhere } else { &options.namespaces[..] };
    let mut lacking = Vec::new();
    for namespace in namespaces {
        for right in WORK {
            lacking.extend(lack(client, namespace, right).await?);
        }
    }
    if let Some(lease) = &options.lease {
        let namespace = leader::namespace_of(client, lease);
        for right in LEASE {
            lacking.extend(lack(client, &namespace, right).await?);
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the operator's account may not {}: install the roles of the chart, or grant it",
        lacking.join(", nor ")
    ))
}

/// Returns a right in words where it is lacking; in all namespaces where `namespace` is empty.
async fn lack(
    client: &Client,
    namespace: &str,
    (group, resource, subresource, verb): (&str, &str, &str, &str),
) -> Result<Option<String>, String> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let attributes = ResourceAttributes {
        group: some(group),
        resource: some(resource),
        subresource: some(subresource),
        verb: some(verb),
        namespace: some(namespace),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let params = PostParams::default();
    match bounded(async { api.create(&params, &review).await }).await {
        Ok(answer) if answer.status.as_ref().is_some_and(|status| status.allowed) => Ok(None),
        Ok(_) => Ok(Some(words(group, resource, subresource, verb, namespace))),
        // Clusters let everybody ask about themselves; one that doesn't is not held against it.
        Err(error) if is_forbidden(&error) => {
            debug!(problem = describe(&error), "rights can't be asked about");
            Ok(None)
        }
        Err(error) => Err(format!("its rights can't be asked about: {}", describe(&error))),
    }
}

fn words(group: &str, resource: &str, subresource: &str, verb: &str, namespace: &str) -> String {
    let path = if subresource.is_empty() {
        format!("{resource}.{group}")
    } else {
        format!("{resource}.{group}/{subresource}")
    };
    match namespace {
        "" => format!("{verb} {path} in all namespaces"),
        name => format!("{verb} {path} in {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_named_as_a_role_names_it() {
        assert_eq!(
            words(OURS, "syncs", "status", "patch", ""),
            "patch syncs.ciosync.dev/status in all namespaces"
        );
        assert_eq!(
            words("coordination.k8s.io", "leases", "", "get", "ops"),
            "get leases.coordination.k8s.io in ops"
        );
    }
}
