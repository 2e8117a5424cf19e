//! What the chart makes, in front of a real API server: it is accepted, the pod fits the restricted
//! standard, and the operator's ServiceAccount may do what the table says and nothing else.

use std::collections::BTreeSet;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::support::apiserver::{Cluster, cluster};
use crate::support::helm::MATRIX;

const VERBS: [&str; 8] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What an operator might want to do, as `group/resource[/subresource]`, with the names that count.
const WISHES: [(&str, &str); 25] = [
    ("ciosync.dev/syncs", "one"),
    ("ciosync.dev/sources", "one"),
    ("ciosync.dev/customerioconnections", "one"),
    ("ciosync.dev/syncs/status", "one"),
    ("ciosync.dev/sources/status", "one"),
    ("ciosync.dev/customerioconnections/status", "one"),
    ("ciosync.dev/syncs/finalizers", "one"),
    ("/secrets", "one"),
    ("/configmaps", "one"),
    ("/namespaces", "growth"),
    ("/namespaces", "kube-system"),
    ("/events", "one"),
    ("events.k8s.io/events", "one"),
    ("coordination.k8s.io/leases", "ciosync"),
    ("apiextensions.k8s.io/customresourcedefinitions", "syncs.ciosync.dev"),
    ("apiextensions.k8s.io/customresourcedefinitions", "certificates.cert-manager.io"),
    ("/pods", "one"),
    ("/pods/exec", "one"),
    ("/nodes", "one"),
    ("/serviceaccounts", "ciosync"),
    ("/serviceaccounts/token", "ciosync"),
    ("apps/deployments", "ciosync"),
    ("batch/jobs", "one"),
    ("rbac.authorization.k8s.io/roles", "one"),
    ("rbac.authorization.k8s.io/clusterrolebindings", "one"),
];

/// Asks the API server all wishes for one namespace; returns those that it grants as
/// `verb group/resource name`.
async fn granted(cluster: &Cluster, user: &str, namespace: &str) -> BTreeSet<String> {
    let api: Api<SubjectAccessReview> = Api::all(cluster.client());
    let mut granted = BTreeSet::new();
    for (wish, name) in WISHES {
        for verb in VERBS {
            let mut words = wish.splitn(3, '/').map(str::to_owned);
            let attributes = ResourceAttributes {
                group: words.next(),
                resource: words.next(),
                subresource: words.next(),
                verb: Some(verb.to_owned()),
                name: Some(name.to_owned()),
                // As the API server itself asks about a namespace.
                namespace: Some(if wish == "/namespaces" { name } else { namespace }.to_owned()),
                ..ResourceAttributes::default()
            };
            let review = SubjectAccessReview {
                spec: SubjectAccessReviewSpec {
                    user: Some(user.to_owned()),
                    groups: Some(vec!["system:authenticated".to_owned()]),
                    resource_attributes: Some(attributes),
                    ..SubjectAccessReviewSpec::default()
                },
                ..SubjectAccessReview::default()
            };
            let answer = api.create(&PostParams::default(), &review).await.unwrap();
            if answer.status.expect("a review has an answer").allowed {
                granted.insert(format!("{verb} {wish} {name}"));
            }
        }
    }
    granted
}

fn wishes(rows: &[(&str, &str)]) -> BTreeSet<String> {
    rows.iter()
        .flat_map(|(verbs, what)| verbs.split(' ').map(move |verb| format!("{verb} {what}")))
        .collect()
}

/// What every operator may look at, whatever the namespace.
const LOOK: [(&str, &str); 2] = [
    ("get", "apiextensions.k8s.io/customresourcedefinitions syncs.ciosync.dev"),
    ("get", "/namespaces kube-system"),
];

const LEASES: (&str, &str) = ("get create patch", "coordination.k8s.io/leases ciosync");

const WORK: [(&str, &str); 9] = [
    ("get list watch patch", "ciosync.dev/syncs one"),
    ("get list watch", "ciosync.dev/sources one"),
    ("get list watch", "ciosync.dev/customerioconnections one"),
    ("patch", "ciosync.dev/syncs/status one"),
    ("patch", "ciosync.dev/sources/status one"),
    ("patch", "ciosync.dev/customerioconnections/status one"),
    ("get", "/configmaps one"),
    ("get", "/secrets one"),
    ("create patch", "events.k8s.io/events one"),
];

