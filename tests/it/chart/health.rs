//! What Argo CD shows of a resource, and what its actions write.

use serde_json::{Value, json};

use super::lua::run;

const KINDS: [&str; 3] = ["Sync", "Source", "CustomerIoConnection"];

/// An object of generation 2 that the operator has looked at.
fn object(conditions: Value) -> Value {
    json!({
        "metadata": {"name": "one", "generation": 2, "resourceVersion": "77"},
        "spec": {},
        "status": {"observedGeneration": 2, "conditions": conditions},
    })
}

fn condition(name: &str, status: &str, message: &str) -> Value {
    json!({"type": name, "status": status, "reason": "Because", "message": message})
}

#[track_caller]
fn health(kind: &str, object: &Value) -> (String, String) {
    let said = run(&format!("health/{kind}.lua"), object).unwrap();
    let word = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    (word("status"), word("message"))
}

#[track_caller]
fn status(kind: &str, object: &Value) -> String {
    health(kind, object).0
}

#[test]
fn nothing_is_healthy_before_the_operator_has_looked_at_this_version() {
    let fresh = json!({
        "metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": -1},
    });
    let mut edited = object(json!([condition("Ready", "True", "fine")]));
    edited["metadata"]["generation"] = json!(3);
    let bare = json!({"metadata": {"generation": 1}, "spec": {}});

    for kind in KINDS {
        for object in [&fresh, &edited, &bare] {
            assert_eq!(status(kind, object), "Progressing", "{kind}");
        }
    }
}

#[test]
fn ready_is_healthy_and_its_failure_degraded_with_the_message() {
    for kind in KINDS {
        let ready = object(json!([condition("Ready", "True", "fine")]));
        assert_eq!(health(kind, &ready), ("Healthy".into(), "fine".into()), "{kind}");

        let failed = object(json!([condition("Ready", "False", "the password is wrong")]));
        assert_eq!(
            health(kind, &failed),
            ("Degraded".into(), "the password is wrong".into()),
            "{kind}"
        );

        let unknown = object(json!([condition("Ready", "Unknown", "reading")]));
        assert_eq!(health(kind, &unknown), ("Progressing".into(), "reading".into()), "{kind}");
    }
}

#[test]
fn a_sync_that_is_stalled_says_what_stalls_it() {
    let stalled = object(json!([
        condition("Ready", "False", "not ready"),
        condition("Stalled", "True", "approve it"),
    ]));

    assert_eq!(health("Sync", &stalled), ("Degraded".into(), "approve it".into()));
}

#[test]
fn suspended_shows_as_such_and_does_not_look_broken() {
    let sync = object(json!([
        condition("Ready", "True", "fine"),
        condition("Suspended", "True", "suspended by its spec"),
    ]));
    assert_eq!(health("Sync", &sync), ("Suspended".into(), "suspended by its spec".into()));

    for kind in ["Source", "CustomerIoConnection"] {
        let mut object = object(json!([condition("Ready", "True", "fine")]));
        object["spec"]["suspend"] = json!(true);
        assert_eq!(status(kind, &object), "Suspended", "{kind}");
    }
}

#[test]
fn what_is_being_deleted_is_not_done() {
    for kind in KINDS {
        let mut object = object(json!([condition("Ready", "True", "fine")]));
        object["metadata"]["deletionTimestamp"] = json!("2026-11-24T05:10:00Z");

        assert_eq!(status(kind, &object), "Progressing", "{kind}");
    }
}

#[test]
fn actions_that_would_do_nothing_are_greyed_out() {
    let disabled = |object: &Value| {
        let actions = run("actions/discovery.lua", object).unwrap();
        let mut names: Vec<String> = actions
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, action)| action["disabled"] == true)
            .map(|(name, _)| name.clone())
            .collect();
        names.sort_unstable();
        names.join(" ")
    };
    let mut sync = object(json!([]));
    assert_eq!(disabled(&sync), "approve cancel resume");

    sync["spec"]["suspend"] = json!(true);
    assert_eq!(disabled(&sync), "approve cancel run suspend");

    sync["status"]["blocked"] = json!({"id": "R1"});
    sync["status"]["currentRun"] = json!({"id": "R2"});
    assert_eq!(disabled(&sync), "run suspend");
}

#[test]
fn actions_write_what_the_operator_understands() {
    let mut sync = object(json!([]));
    sync["status"]["blocked"] = json!({"id": "R1"});
    sync["status"]["currentRun"] = json!({"id": "R2"});
    let after =
        |action: &str, object: &Value| run(&format!("actions/{action}.lua"), object).unwrap();
    let annotation = |object: &Value, name: &str| {
        object["metadata"]["annotations"][format!("ciosync.dev/{name}")].clone()
    };

    let run = after("run", &sync);
    assert_eq!(annotation(&run, "requestedAt"), "argocd-77");
    let mut next = run.clone();
    next["metadata"]["resourceVersion"] = json!("78");
    assert_ne!(annotation(&after("run", &next), "requestedAt"), "argocd-77");

    assert_eq!(annotation(&after("approve", &sync), "approve"), "R1");
    assert_eq!(annotation(&after("cancel", &sync), "cancel"), "R2");

    let suspended = after("suspend", &sync);
    assert_eq!(suspended["spec"]["suspend"], true);
    assert_eq!(annotation(&suspended, "suspendedBy"), "an action of Argo CD");
    let resumed = after("resume", &suspended);
    assert_eq!(resumed["spec"]["suspend"], false);
    assert_eq!(annotation(&resumed, "suspendedBy"), Value::Null);
}

#[test]
fn an_action_without_its_object_says_so() {
    let idle = object(json!([]));

    for (action, said) in [("approve", "nothing to approve"), ("cancel", "nothing to cancel")] {
        let refusal = run(&format!("actions/{action}.lua"), &idle).unwrap_err();
        assert!(refusal.contains(said), "{refusal}");
    }
}
