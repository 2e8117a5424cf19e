//! ServiceAccounts: what an operator is to the API server, and what it may do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::cluster::{Cluster, client};
use super::object::LIMIT;

/// The longest that a test may take with one token.
const TOKEN_SECONDS: i64 = 3600;
const GRANT_POLL: Duration = Duration::from_millis(20);

/// A ServiceAccount with a token, until the last clone of this value goes.
#[derive(Clone)]
pub struct Account {
    pub namespace: String,
    pub name: String,
    folder: Arc<TempDir>,
}

impl Account {
    /// Returns the user that the API server sees, as in [`Cluster::requests`].
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    /// Returns the path of its kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Returns a client with its rights and no more.
    pub async fn client(&self) -> Client {
        client(&self.kubeconfig()).await
    }
}

impl Cluster {
    /// Makes a ServiceAccount without any rights, or takes the one that is there, and gets a token.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Account {
        let manifest =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        self.apply(namespace, &manifest.to_string()).await.unwrap();
        let api: Api<ServiceAccount> = Api::namespaced(self.client(), namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..Default::default()
            },
            ..Default::default()
        };
        let issued =
            api.create_token_request(name, &PostParams::default(), &request).await.unwrap();
        let token = issued.status.expect("a token was issued").token;

        let folder = tempfile::Builder::new().prefix("ciosync-account-").tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": {
                "server": self.url(), "certificate-authority": self.server.place.ca_file,
            }}],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {
                "cluster": "tests", "user": "tests", "namespace": namespace,
            }}],
        });
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        Account { namespace: namespace.to_owned(), name: name.to_owned(), folder: Arc::new(folder) }
    }

    /// Gives an account rights in the whole cluster, as the `rules` of a ClusterRole, and returns when
    /// the API server knows of them. A later call replaces what it has.
    pub async fn grant(&self, account: &Account, rules: Value) {
        let name = format!("{}-{}", account.namespace, account.name);
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": &rules,
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{
                "kind": "ServiceAccount", "name": account.name, "namespace": account.namespace,
            }],
        });
        self.apply("", &role.to_string()).await.unwrap();
        self.apply("", &binding.to_string()).await.unwrap();
        for rule in rules.as_array().into_iter().flatten() {
            self.granted(account, rule).await;
        }
    }

    /// Waits until the API server's authorizer, which learns of rights by a watch, allows the first
    /// verb of a rule on its first resource.
    async fn granted(&self, account: &Account, rule: &Value) {
        let first = |field: &str| rule[field][0].as_str().map(str::to_owned);
        let (resource, subresource) = match first("resources") {
            None => return,
            Some(path) => match path.split_once('/') {
                Some((resource, sub)) => (resource.to_owned(), Some(sub.to_owned())),
                None => (path, None),
            },
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(account.user()),
                resource_attributes: Some(ResourceAttributes {
                    group: first("apiGroups"),
                    name: first("resourceNames"),
                    resource: Some(resource),
                    subresource,
                    verb: first("verbs"),
                    ..Default::default()
                }),
                ..Default::default()
            },
            ..Default::default()
        };
        let api: Api<SubjectAccessReview> = Api::all(self.client());
        let is_allowed = async || {
            let answer = api.create(&PostParams::default(), &review).await.unwrap();
            answer.status.is_some_and(|status| status.allowed)
        };
        let granted = async {
            while !is_allowed().await {
                tokio::time::sleep(GRANT_POLL).await; // sleep: the authorizer doesn't say what it learned.
            }
        };
        let limit = tokio::time::timeout(LIMIT, granted).await;
        assert!(limit.is_ok(), "the rights {rule} never came into force");
    }
}