#[tokio::test]
async fn the_api_server_accepts_all_that_the_chart_makes() {
    let cluster = cluster().await;

    for values in MATRIX {
        let namespace = cluster.namespace().await;
        // Rights in namespaces that a test doesn't have are no use to it, but must be accepted.
        for name in ["growth", "sales"] {
            let object =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            cluster.apply("", &object.to_string()).await.unwrap();
        }
        cluster.install_chart(&namespace, values).await;
    }
}

#[tokio::test]
async fn the_api_server_grants_the_operator_this_and_nothing_else() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let account = cluster.operator_account(&namespace, &[]).await;

    let everywhere = [&WORK[..], &LOOK, &[("get", "/namespaces growth")]].concat();
    assert_eq!(granted(&cluster, &account.user(), "elsewhere").await, wishes(&everywhere));

    let at_home = [&everywhere[..], &[LEASES]].concat();
    assert_eq!(granted(&cluster, &account.user(), &namespace).await, wishes(&at_home));
}

#[tokio::test]
async fn with_namespaces_to_watch_the_api_server_grants_nothing_in_others() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let watched = cluster.namespace().await;
    let value = format!("watchNamespaces={{{watched}}}");
    let account = cluster.operator_account(&namespace, &[&value, "secrets.watch=true"]).await;

    assert_eq!(granted(&cluster, &account.user(), "elsewhere").await, wishes(&LOOK));
    let at_home = [&LOOK[..], &[LEASES]].concat();
    assert_eq!(granted(&cluster, &account.user(), &namespace).await, wishes(&at_home));
    let at_work = [&WORK[..], &LOOK, &[("list watch", "/secrets one")]].concat();
    assert_eq!(granted(&cluster, &account.user(), &watched).await, wishes(&at_work));

    // What the Role says of namespaces is about its own one.
    let client: kube::Client = account.client().await;
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client);
    assert!(namespaces.get(&watched).await.is_ok());
    assert!(namespaces.get("kube-system").await.is_ok());
    assert!(namespaces.get(&namespace).await.is_err());
}

#[tokio::test]
async fn the_pod_is_let_into_a_restricted_namespace() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let label =
        json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    cluster.object("Namespace", "", &namespace).patch(label).await.unwrap();
    let objects = cluster.install_chart(&namespace, &[]).await;

    let pod = |spec: Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"generateName": "ciosync-", "namespace": namespace}, "spec": spec,
        })
    };
    cluster.create(&namespace, &pod(objects.pod().clone())).await.unwrap();

    // The API server does look.
    let mut loose = objects.pod().clone();
    loose["securityContext"]["runAsNonRoot"] = json!(false);
    let refusal = cluster.create(&namespace, &pod(loose)).await.unwrap_err();
    assert!(refusal.to_string().contains("restricted"), "{refusal}");
}

#[tokio::test]
async fn whoever_may_edit_a_namespace_may_edit_its_syncs_but_not_their_health() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    cluster.install_chart(&namespace, &[]).await;
    let person = cluster.service_account(&namespace, "person").await;
    for role in ["view", "edit"] {
        let ours = cluster.object("ClusterRole", "", &format!("{namespace}-ciosync-{role}"));
        let ours = ours.get().await;
        // By these labels a cluster's controller adds the rules of ours to its own role.
        let builtin = cluster.object("ClusterRole", "", role).get().await;
        let wanted = &builtin["aggregationRule"]["clusterRoleSelectors"][0]["matchLabels"];
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&ours["metadata"]["labels"][name], value, "{role}");
        }
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": role},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": ours["metadata"]["name"],
            },
            "subjects": [{"kind": "ServiceAccount", "name": "person", "namespace": namespace}],
        });
        cluster.apply(&namespace, &binding.to_string()).await.unwrap();
    }

    let all = VERBS.join(" ");
    assert_eq!(
        granted(&cluster, &person.user(), &namespace).await,
        wishes(&[
            (&all, "ciosync.dev/syncs one"),
            (&all, "ciosync.dev/sources one"),
            (&all, "ciosync.dev/customerioconnections one"),
        ])
    );
}
