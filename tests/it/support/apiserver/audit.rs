//! What the API server was asked, by whom: its audit log.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cluster::Cluster;

/// One request for a resource of ours, a Secret, ConfigMap, Namespace, Event, Lease, Job or CRD. It is
/// in the log before it is carried out.
#[derive(Clone, Debug)]
pub struct Request {
    /// `admin`, or an account's [`user`](super::Account::user).
    pub user: String,
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The plural, with the subresource: `syncs`, `syncs/status`.
    pub resource: String,
    pub namespace: String,
    /// Empty for lists, watches and creations.
    pub name: String,
    /// The HTTP status; nothing while the request is being carried out.
    pub code: Option<u16>,
}

impl Request {
    /// Returns whether the request means to change something.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "auditID")]
    id: String,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    object_ref: Option<Reference>,
    response_status: Option<Response>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    resource: String,
    subresource: Option<String>,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Response {
    code: u16,
}

impl Cluster {
    /// Returns the requests of a user so far, in the order in which they came.
    pub fn requests(&self, user: &str) -> Vec<Request> {
        let log = std::fs::read_to_string(&self.server.place.audit_log).unwrap_or_default();
        let mut requests: Vec<Request> = Vec::new();
        let mut places = BTreeMap::new();
        // The last line may be half written; it is of a request that hasn't begun.
        for line in log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            if line.user.username != user {
                continue;
            }
            let code = line.response_status.map(|status| status.code);
            let place = *places.entry(line.id).or_insert(requests.len());
            if let Some(request) = requests.get_mut(place) {
                request.code = code.or(request.code);
                continue;
            }
            let about = line.object_ref.unwrap_or_default();
            let resource = match about.subresource {
                Some(subresource) => format!("{}/{subresource}", about.resource),
                None => about.resource,
            };
            requests.push(Request {
                user: line.user.username,
                user_agent: line.user_agent,
                verb: line.verb,
                resource,
                namespace: about.namespace,
                name: about.name,
                code,
            });
        }
        requests
    }

    /// Returns how often a user meant to change objects of a resource, such as `syncs/status`.
    pub fn writes(&self, user: &str, resource: &str) -> usize {
        let is_counted = |one: &&Request| one.is_write() && one.resource == resource;
        self.requests(user).iter().filter(is_counted).count()
    }
}
