//! The API server for tests keeps what its helpers promise.

use std::time::Duration;

use serde_json::json;

use crate::support::apiserver::Cluster;
use crate::support::cluster;

const SECRET: &str =
    "{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {token: x}}";

#[tokio::test]
async fn an_account_may_do_what_it_was_granted_and_no_more() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    cluster.apply(&namespace, SECRET).await.unwrap();
    let account = cluster.service_account(&namespace, "operator").await;
    let secrets = || async {
        let client = account.client().await;
        let api = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(client, &namespace);
        (api.get("key").await.is_ok(), api.list(&kube::api::ListParams::default()).await.is_ok())
    };

    assert_eq!(secrets().await, (false, false));
    cluster
        .grant(&account, json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]))
        .await;

    assert_eq!(secrets().await, (true, false));
    let asked: Vec<_> = cluster
        .requests(&account.user())
        .iter()
        .map(|one| (one.verb.clone(), one.resource.clone(), one.code))
        .collect();
    let line = |verb: &str, code| (verb.to_owned(), "secrets".to_owned(), Some(code));
    assert_eq!(asked, [line("get", 403), line("list", 403), line("get", 200), line("list", 403)]);
    assert_eq!(cluster.writes(&account.user(), "secrets"), 0);
}

#[tokio::test]
async fn a_private_api_server_goes_and_comes_back_with_its_data() {
    let cluster = Cluster::private().await;
    cluster.apply("default", SECRET).await.unwrap();

    cluster.stop().await;
    let gone = cluster.kubectl(&["get", "secrets"]).await.unwrap_err();
    cluster.start().await;

    assert!(gone.contains("refused"), "{gone}");
    assert_eq!(cluster.list("Secret", "default").await.len(), 1);

    cluster.pause().await;
    let hangs = tokio::time::timeout(Duration::from_secs(1), cluster.list("Secret", "default"));
    assert!(hangs.await.is_err(), "a paused server answered");
    cluster.resume().await;

    assert_eq!(cluster.list("Secret", "default").await.len(), 1);
}

#[tokio::test]
async fn namespaces_end_and_take_their_objects_along() {
    let cluster = cluster().await;
    cluster.needs_controllers();
    let namespace = cluster.namespace().await;
    cluster.apply(&namespace, SECRET).await.unwrap();

    cluster.object("Namespace", "", &namespace).delete().await;

    cluster.wait_all("Secret", &namespace, "none", <[_]>::is_empty).await;
    cluster.object("Namespace", "", &namespace).gone().await;
}
