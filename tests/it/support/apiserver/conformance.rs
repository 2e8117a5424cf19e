//! What every status of ours must keep, judged whenever a test looks at one: our own rules, and
//! that kstatus, by which Flux and others wait, reads it as we mean it.

use ciosync::api::Kind;
use ciosync::api::condition::{Condition, ConditionStatus};
use ciosync::controller::decide::{conform, conform_change};
use serde_json::Value;

/// Fails where the status of an object breaks a rule, by itself or after the one seen before. A
/// status that nobody has written yet, or that is about an older spec, is judged as what it is.
pub fn judge(before: Option<&Value>, object: &Value) {
    let observed = object["status"]["observedGeneration"].as_i64().unwrap_or(-1);
    if observed < 0 {
        return;
    }
    let kind = match object["kind"].as_str() {
        Some("Source") => Kind::Source,
        Some("CustomerIoConnection") => Kind::CustomerIoConnection,
        _ => Kind::Sync,
    };
    let now = conditions(object);
    let mut complaints = conform(kind, observed, Some(observed), &now);
    if let Some(before) = before {
        complaints.extend(conform_change(&conditions(before), &now));
    }
    assert!(complaints.is_empty(), "{complaints:#?}\nin {:#}", object["status"]);
}

/// Returns the word by which kstatus should call an object.
pub fn expected_kstatus(object: &Value) -> &'static str {
    let metadata = &object["metadata"];
    let conditions = conditions(object);
    let is_true = |name: &str| {
        let of = |it: &&Condition| it.condition_type == name;
        conditions.iter().find(of).is_some_and(|it| it.status == ConditionStatus::True)
    };
    if !metadata["deletionTimestamp"].is_null() {
        return "Terminating";
    }
    if object["status"]["observedGeneration"] != metadata["generation"] || is_true("Reconciling") {
        return "InProgress";
    }
    match (is_true("Stalled"), is_true("Ready")) {
        (true, _) => "Failed",
        (false, true) => "Current",
        (false, false) => "InProgress",
    }
}

fn conditions(object: &Value) -> Vec<Condition> {
    let conditions = object["status"]["conditions"].clone();
    if conditions.is_null() {
        return Vec::new();
    }
    serde_json::from_value(conditions).unwrap()
}
