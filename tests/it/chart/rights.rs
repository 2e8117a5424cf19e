//! What the operator may do: this table and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::helm::{MATRIX, NAMESPACE, Objects, rendered};

/// Rights by place (a namespace, or `*` for the whole cluster) and resource, `group/resource`, with
/// the names that they are confined to.
type Rights = BTreeMap<(String, String), BTreeSet<String>>;

const CLUSTER: &str = "*";

/// What it does in the namespaces that it looks after.
const WORK: [(&str, &str); 9] = [
    ("ciosync.dev/syncs", "get list watch patch"),
    ("ciosync.dev/sources", "get list watch"),
    ("ciosync.dev/customerioconnections", "get list watch"),
    ("ciosync.dev/syncs/status", "patch"),
    ("ciosync.dev/sources/status", "patch"),
    ("ciosync.dev/customerioconnections/status", "patch"),
    ("/configmaps", "get"),
    ("/namespaces", "get"),
    ("events.k8s.io/events", "create patch"),
];

/// What it looks at besides.
const LOOK: [(&str, &str); 2] = [
    (
        "apiextensions.k8s.io/customresourcedefinitions \
         [syncs.ciosync.dev sources.ciosync.dev customerioconnections.ciosync.dev]",
        "get",
    ),
    ("/namespaces [kube-system]", "get"),
];

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

/// Returns what the bindings give the operator's ServiceAccount.
fn rights(objects: &Objects) -> Rights {
    let mut rights = Rights::new();
    let bindings = [objects.of("ClusterRoleBinding"), objects.of("RoleBinding")].concat();
    for binding in bindings {
        assert_eq!(binding["subjects"].as_array().unwrap().len(), 1);
        assert_eq!(binding["subjects"][0]["namespace"], NAMESPACE);
        assert_eq!(binding["subjects"][0]["name"], objects.pod()["serviceAccountName"]);
        let reference = &binding["roleRef"];
        let namespace = &binding["metadata"]["namespace"];
        let role = objects
            .of(reference["kind"].as_str().unwrap())
            .into_iter()
            .find(|role| {
                let is_near =
                    role["kind"] == "ClusterRole" || &role["metadata"]["namespace"] == namespace;
                role["metadata"]["name"] == reference["name"] && is_near
            })
            .expect("the role of a binding is rendered too");
        for rule in role["rules"].as_array().unwrap() {
            let place = namespace.as_str().unwrap_or(CLUSTER).to_owned();
            for (resource, verbs) in resources(rule) {
                rights.entry((place.clone(), resource)).or_default().extend(verbs);
            }
        }
    }
    rights
}

fn resources(rule: &Value) -> Vec<(String, BTreeSet<String>)> {
    let confined = match words(&rule["resourceNames"]) {
        names if names.is_empty() => String::new(),
        names => format!(" [{}]", names.join(" ")),
    };
    let verbs: BTreeSet<String> = words(&rule["verbs"]).into_iter().map(Into::into).collect();
    let mut found = Vec::new();
    for group in words(&rule["apiGroups"]) {
        for resource in words(&rule["resources"]) {
            found.push((format!("{group}/{resource}{confined}"), verbs.clone()));
        }
    }
    found
}

fn table<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Rights {
    let verbs = |text: &str| text.split(' ').map(Into::into).collect();
    rows.into_iter()
        .map(|(place, resource, text)| ((place.to_owned(), resource.to_owned()), verbs(text)))
        .collect()
}

fn at<'a>(
    place: &'a str,
    rows: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    rows.iter().map(move |(resource, verbs)| (place, *resource, *verbs))
}

#[test]
fn the_operator_may_do_this_and_nothing_else() {
    let secrets = [(CLUSTER, "/secrets", "get")];
    let leases = [(NAMESPACE, "coordination.k8s.io/leases", "get create patch")];

    assert_eq!(
        rights(&rendered(&[])),
        table(at(CLUSTER, &WORK).chain(at(CLUSTER, &LOOK)).chain(secrets).chain(leases))
    );
}

#[test]
fn with_namespaces_to_watch_it_may_do_nothing_in_others() {
    let namespaced = rendered(&["watchNamespaces={growth,sales}"]);
    let secrets = [("growth", "/secrets", "get"), ("sales", "/secrets", "get")];
    let leases = [(NAMESPACE, "coordination.k8s.io/leases", "get create patch")];

    assert_eq!(
        rights(&namespaced),
        table(
            at("growth", &WORK)
                .chain(at("sales", &WORK))
                .chain(at(CLUSTER, &LOOK))
                .chain(secrets)
                .chain(leases)
        )
    );
    assert!(namespaced.args().contains(&"--watch-namespaces=growth,sales"));
}

#[test]
fn secrets_are_listed_only_where_they_are_watched() {
    for values in MATRIX {
        let objects = rendered(values);
        let is_watched = objects.args().contains(&"--watch-secrets");

        let mut found = 0;
        for ((_, resource), verbs) in rights(&objects) {
            if resource == "/secrets" {
                found += 1;
                assert_eq!(verbs.contains("list"), is_watched, "{values:?}");
                assert_eq!(verbs.contains("watch"), is_watched, "{values:?}");
            }
        }
        assert!(found > 0);
    }
}

#[test]
fn no_role_says_all() {
    for values in MATRIX {
        let objects = rendered(values);
        for role in [objects.of("ClusterRole"), objects.of("Role")].concat() {
            for rule in role["rules"].as_array().unwrap() {
                for list in ["apiGroups", "resources", "verbs"] {
                    assert!(!words(&rule[list]).is_empty(), "{rule}");
                    assert!(!words(&rule[list]).contains(&"*"), "{rule}");
                }
            }
        }
    }
}

#[test]
fn without_leader_election_there_is_no_right_to_leases() {
    let objects = rendered(&["leaderElection.enabled=false"]);

    assert!(!rights(&objects).keys().any(|(_, resource)| resource.contains("leases")));
    assert!(objects.args().contains(&"--leader-election=false"));
}

#[test]
fn people_who_edit_do_not_write_statuses() {
    let objects = rendered(&[]);
    let edit = objects
        .of("ClusterRole")
        .into_iter()
        .find(|role| role["metadata"]["name"] == "ops-ciosync-edit")
        .unwrap();

    assert_eq!(edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"], "true");
    assert_eq!(
        words(&edit["rules"][0]["resources"]),
        ["syncs", "sources", "customerioconnections"]
    );
    assert!(rendered(&["rbac.aggregateToUserRoles=false"]).of("ClusterRole").len() == 1);
}

#[test]
fn where_roles_are_made_by_somebody_else_there_are_none() {
    let objects = rendered(&["rbac.create=false", "rbac.aggregateToUserRoles=false"]);

    for kind in ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"] {
        assert!(objects.of(kind).is_empty(), "{kind}");
    }
}
